"""What a finished run's records tell of a model: what it learnt from, how it was measured, what was kept from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from med_small_lm.markdown import significant, table, with_interval
from med_small_lm.schemas.rows import Contamination, Conversation, CorpusText, Passage, Perplexity, Question, Score
from med_small_lm.tuning.checkpoint import Manifest, digest

Sourced: TypeAlias = Conversation | CorpusText | Question

GATED = {"rephrasings": "corpus"}
"""Where records go that a gate has looked at; all others go into the conversations."""
STAGES = {"injected": "injection", "tuned": "tuning"}
"""What the stage of each model is called in the records of its training."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The records of a run; what was not made yet is empty.

    Attributes:
        titles: of the books, by name.
        exams: the questions that models are scored on.
        dev_prompts: what the model was asked in its training to see how it does, and was not taught.
    """

    passages: Sequence[Passage] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    corpus: Sequence[CorpusText] = ()
    conversations: Sequence[Conversation] = ()
    exams: Sequence[Question] = ()
    scores: Sequence[Score] = ()
    perplexities: Sequence[Perplexity] = ()
    contamination: Sequence[Contamination] = ()
    dev_prompts: Sequence[str] = ()


def public(manifest: Manifest) -> Manifest:
    """Returns a manifest for others: of a base model that came from a folder it tells the folder's name alone."""
    source = manifest.parameters.get("source", "")
    if manifest.data.get("source", source) == source:  # of what is on the hub the digest is its name
        return manifest
    return replace(manifest, parameters={**manifest.parameters, "source": Path(source).resolve().name})


def belonging(evidence: Evidence, chain: Sequence[Manifest]) -> Evidence:
    """Returns the evidence without what is not this model's.

    That are records that have changed since the training or that it has not seen, the passages behind no record that it
    has seen, and what gates say of such records.
    """
    known = {name for name, mark in _used(chain).items() if digest(getattr(evidence, name)) == mark}
    corpus = evidence.corpus if "corpus" in known else ()
    conversations = evidence.conversations if "conversations" in known else ()
    seen: list[Sourced] = [*corpus, *conversations]
    sources = {key for one in seen for key in one.passage_ids}
    return replace(
        evidence,
        corpus=corpus,
        conversations=conversations,
        passages=[one for one in evidence.passages if one.passage_id in sources],
        contamination=[one for one in evidence.contamination if GATED.get(one.source, "conversations") in known],
    )


def _used(chain: Sequence[Manifest]) -> dict[str, str]:
    """The digests of the records that a model and its parents were trained on, by name."""
    trained = [manifest for manifest in chain if manifest.tokens_seen]
    marks = {name: mark for manifest in reversed(trained) for name, mark in manifest.data.items()}
    return {name: marks[name] for name in ("corpus", "conversations") if name in marks}


def data(evidence: Evidence, chain: Sequence[Manifest]) -> list[str]:
    """Returns what a model and its parents were trained on, and what they are examined with.

    Args:
        evidence: what belongs to the model.
        chain: the manifests of the base model, of what was made of it, and at last of the model itself.
    """
    used, books = _used(chain), {one.book for one in evidence.passages}
    parts = [] if used else ["It was trained on no text.", ""]
    if evidence.passages:
        parts += ["### Books and other texts", "", *_books(evidence)]
    for name, mark in used.items():
        if records := getattr(evidence, name):
            parts += [f"### {name.capitalize()}", "", *_by_source(records, books)]
        elif mark != digest([]):
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
        if one.model in models and one.metric == "accuracy"
    ]  # fmt: skip
    if not rows:
        return ["This checkpoint was not scored: `kedro run --pipelines evaluate` does it.", ""]
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
        ratio = with_interval(last.ratio, last.ratio_low, last.ratio_high, significant)
        rows.append([stage, source, str(first.n_texts), *map(_value, (first, last)), ratio])
    if not rows:
        return []
    said = (
        "Perplexity on texts that were held out, with 95 % intervals over the texts. The ratio is after to before,"
        " paired text by text: below 1 the model gained, above 1 it forgot."
    )
    return [said, "", table(["stage", "held-out text", "texts", "before", "after", "ratio"], rows), ""]


def _value(one: Perplexity) -> str:
    return with_interval(one.perplexity, one.ci_low, one.ci_high, "{:,.2f}".format)


def contamination(evidence: Evidence) -> list[str]:
    """Returns what of the exams' questions was kept from the training, and how."""
    if not evidence.contamination:
        return ["No contamination gate has reported on what it was trained on: whether exams leaked is not known.", ""]
    ordered = sorted(evidence.contamination, key=lambda one: (one.benchmark, one.rule))
    rows = []
    for (exam, rule), group in groupby(ordered, lambda one: (one.benchmark, one.rule)):
        met = list(group)
        read, stopped = (sum(getattr(one, name) for one in met) for name in ("n_records", "n_flagged"))
        rows.append([exam, rule, f"{met[0].n_items:,}", f"{read:,}", f"{stopped:,}"])
    return [table(["exam", "rule", "items", "records looked at", "records stopped"], rows), ""]
