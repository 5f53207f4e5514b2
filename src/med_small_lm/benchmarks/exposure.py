"""How much of each exam item stands word for word in what a model was trained on, and the scores with and without it.

The gates keep exam items out of what the teacher writes; the books themselves pass no gate. This looks at everything
that was trained on, as it was trained on.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from med_small_lm.benchmarks.parts import case_of
from med_small_lm.benchmarks.scoring import score
from med_small_lm.benchmarks.tasks import unit_of, units
from med_small_lm.overlap.documents import Document
from med_small_lm.overlap.guarded import Item, beside, guarded_items
from med_small_lm.overlap.index import GramIndex
from med_small_lm.overlap.reading import read
from med_small_lm.schemas.rows import Conversation, CorpusText, Exposure, Prediction, Question, Score

CLEAN, DIRTY = "clean", "dirty"
"""The subsets of the items under and from the threshold, in the best document of all sources."""
BANDS = ("0 %", "under 20 %", "20 to 50 %", "50 to 80 %", "80 % and more", "cannot be told")
"""How coverage is counted; the last holds items that say too little."""
_BOUNDS = (0.2, 0.5, 0.8)


def training_documents(
    corpus: Iterable[CorpusText], conversations: Iterable[Conversation]
) -> Iterator[tuple[str, Document]]:
    """Yields the texts and conversations that models are trained on, each with its source.

    Held-out texts are left out. What was made from passages is told apart by how it was made, not by its book: a shelf
    may hold thousands.
    """
    for text in corpus:
        if text.split == "train":
            yield f"corpus/{text.source}", Document(text.text_id, (text.text,), (), ())
    for one in conversations:
        source = one.method if one.passage_ids else f"{one.source}/{one.method}"
        told = tuple(dict.fromkeys(message.content for message in one.messages))
        yield f"conversations/{source}", Document(one.example_id, told, (), ())


def expose(
    questions: Sequence[Question],
    documents: Iterable[tuple[str, Document]],
    background: Sequence[Question] = (),
) -> list[Exposure]:
    """Returns, for each source of the documents, the coverage of every scored question by its best single document.

    Coverage is the share of the question's word 8-grams, or of its whole text where that is shorter, as the gates count
    it: what only repeats the exam's form is not counted. Words are compared without case, punctuation and accents.

    Args:
        questions: of all splits, under their benchmark's name as ``source``. The test split is looked for; the others
            show what is form.
        documents: of any sources, in any order; each is read once, and none is kept.
        background: training questions, which show the form of an exam that has no other split.
    """
    parts, exams = beside(questions, background)
    items = [item for own, style in parts for item in guarded_items(own, style, exams)]
    index = GramIndex([item.grams for item in items])
    best: dict[str, dict[int, tuple[float, str]]] = {}
    for source, document in documents:
        found = best.setdefault(source, {})
        for place, count in index.counts(read(document)).items():
            share = count / len(items[place].grams)
            if share > found.get(place, (0.0, ""))[0]:
                found[place] = (share, document.document_id)
    return [
        _exposure(item, source, found.get(place, (0.0, "")))
        for source, found in sorted(best.items())
        for place, item in enumerate(items)
    ]


def best_of(exposures: Iterable[Exposure]) -> dict[tuple[str, str], Exposure]:
    """Returns the greatest exposure of each item over all sources."""
    best: dict[tuple[str, str], Exposure] = {}
    for one in exposures:
        item = one.benchmark, one.question_id
        if item not in best or one.coverage > best[item].coverage:
            best[item] = one
    return best


def by_unit(exposures: Iterable[Exposure], questions: Iterable[Question]) -> list[Exposure]:
    """Returns the exposures with every question once that several benchmarks ask: the greatest in each source.

    Benchmarks that ask the same questions (``tasks.units``) stand under all their names, "medqa, medqa_5options"; the
    question's id is its unit's.

    Args:
        exposures: of any sources.
        questions: all that the exposures tell of.
    """
    asked = list(questions)
    counted = units(asked)
    exam = {one.source: unit_of(one) for one in asked}
    names = {unit: ", ".join(name for name, own in exam.items() if own == unit) for unit in exam.values()}
    greatest: dict[tuple[str, str], Exposure] = {}
    for one in exposures:
        key = counted[one.question_id], one.source
        known = greatest[key].coverage if key in greatest else math.nan
        if math.isnan(known) or one.coverage > known:
            greatest[key] = one
    return [replace(one, benchmark=names[exam[one.benchmark]], question_id=unit) for (unit, _), one in greatest.items()]


def distribution(exposures: Iterable[Exposure]) -> dict[str, Counter[str]]:
    """Returns how many items of each benchmark are in which of ``BANDS``, by the best document of all sources.

    ``by_unit`` first: so that a question which is asked twice counts once.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in best_of(exposures).values():
        counts[one.benchmark][band(one.coverage)] += 1
    return dict(counts)


def band(coverage: float) -> str:
    """Returns which of ``BANDS`` a coverage belongs to."""
    if math.isnan(coverage):
        return BANDS[-1]
    return BANDS[0] if coverage == 0 else BANDS[1 + sum(coverage >= bound for bound in _BOUNDS)]


def split_scores(
    predictions: Sequence[Prediction],
    benchmarks: Mapping[str, Sequence[Question]],
    exposures: Iterable[Exposure],
    *,
    threshold: float = 0.2,
    samples: int = 2_000,
    seed: int = 0,
) -> list[Score]:
    """Returns the scores of the clean and of the dirty items of each benchmark that has both.

    An item is dirty from ``threshold`` on, in the best document of any source; one that says too little to be told is
    neither. Cases stay whole: a dirty question makes its case dirty. Other arguments are those of ``scoring.score``.
    """
    coverage = {item: one.coverage for item, one in best_of(exposures).items()}
    sides: dict[str, dict[str, list[Question]]] = {CLEAN: {}, DIRTY: {}}
    for name, questions in benchmarks.items():
        worst: dict[str, float] = {}
        for question in questions:
            share = coverage.get((name, question.question_id), math.nan)
            if not math.isnan(share):
                worst[case_of(question)] = max(share, worst.get(case_of(question), 0.0))
        told = [(question, worst.get(case_of(question), math.nan)) for question in questions]
        clean = [question for question, share in told if share < threshold]
        dirty = [question for question, share in told if share >= threshold]
        if clean and dirty:
            sides[CLEAN][name], sides[DIRTY][name] = clean, dirty
    made = []
    for subset, side in sides.items():
        known = {(name, question.question_id) for name, questions in side.items() for question in questions}
        own = [one for one in predictions if (one.benchmark, one.question_id) in known]
        found = score(own, side, samples=samples, seed=seed)
        made += [replace(one, subset=subset) for one in found if one.subset == "all"]
    return made


def _exposure(item: Item, source: str, found: tuple[float, str]) -> Exposure:
    """The record of an item; its coverage is not a number where it has nothing to look for."""
    coverage, document = found if item.grams else (math.nan, "")
    return Exposure(item.benchmark, item.question_id, source, coverage, document)
