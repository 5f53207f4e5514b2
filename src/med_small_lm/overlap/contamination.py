"""Which items of a benchmark a training document gives away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from med_small_lm.overlap.documents import Document, asked
from med_small_lm.overlap.fuzzy import FuzzyIndex, Likeness, Wording, wording
from med_small_lm.overlap.grams import phrase
from med_small_lm.overlap.guarded import Item, guarded_items, right_answers
from med_small_lm.overlap.index import GramIndex, PhraseIndex
from med_small_lm.overlap.reading import Read, read
from med_small_lm.overlap.stems import folded
from med_small_lm.schemas.rows import Question

COVERAGE = "coverage"
SAME_FACT = "same_fact"
FUZZY = "fuzzy"
RULES = (COVERAGE, SAME_FACT, FUZZY)

_KIN = 0.4  # of the threshold: an item of a form that is so like several others is told from them by its subject alone
_IN_ORDER = 3  # content words that stand in order at least; two do by chance
_CHANCE = 1  # other questions that may hold a fact: the one may ask for it the other way round
_EXPECTED = 0.02  # of them that would hold subject and answer if the two had nothing to do with each other,
_ENOUGH = 5_000  # where there are so many questions to tell from
_CHUNK = 1_000  # documents that are laid beside the items at once
_NAMED = 12  # shared words that a reason names


@dataclass(frozen=True, slots=True)
class Hit:
    """One item that a document contaminates.

    ``rule`` is coverage (``value`` is the share of grams), same_fact (``value`` is the share of the stem's content
    words, 1 for the whole subject) or fuzzy (``value`` is the similarity); ``reason`` says what was found.
    """

    question_id: str
    benchmark: str
    rule: str
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Fact:
    """An item (its place) whose right answer stands in a document: with its ``subject``, or with a ``share`` of its
    content words.
    """  # noqa: D205

    place: int
    answer: str
    subject: str
    share: float


class ContaminationIndex:
    """The guarded items of benchmarks, inverted: by the words of their answers, by their grams, by their words.

    *Coverage*: the share of an item's word 8-grams (its whole text where it is shorter) that stand in this one
    document. Grams that tell the item from no other (those without the subject where the stem is a form, those that
    many items share) are not counted, or every question in the exam's style would be a copy.

    *Same fact*: the right answer with the stem's subject anywhere in the document, wrong options included; or the
    right answer with half of the stem's content words, in order, in what the document asserts. Where the stem is a
    form, the half must hold the subject's core: a form with another subject is another question. What stands together
    in several questions of the exams that have another answer, or would without any reason, is no fact.

    *Fuzzy*: the rarity-weighted share of content words that the document's question and the item have in common, for
    what is reworded or too short for grams. Here, too, another subject in a form is another question; the form
    alone, with nothing in the subject's place, is not.
    """

    def __init__(
        self,
        items: Sequence[Question],
        background: Sequence[Question] = (),
        coverage: float = 0.2,
        fuzzy: float = 0.54,
        exams: Sequence[Question] = (),
    ) -> None:
        """Guard ``items``; ``background`` are questions in the same style (exemplars) that need no guard.

        ``coverage`` is the least share of grams that is a hit, ``fuzzy`` the least similarity, both 0 to 1. ``exams``
        are all questions, of this and other benchmarks, that may show what stands together by chance.
        """
        self.coverage = coverage
        self.fuzzy = fuzzy
        self.items = guarded_items(items, background, exams)
        self.n_items = dict(Counter(item.benchmark for item in self.items))
        # Two indices, for a context would make the words of every bare question common.
        worded = [_wordings(question) for question in items]
        having = range(len(items)), [n for n, own in enumerate(worded) if len(own) > 1]
        self._fuzzy = [FuzzyIndex([worded[n][i] for n in own], own, fuzzy) for i, own in enumerate(having)]
        self._mark_interchangeable([*items, *background])
        self._by_answer, self._by_subject = PhraseIndex(), PhraseIndex()
        self._by_gram = GramIndex([item.grams for item in self.items])
        self._right = [frozenset(right_answers(question)) for question in items]
        for place in range(len(items)):
            self._enter(place)
        self._forget_chance(exams)

    def hits(self, document: Document) -> list[Hit]:
        """Return the items that a document contaminates, each once for each rule, in the order of the items."""
        return next(hits_of([document], [self]))

    def hits_of_read(self, documents: Sequence[Read]) -> list[list[Hit]]:
        """Return for each document what ``hits`` returns of it."""
        alike: list[list[Likeness]] = [[] for _ in documents]
        owner = [n for n, own in enumerate(documents) for _ in own.asked]
        questions = [one for own in documents for one in own.asked]
        for likeness in chain.from_iterable(index.alike(questions) for index in self._fuzzy):
            alike[owner[likeness.question]].append(likeness)
        found = [
            [*self._covered(own), *self._same_facts(own), *self._reworded(own, alike[n])]
            for n, own in enumerate(documents)
        ]
        return [[hit for _, hit in sorted(own, key=lambda pair: (pair[0], pair[1].rule))] for own in found]

    def _enter(self, place: int) -> None:
        """Put an item under its right answers and subjects."""
        for answer in self._right[place]:
            self._by_answer.add(answer, place)
        for subject in self.items[place].subjects:
            self._by_subject.add(subject, place)

    def _mark_interchangeable(self, questions: Sequence[Question]) -> None:
        """Mark the items of a form that several of the questions are like, with another subject."""
        kin: Counter[int] = Counter()
        for start in range(0, len(questions), _CHUNK):
            own = [_wordings(question)[0] for question in questions[start : start + _CHUNK]]
            kin.update(
                item
                for place, item in self._fuzzy[0].kin(own, _KIN)
                if not own[place].all.issuperset(self.items[item].core.split())
            )
        formed = [item.in_form and kin[place] > 0 for place, item in enumerate(self.items)]
        sure = {item.subjects[0] for item, known in zip(self.items, formed, strict=True) if known}
        for place, (item, known) in enumerate(zip(self.items, formed, strict=True)):
            # A subject is a guess but where the stem is a form (for a single word: where others stand in its place,
            # here or in another stem), or if it is half of what the stem says.
            names = [
                name
                for name in item.subjects
                if known or name in sure or (item.in_form and name.count(" ") > 2) or _is_half(name, item.content)
            ]
            self.items[place] = replace(item, interchangeable=known and kin[place] > 1, subjects=tuple(names))

    def _forget_chance(self, exams: Sequence[Question]) -> None:
        """Forget what questions hold that have another answer: short stems, subjects together with an answer."""
        stems: Counter[tuple[int, str]] = Counter()
        facts: Counter[tuple[int, str]] = Counter()
        holders: Counter[str] = Counter()
        for question in exams:
            own, right, whole = read(_unanswered(question)), set(right_answers(question)), phrase(folded(question.stem))
            holders.update({text for text, _ in (*self._by_answer.standing(own), *self._by_subject.standing(own))})
            found = self._by_gram.short.named(own).items()
            stems.update((place, text) for place, text in found if text != whole and not right & self._right[place])
            facts.update((fact.place, fact.subject) for fact in self._facts(own) if not right & self._right[fact.place])
        for (place, text), count in stems.items():
            if count > _CHANCE:
                self._by_gram.short.forget(text, place)
                self.items[place] = replace(self.items[place], grams=frozenset())
        for place, item in enumerate(self.items):
            expected = sum(holders[answer] for answer in self._right[place]) / max(len(exams), _ENOUGH)
            known = [
                subject
                for subject in item.subjects
                if facts[place, subject] <= _CHANCE and holders[subject] * expected <= _EXPECTED
            ]
            content = item.content if facts[place, ""] <= _CHANCE else ()
            self.items[place] = replace(item, subjects=tuple(known), content=content)

    def _covered(self, own: Read) -> Iterator[tuple[int, Hit]]:
        """Yield the items of which the document holds enough grams."""
        for place, count in self._by_gram.counts(own).items():
            item = self.items[place]
            share = count / len(item.grams)
            if share >= self.coverage:
                reason = f"{count} of {len(item.grams)} grams of {item.question_id}"
                yield place, Hit(item.question_id, item.benchmark, COVERAGE, share, reason)

    def _same_facts(self, own: Read) -> Iterator[tuple[int, Hit]]:
        """Yield the items whose answer stands in the document with their subject or half of their content words."""
        for fact in self._facts(own):
            item = self.items[fact.place]
            what = fact.subject.strip() or f"{fact.share:.2f} of the content words"
            reason = f"{item.question_id}: {what} with {fact.answer.strip()}"
            yield fact.place, Hit(item.question_id, item.benchmark, SAME_FACT, fact.share, reason)

    def _facts(self, own: Read) -> Iterator[_Fact]:
        """Yield what makes a document hold the same fact as an item."""
        for place, answer in self._by_answer.named(own).items():
            item = self.items[place]
            subject = next((name for name in item.subjects if name in own.whole and name not in answer), None)
            if subject is not None:
                yield _Fact(place, answer, subject, 1.0)
            elif answer in own.asserted and (share := _content_share(item, own)):
                yield _Fact(place, answer, "", share)

    def _reworded(self, own: Read, alike: Iterable[Likeness]) -> Iterator[tuple[int, Hit]]:
        """Yield the items that the document's question is like, each once."""
        best: dict[int, Likeness] = {}
        for one in sorted(alike, key=lambda one: one.similarity):
            item = self.items[one.item]
            if not item.interchangeable or item.core in own.whole or one.within:
                best[one.item] = one
        for place, one in best.items():
            item, words = self.items[place], sorted(one.shared)
            said = ", ".join(words[:_NAMED]) + (", ..." if len(words) > _NAMED else "")
            reason = f"{item.question_id}: likeness {one.similarity:.2f} by {len(words)} words ({said})"
            yield place, Hit(item.question_id, item.benchmark, FUZZY, one.similarity, reason)


