"""What a finished run's records tell of a model: what it learnt from, how it was measured, what was kept from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from med_small_lm.markdown import table
from med_small_lm.schemas.rows import Contamination, Conversation, CorpusText, Passage, Perplexity, Question, Score
from med_small_lm.tuning.checkpoint import Manifest, digest

Sourced: TypeAlias = Conversation | CorpusText | Question

STAGES = {"injected": "injection", "tuned": "tuning"}
"""What the stage of each model is called in the records of its training."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The records of a run; what was not made yet is empty.

    Attributes:
        titles: of the books, by name.
        exams: the questions that models are scored on.
    """

    passages: Sequence[Passage] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    corpus: Sequence[CorpusText] = ()
    conversations: Sequence[Conversation] = ()
    exams: Sequence[Question] = ()
    scores: Sequence[Score] = ()
    perplexities: Sequence[Perplexity] = ()
    contamination: Sequence[Contamination] = ()


def data(evidence: Evidence, chain: Sequence[Manifest]) -> list[str]:
    """Returns what a model and its parents were trained on, and what they are examined with.

    Records that have changed since the training are not counted.
    """
    trained = [manifest for manifest in chain if manifest.tokens_seen]
    used = {name: mark for manifest in reversed(trained) for name, mark in manifest.data.items()}
    parts = ["### Books and other texts", "", *_books(evidence)] if trained else ["It was trained on no text.", ""]
    for name, records in (("corpus", evidence.corpus), ("conversations", evidence.conversations)):
        if name in used and digest(records) == used[name]:
            books = {one.book for one in evidence.passages}
            parts += [f"### {name.capitalize()}", "", *_by_source(records, books)]
        elif name in used:
            parts += [f"The {name} records on disk are not those that it was trained on, and not counted here.", ""]
    return [*parts, "### Exams that it is scored on", "", *_by_source(evidence.exams)]


def _by_source(records: Iterable[Sourced], books: Collection[str] = ()) -> list[str]:
    """A line for each source and licence, the books' records together; the digest is that of all fields."""

    def key(one: Sourced) -> tuple[str, str]:
        return "the books" if one.source in books else one.source, one.licence

    rows = []
    for (source, licence), group in groupby(sorted(records, key=key), key):
        listed = list(group)
        rows.append([source, licence, f"{len(listed):,}", f"`{digest(listed)}`"])
    return [table(["source", "licence", "records", "SHA-256"], rows), ""]


def _books(evidence: Evidence) -> list[str]:
    """A line for each book; the digest is that of its passages' own digests."""

    def key(one: Passage) -> tuple[str, str]:
        return one.book, one.licence

    rows = []
    for (book, licence), group in groupby(sorted(evidence.passages, key=key), key):
        own = list(group)
        words, mark = sum(one.n_words for one in own), digest(sorted(one.sha256 for one in own))
        rows.append([evidence.titles.get(book) or book, licence, f"{len(own):,}", f"{words:,}", f"`{mark}`"])
    return [table(["text", "licence", "passages", "words", "SHA-256"], rows), ""]


def scores(evidence: Evidence, models: Sequence[str]) -> list[str]:
    """Returns the accuracies of the models one below the other, or that there are none."""
    asked = list(dict.fromkeys(map(_asked, evidence.scores)))
    rows = [
        [one.benchmark, f"{one.mode}, {one.variant}", one.subset, one.model, f"{one.value:.3f}",
         f"{one.ci_low:.3f} to {one.ci_high:.3f}", str(one.n), str(one.n_unparsed)]
        for one in sorted(evidence.scores, key=lambda one: asked.index(_asked(one)))
        if one.model in models
    ]  # fmt: skip
    if not rows:
        return ["This checkpoint was not scored.", ""]
    said = (
        "Accuracy over all questions; one whose answer could not be read counts as wrong (*unparsed*). Intervals are"
        " 95 %, over the questions. `stem_hidden` is a control: the question is taken away."
    )
    head = ["exam", "asked by", "subset", "model", "accuracy", "95 % interval", "n", "unparsed"]
    return [said, "", table(head, rows), ""]


def _asked(one: Score) -> tuple[str, ...]:
    return one.benchmark, one.mode, one.variant, one.subset


def perplexities(evidence: Evidence, models: Sequence[str]) -> list[str]:
    """Returns the perplexities of whole sources before and after the stage of each model; nothing without any."""
    rows = []
    stages = {STAGES[model] for model in models if model in STAGES}
    whole = [one for one in evidence.perplexities if not one.book and one.stage in stages]
    whole.sort(key=lambda one: (one.stage, one.source))
    for (stage, source), group in groupby(whole, lambda one: (one.stage, one.source)):
        by_step = {one.step: one for one in group}
        first, last = by_step[min(by_step)], by_step[max(by_step)]
        rows.append([stage, source, str(first.n_texts), *map(_interval, (first, last))])
    if not rows:
        return []
    head = ["stage", "held-out text", "texts", "before", "after"]
    return ["Perplexity on texts that were held out, with 95 % intervals over the texts:", "", table(head, rows), ""]


def _interval(one: Perplexity) -> str:
    return f"{one.perplexity:.2f} ({one.ci_low:.2f} to {one.ci_high:.2f})"


def contamination(evidence: Evidence) -> list[str]:
    """Returns what of the exams' questions was kept from the training, and how."""
    if not evidence.contamination:
        return ["No contamination gate has reported: whether the exams leaked into the training is not known.", ""]
    ordered = sorted(evidence.contamination, key=lambda one: (one.benchmark, one.rule))
    rows = []
    for (exam, rule), group in groupby(ordered, lambda one: (one.benchmark, one.rule)):
        met = list(group)
        read, stopped = (sum(getattr(one, name) for one in met) for name in ("n_records", "n_flagged"))
        rows.append([exam, rule, f"{met[0].n_items:,}", f"{read:,}", f"{stopped:,}"])
    return [table(["exam", "rule", "items", "records looked at", "records stopped"], rows), ""]
