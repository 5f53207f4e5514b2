"""Wrong options for a claim: of the sort of the right one, from the same pages, and true of the stem in no sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from med_small_lm.teacher.builtin import draws, naming, numbers
from med_small_lm.teacher.builtin.claims import LISTED, Claim, claims_of, joined, terms_of
from med_small_lm.teacher.builtin.facts import distinct
from med_small_lm.teacher.builtin.kinds import Sorts, chunks_of, distance, genus_of, lists_of, roles_of
from med_small_lm.teacher.builtin.phrases import loose
from med_small_lm.teacher.builtin.sentences import is_whole, plain, sentences, without_article, words
from med_small_lm.teacher.builtin.terms import is_plural, likeness, shares_word

WRONG = 3
_NEAR = 8
"""Wrong options are drawn from so many of the likest, so that they are not always the same three."""
_TOLD = 0.6
"""Share of a stem's content words that a sentence has to hold beside a term, to say the stem of the term."""
_COMMON = frozenset(
    "the a an of to in for and or is are was which following what with by on at from as that it best most likely "
    "one be does do not can may this these has have term terms used value completes statement known other name "
    "describes means true".split()
)
_PARTS = {"structure", "cell", "condition"}
_ALIKE = 0.34
"""Most content words that two phrases may share, of the shorter one's, and still say different things."""
_SAME = re.compile(
    r"\(|\b(?:such as|including|include|includes|known as|called|termed|refers to|means|namely|abbreviated|especially|"
    r"(?:is|are|or) (?:an?|the|also|another|one|called|known|type|types))\b"
)
_WORD = re.compile(r"[a-z0-9]+(?:['’-][a-z0-9]+)*|\(")
_SAME_GAP = 45
"""Most characters between two terms that a sentence sets equal or counts one among the other."""


class Pool:
    """A passage and those around it: what may stand beside a right option, and what they say of it."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Read the terms, lists and claims of ``texts``, the passage that is asked about first."""
        claims = [claim for text in texts for claim in claims_of(text)]
        self._sentences = [said for text in texts for said in _said(text)]
        self._loose = [told for text in texts for told in _loose(text)]
        self._sorts = Sorts(texts, {c.answer: genus_of(c.told) for c in claims if c.rank == 0})
        around = " ".join(texts)
        terms = [term for text in texts for term in (*terms_of(text), *chunks_of(text))]
        terms += [term for text in texts for term, _ in roles_of(text)]
        terms += [item for text in texts for items in lists_of(text) for item in items]
        self._terms = [
            term for term in dict.fromkeys(map(without_article, terms)) if not naming.is_person(term, around)
        ]

    def wrong(self, claim: Claim, turn: int) -> list[str]:
        """Return three wrong options for a claim, or fewer."""
        if claim.wrong:
            return list(claim.wrong)
        if claim.group.startswith("number:"):
            return distinct(numbers.wrong_values(claim.answer), [claim.answer])[:WRONG]
        if claim.group.startswith("phrase:"):
            return self._phrases(claim, turn)
        if claim.group == LISTED:
            return self._lists(claim, turn)
        return self._drawn(self._alike(claim, claim.answer), claim, turn)

    def _alike(self, claim: Claim, answer: str) -> list[str]:
        """Return the terms of the answer's sort that no sentence gives as an answer, the likest first."""
        sorts = self._sorts.of(answer)
        if genus := genus_of(claim.told):
            sorts.add(f"head {genus}")
        stem, plural = _roots(claim.stem), is_plural(answer)
        beside = f" {' '.join(words(claim.stem))} {' '.join(words(claim.sentence))} "
        found: list[tuple[int, float, str]] = []
        for term in self._terms:
            own = self._sorts.of(term)
            if (far := distance(sorts, own)) is None or is_plural(term) != plural or _within(term, answer):
                continue
            if _same_head(term, answer) and not own & _PARTS:
                continue  # "beta-1 receptors" are adrenergic ones; but one sphincter is not the other
            form = " ".join(words(term))
            if f" {form} " in beside or shares_word(term, claim.stem):
                continue
            if not self._true(form, " ".join(words(answer)), stem):
                found.append((far, likeness(term, answer) - 3.0 * len(sorts & own) + len(own - sorts), term))
        nearest = [term for far, _, term in sorted(found) if far == 0]
        return nearest if len(nearest) >= WRONG else [term for _, _, term in sorted(found)]

    def _drawn(self, ranked: Sequence[str], claim: Claim, turn: int) -> list[str]:
        """Return three of the likest terms, none that says the same as another or as a right one."""
        kept: list[str] = []
        for term in distinct(ranked, [claim.answer, *claim.siblings]):
            if not any(_within(term, other) for other in kept):
                kept.append(term)
            if len(kept) == _NEAR:
                break
        return draws.shuffled(kept, turn, claim.answer)[:WRONG]

    def _lists(self, claim: Claim, turn: int) -> list[str]:
        """Return three lists as long as the answer's, of terms of the sorts of its items."""
        first, *others = claim.items
        ranked = self._alike(claim, first)
        for item in others:
            ranked += [term for term in self._alike(claim, item) if term not in ranked]
        kept: list[str] = []
        for term in distinct(ranked, [*claim.items, *claim.siblings]):
            if not shares_word(term, claim.answer) and not any(
                _within(term, other) for other in (*kept, *claim.siblings)
            ):
                kept.append(term)
        size = len(claim.items)
        drawn = draws.shuffled(kept[: WRONG * size + 2], turn, claim.answer)[: WRONG * size]
        return [joined(drawn[at : at + size]) for at in range(0, len(drawn) - size + 1, size)]

    def _phrases(self, claim: Claim, turn: int) -> list[str]:
        """Return three phrases of the claim's form that other sentences say of other things."""
        right, about = _roots(claim.answer), f" {' '.join(words(claim.about))} "
        found: list[tuple[float, str]] = []
        for form, phrase, text in self._loose:
            if form != claim.group.partition(":")[2] or about in text or shares_word(claim.about, phrase):
                continue
            said = _roots(phrase)
            if len(said & right) <= _ALIKE * min(len(said), len(right)) and not self._said_of(about, said):
                found.append((abs(len(phrase) - len(claim.answer)), phrase))
        kept: list[str] = []
        for _, phrase in sorted(found):
            roots = _roots(phrase)
            if all(len(roots & _roots(one)) <= _ALIKE * len(roots) for one in kept):
                kept.append(phrase)
        return draws.shuffled(kept[:_NEAR], turn, claim.answer)[:WRONG]

    def _said_of(self, about: str, phrase: frozenset[str]) -> bool:
        """Return whether a sentence that names the subject says most of a phrase."""
        return any(about in text and len(phrase & said) >= _TOLD * len(phrase) for text, said in self._sentences)

    def _true(self, term: str, answer: str, stem: frozenset[str]) -> bool:
        """Return whether a sentence says the stem of the term, or that term and answer are the same or one's kind."""
        name, parts = f" {term} ", _roots(term)
        for text, said in self._sentences:
            if (name in text or (len(parts) > 1 and parts <= said)) and (
                len(stem & said) >= _TOLD * len(stem) or _set_equal(text, term, answer)
            ):
                return True
        return False