def hits_of(documents: Iterable[Document], guards: Sequence[ContaminationIndex]) -> Iterator[list[Hit]]:
    """Yield for each document the items that it contaminates, guard by guard; each document is read once."""
    rest = iter(documents)
    while own := [read(document) for document in islice(rest, _CHUNK)]:
        for found in zip(*(guard.hits_of_read(own) for guard in guards), strict=True) if guards else ((),) * len(own):
            yield [hit for hits in found for hit in hits]


def _wordings(question: Question) -> list[Wording]:
    """Return what an item asks, word by word, and where it has a context the same with it."""
    return [wording([*map(folded, one.stem)], [*map(folded, one.options)]) for one in asked(question)]


def _unanswered(question: Question) -> Document:
    """Return a question as a document that does not assert its answer."""
    texts = asked(question)[-1]
    return Document(question.question_id, (*texts.stem, *texts.options), texts.stem, ())


def _is_half(subject: str, content: Sequence[str]) -> bool:
    """Return whether a subject is half of a stem's content words or more."""
    words = subject.split()
    return 2 * sum(word in words for word in content) >= len(content)


def _content_share(item: Item, own: Read) -> float:
    """Return the share of an item's content words that the document asserts in order; 0 for less than half."""
    wanted = set(item.content)
    least = max(len(item.content) / 2, min(_IN_ORDER, len(item.content)))
    if not wanted or (item.in_form and item.core not in own.asserted):
        return 0.0
    if sum(word in own.different for word in item.content) < least:
        return 0.0
    longest = [0] * (len(item.content) + 1)
    for word in (word for word in own.asserted_words if word in wanted):
        before = 0  # one row of the longest-common-subsequence table, updated in place
        for place, known in enumerate(item.content, start=1):
            above = longest[place]
            longest[place] = before + 1 if known == word else max(above, longest[place - 1])
            before = above
    return longest[-1] / len(item.content) if longest[-1] >= least else 0.0
