"""Which items of a benchmark a training document gives away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from med_small_lm.overlap.documents import Document
from med_small_lm.overlap.stems import Stems, Unit, folded
from med_small_lm.overlap.subjects import Subject, subjects
from med_small_lm.schemas.rows import Question

COVERAGE = "coverage"
SAME_FACT = "same_fact"
RULES = (COVERAGE, SAME_FACT)

GRAM = 8
"""Words of a gram whose share is the coverage."""

_SHARED_BY = 2  # items that may hold a gram; what more of them hold is the benchmark's boilerplate, not the item
_BREAK = "|"  # stands between texts, and no word looks like it
_BARE = {("yes",), ("no",), ("maybe",), ("true",), ("false",), ("all", "of", "the", "above"), ("none",)}


@dataclass(frozen=True, slots=True)
class Hit:
    """One item that a document contaminates.

    ``rule`` is coverage (``value`` is the share of grams) or same_fact (``value`` is the share of the stem's content
    words, 1 for the whole subject); ``reason`` says what was found.
    """

    question_id: str
    benchmark: str
    rule: str
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Item:
    """A guarded question as it is looked for. Phrases have a space at both ends, so that only whole words match."""

    question_id: str
    benchmark: str
    subjects: tuple[str, ...]
    core: str
    in_form: bool
    content: tuple[str, ...]
    grams: frozenset[str]


@dataclass(slots=True)
class _Read:
    """A document as it is looked through."""

    whole: str
    asserted: str
    words: list[str]
    asserted_words: list[str] = field(default_factory=list)


class ContaminationIndex:
    """The guarded items of benchmarks, inverted: by the words of their answers and by their grams.

    *Coverage*: the share of an item's word 8-grams (its whole text where it is shorter) that stand in this one
    document. Grams that tell the item from no other (those without the subject where the stem is a form, those that
    many items share) are not counted, or every question in the exam's style would be a copy.

    *Same fact*: the right answer with the stem's subject anywhere in the document, wrong options included; or the
    right answer with half of the stem's content words, in order, in what the document asserts. Where the stem is a
    form, the half must hold the subject's core: a form with another subject is another question.
    """

    def __init__(self, items: Sequence[Question], background: Sequence[Question] = (), coverage: float = 0.2) -> None:
        """Guard ``items``; ``background`` are questions in the same style (exemplars) that need no guard.

        ``coverage`` is the least share of grams that is a hit, 0 to 1.
        """
        self.coverage = coverage
        stems = Stems([question.stem for question in (*items, *background)])
        asked = subjects(stems)
        grams = [_grams(folded(f"{q.context} {q.stem}")) for q in items]
        holders: dict[str, int] = defaultdict(int)
        for gram in (gram for own in grams for gram in own):
            holders[gram] += 1
        self.items = [
            _item(question, stems, place, asked[place], own, holders)
            for place, (question, own) in enumerate(zip(items, grams, strict=True))
        ]
        self.n_items = _count(item.benchmark for item in self.items)
        self._by_answer: dict[str, dict[str, list[int]]] = defaultdict(dict)
        self._by_gram: dict[str, list[int]] = defaultdict(list)
        self._gram_words: set[str] = set()
        self._short: dict[str, dict[str, list[int]]] = defaultdict(dict)
        for place, question in enumerate(items):
            self._enter(place, question)

    def hits(self, document: Document) -> list[Hit]:
        """Return the items that a document contaminates, each once for each rule, in the order of the items."""
        read = _read(document)
        found = [*self._covered(read), *self._same_facts(read)]
        return [hit for _, hit in sorted(found, key=lambda pair: (pair[0], pair[1].rule))]

    def _enter(self, place: int, question: Question) -> None:
        """Put an item under the longest word of each right answer and under its grams."""
        for text in _right_answers(question):
            own = folded(text)
            if own and own not in _BARE:
                self._by_answer[max(own, key=len)].setdefault(_phrase(own), []).append(place)
        for gram in self.items[place].grams:
            own = tuple(gram.split())
            if len(own) < GRAM:
                self._short[max(own, key=len)].setdefault(_phrase(own), []).append(place)
            else:
                self._by_gram[gram].append(place)
                self._gram_words.update(own)

    def _covered(self, read: _Read) -> Iterable[tuple[int, Hit]]:
        """Yield the items of which the document holds enough grams."""
        counts: dict[int, int] = defaultdict(int)
        known = 0
        own: set[str] = set()
        for end, word in enumerate(read.words, start=1):
            known = known + 1 if word in self._gram_words else 0
            if known >= GRAM:
                own.add(" ".join(read.words[end - GRAM : end]))
        for gram in own & self._by_gram.keys():
            for place in self._by_gram[gram]:
                counts[place] += 1
        for place in _named(self._short, read):
            counts[place] += 1
        for place, count in counts.items():
            item = self.items[place]
            share = count / len(item.grams)
            if share >= self.coverage:
                reason = f"{count} of {len(item.grams)} grams of {item.question_id}"
                yield place, Hit(item.question_id, item.benchmark, COVERAGE, share, reason)

    def _same_facts(self, read: _Read) -> Iterable[tuple[int, Hit]]:
        """Yield the items whose answer stands in the document with their subject or half of their content words."""
        for place, answer in _named(self._by_answer, read).items():
            item = self.items[place]
            subject = next((name for name in item.subjects if name in read.whole), None)
            if subject is not None:
                reason = f"{item.question_id}: {subject.strip()} with {answer.strip()}"
                yield place, Hit(item.question_id, item.benchmark, SAME_FACT, 1.0, reason)
            elif answer in read.asserted and (share := _content_share(item, read)):
                reason = f"{item.question_id}: {share:.2f} of the content words with {answer.strip()}"
                yield place, Hit(item.question_id, item.benchmark, SAME_FACT, share, reason)


def _item(
    question: Question,
    stems: Stems,
    place: int,
    asked: tuple[Subject, ...],
    grams: Sequence[str],
    holders: dict[str, int],
) -> _Item:
    """Return a question as it is looked for."""
    first = asked[0] if asked else Subject((), (), False)
    core = _phrase(first.core) if first.core else ""
    if first.in_form:
        counted = [gram for gram in grams if core in f" {gram} "]
    else:
        counted = [gram for gram in grams if holders[gram] <= _SHARED_BY]
    names = tuple(_phrase(subject.words) for subject in asked)
    content = tuple(stems.content(place))
    kept = frozenset(counted or grams)
    return _Item(question.question_id, question.source, names, core, first.in_form, content, kept)


def _grams(words: Unit) -> list[str]:
    """Return the different word 8-grams of a text, or the whole text where it is shorter."""
    if len(words) < GRAM:
        return [" ".join(words)] if words else []
    return list(dict.fromkeys(" ".join(words[n : n + GRAM]) for n in range(len(words) - GRAM + 1)))


def _right_answers(question: Question) -> list[str]:
    """Return the texts of the right answers: the options that are right, or the answer where there are no options."""
    right = [option.text for option in question.options if option.key in question.answer_keys]
    return list(dict.fromkeys(right or [question.answer_text]))


def _phrase(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


def _read(document: Document) -> _Read:
    """Return a document's words, and as text with a space at both ends of every word."""
    parts = {text: folded(text) for text in document.whole}
    whole = [word for text in document.whole for word in (*parts[text], _BREAK)]
    asserted = [word for text in document.asserted for word in (*(parts.get(text) or folded(text)), _BREAK)]
    return _Read(_phrase(whole), _phrase(asserted), whole, asserted)


def _named(index: dict[str, dict[str, list[int]]], read: _Read) -> dict[int, str]:
    """Return the items one of whose phrases stands in the document, with the phrase."""
    found: dict[int, str] = {}
    for word in index.keys() & set(read.words):
        for phrase, places in index[word].items():
            if phrase in read.whole:
                found.update(dict.fromkeys(places, phrase))
    return found


def _content_share(item: _Item, read: _Read) -> float:
    """Return the share of an item's content words that the document asserts in order; 0 for less than half."""
    if not item.content or (item.in_form and item.core not in read.asserted):
        return 0.0
    wanted = set(item.content)
    longest = [0] * (len(item.content) + 1)
    for word in (word for word in read.asserted_words if word in wanted):
        before = 0  # one row of the longest-common-subsequence table, updated in place
        for place, own in enumerate(item.content, start=1):
            above = longest[place]
            longest[place] = before + 1 if own == word else max(above, longest[place - 1])
            before = above
    least = max(len(item.content) / 2, min(2, len(item.content)))
    return longest[-1] / len(item.content) if longest[-1] >= least else 0.0


def _count(values: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for value in values:
        counts[value] += 1
    return dict(counts)
