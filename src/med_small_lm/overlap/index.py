"""What of known items stands in a document: their grams, and phrases looked up by their longest word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from med_small_lm.overlap.grams import GRAM, phrase
from med_small_lm.overlap.reading import Read


class PhraseIndex:
    """Phrases (spaces at both ends) with the places of the items that they belong to, by their longest word."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_word: dict[str, dict[str, list[int]]] = defaultdict(dict)

    def add(self, text: str, place: int) -> None:
        """Let a phrase belong to an item."""
        self._of(text).setdefault(text, []).append(place)

    def forget(self, text: str, place: int) -> None:
        """Let a phrase no longer belong to an item."""
        self._of(text)[text].remove(place)

    def standing(self, own: Read) -> Iterator[tuple[str, list[int]]]:
        """Yield the phrases that stand in a document, with their items."""
        for word in self._by_word.keys() & own.different:
            for text, places in self._by_word[word].items():
                if text in own.whole:
                    yield text, places

    def named(self, own: Read) -> dict[int, str]:
        """Return the items one of whose phrases stands in a document, with the phrase."""
        return {place: text for text, places in self.standing(own) for place in places}

    def _of(self, text: str) -> dict[str, list[int]]:
        return self._by_word[max(text.split(), key=len)]


class GramIndex:
    """The grams of items, inverted; ``short`` holds those of fewer than eight words, which are whole items."""

    def __init__(self, items: Sequence[Collection[str]]) -> None:
        """Take the grams of each item."""
        self.short = PhraseIndex()
        self._by_gram: dict[str, list[int]] = defaultdict(list)
        for place, grams in enumerate(items):
            for gram in grams:
                own = gram.split()
                if len(own) < GRAM:
                    self.short.add(phrase(own), place)
                else:
                    self._by_gram[gram].append(place)

    def counts(self, own: Read) -> Counter[int]:
        """Return how many grams of which item stand in a document."""
        found: Counter[int] = Counter()
        for gram in filter(self._by_gram.__contains__, own.grams):
            found.update(self._by_gram[gram])
        found.update(self.short.named(own).keys())
        return found