def overlap(stem: str, sentence: str) -> float:
    """Return the share of the stem's content words that stand in a sentence."""
    asked = _roots(stem)
    return len(asked & _all_roots(sentence)) / len(asked) if asked else 0.0


@lru_cache(maxsize=100_000)
def _roots(text: str) -> frozenset[str]:
    """Return the beginnings of the content words of a text, which different forms of a word share."""
    return frozenset(word[:6] for word in words(text) if word not in _COMMON)


def _all_roots(text: str) -> frozenset[str]:
    return frozenset(word[:6] for word in words(text))


@lru_cache(maxsize=20_000)
def _said(passage: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return the sentences of a passage as words with the brackets kept, and their words' beginnings."""
    return tuple((f" {' '.join(_WORD.findall(s.lower()))} ", _all_roots(s)) for s in sentences(passage))


@lru_cache(maxsize=20_000)
def _loose(passage: str) -> tuple[tuple[str, str, str], ...]:
    """Return the phrases of a passage: form, phrase, and the sentence's words."""
    return tuple(
        (form, phrase, f" {' '.join(words(sentence))} ")
        for sentence in sentences(passage)
        if is_whole(sentence)
        for form, phrase in loose(plain(sentence))
    )


def _same_head(one: str, other: str) -> bool:
    """Return whether two terms end in the same word."""
    return one.rsplit(" ", 1)[-1].lower() == other.rsplit(" ", 1)[-1].lower()


def _within(one: str, other: str) -> bool:
    """Return whether one term says the other with more words, or abbreviates it, so that both would be right."""
    first, second = _roots(one), _roots(other)
    if first <= second or second <= first:
        return True
    short, long = sorted((one.split(), other.split()), key=lambda parts: len(parts[0]))
    if short[0].isupper() and short[-1] == long[-1] and short[0][0] == long[0][0].upper():
        return True  # "SA node", "sinoatrial node"
    initials = ["".join(word[0] for word in words(term)) for term in (one, other)]
    return any(
        len(short) >= 2 and "".join(words(term)).rstrip("s") == short
        for short, term in zip(initials, (other, one), strict=True)
    )


def _set_equal(text: str, one: str, other: str) -> bool:
    """Return whether a sentence sets two terms equal, or counts one among the other."""
    first, second = text.find(f" {one} "), text.find(f" {other} ")
    if first < 0 or second < 0:
        return False
    if first > second:
        first, second, one = second, first, other
    between = text[first + len(one) + 1 : second + 1]
    return len(between) <= _SAME_GAP and (_SAME.search(between) is not None or not between.strip())
