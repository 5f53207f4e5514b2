"""The page that states the scores, how sure they are, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from med_small_lm.benchmarks.held_out import held_out_section
from med_small_lm.benchmarks.parts import CONTROL, RunKey
from med_small_lm.benchmarks.unscored import Asked
from med_small_lm.markdown import table
from med_small_lm.schemas.rows import Comparison, Contamination, Perplexity, Score


def report(
    scores: Sequence[Score],
    comparisons: Sequence[Comparison],
    contamination: Sequence[Contamination],
    origins: Mapping[str, str],
    *,
    chance: Mapping[str, float] | None = None,
    perplexities: Sequence[Perplexity] = (),
    leading: Mapping[str, str] | None = None,
    asked: Mapping[RunKey, Asked] | None = None,
) -> str:
    """Returns a page of Markdown: scores, comparisons, held-out text, contamination, and where each number comes from.

    Args:
        scores: all that were made.
        comparisons: see ``scoring.compare``.
        contamination: what the gate stopped.
        origins: what stands behind the numbers, in words by name: {"pocket_exam": "440 questions, sha256 12ab…"}.
        chance: the accuracy of guessing by benchmark.
        perplexities: on held-out text, of all trainings.
        leading: the metric that stands for a benchmark, by its name; accuracy unless it is told.
        asked: how many questions each run was put, and how many could not be asked (``unscored.asked_of``).
    """
    parts = [
        "# Evaluation",
        "Accuracy is the share of all questions; one whose answer could not be read counts as wrong and is counted "
        "under *unparsed*. Intervals are 95 %: bootstrap over the questions, or over whole cases, Wilson's where there "
        "are few (docs/statistics.md).",
        *_failed(asked or {}),
        *_scores(scores, chance or {}, leading or {}),
        *_comparisons(comparisons),
        *held_out_section(perplexities),
        *_contamination(contamination),
        *_origins(origins),
    ]
    return "\n\n".join(parts) + "\n"


def _failed(asked: Mapping[RunKey, Asked]) -> list[str]:
    """What could not be asked, run by run."""
    rows = [f"- {run[0]} on {run[1]} ({run[2]} {run[3]}): {one.n_failed} of {one.n}"
            for run, one in asked.items() if one.n_failed]  # fmt: skip
    said = "**Incomplete.** Questions that could not be asked count neither way; where none could, there is no score:"
    return [said, "\n".join(rows)] if rows else []


def _scores(scores: Sequence[Score], chance: Mapping[str, float], leading: Mapping[str, str]) -> list[str]:
    """One table a benchmark: its accuracies and what else stands for it, or all that a judge says where it has none."""
    parts = []
    for name in dict.fromkeys(score.benchmark for score in scores):
        own = [score for score in scores if score.benchmark == name]
        first = leading.get(name, "accuracy")
        shown = [one for one in own if one.metric in ("accuracy", first)] if _has_accuracy(own) else own
        rows = [_row(one) for one in shown]
        parts += [f"## {name}", *_notes(shown, chance.get(name, 0.0)), table(_head(shown), rows)]
    return parts or ["No scores."]


def _has_accuracy(scores: Sequence[Score]) -> bool:
    return any(score.metric == "accuracy" for score in scores)


def _notes(scores: Sequence[Score], guess: float) -> list[str]:
    """What to know of a table: which of its runs are controls, and what guessing gives."""
    said = []
    if any(score.variant.startswith(CONTROL) for score in scores):
        said.append(f"Variant `{CONTROL}` is a control: the stem is taken away.")
    if guess:
        said.append(f"Guessing gives {guess:.3f}.")
    return [" ".join(said)] if said else []


def _head(scores: Sequence[Score]) -> list[str]:
    is_accuracy = all(score.metric == "accuracy" for score in scores)
    value = "accuracy" if is_accuracy else "value"
    return ["model", "mode", "variant", "subset", value, "95 % interval", "right", "unparsed"]


def _row(score: Score) -> list[str]:
    """A score with its counts; questions that could not be asked stand beside the unparsed ones."""
    is_accuracy = score.metric == "accuracy"
    return [
        score.model,
        score.mode,
        score.variant,
        score.subset if is_accuracy else f"{score.subset}: {score.metric}",
        f"{score.value:.3f}",
        _interval(score.ci_low, score.ci_high),
        f"{round(score.value * score.n)} of {score.n}" if is_accuracy else f"of {score.n}",
        str(score.n_unparsed) + (f", {score.n_failed} not asked" if score.n_failed else ""),
    ]


def _interval(low: float, high: float, form: str = ".3f") -> str:
    """An interval; nothing where there is none."""
    return f"{low:{form}} to {high:{form}}" if low == low else ""


def _comparisons(comparisons: Sequence[Comparison]) -> list[str]:
    if not comparisons:
        return []
    head = ["first", "second", "benchmark", "mode", "difference", "95 % interval"]
    head += ["only first", "only second", "n", "p", "p (Holm)"]
    rows = [
        [
            entry.model_a,
            entry.model_b,
            entry.benchmark,
            f"{entry.mode} {entry.variant}",
            f"{entry.difference:+.3f}",
            _interval(entry.ci_low, entry.ci_high, "+.3f"),
            str(entry.only_a),
            str(entry.only_b),
            str(entry.n),
            p_text(entry.p),
            p_text(entry.p_holm),
        ]
        for entry in comparisons
    ]
    said = (
        "Paired over the same questions: McNemar's exact test, two-sided, corrected by Holm over this table; where "
        "questions come in cases, whole cases are flipped."
    )
    return ["## Comparisons", said, table(head, rows)]


def _contamination(entries: Sequence[Contamination]) -> list[str]:
    if not entries:
        return ["## Contamination", "Not measured in this run."]
    head = ["benchmark", "source", "rule", "items", "items hit", "records", "records stopped"]
    rows = [
        [
            entry.benchmark,
            entry.source,
            entry.rule,
            str(entry.n_items),
            str(entry.n_items_hit),
            str(entry.n_records),
            str(entry.n_flagged),
        ]
        for entry in entries
    ]
    said = "Training records that held an exam item, and were stopped before training, by source and rule."
    return ["## Contamination", said, table(head, rows)]


def _origins(origins: Mapping[str, str]) -> list[str]:
    said = (
        "Scores are counted from the catalog's `predictions` (one record for each model, question, mode and variant) "
        "against the benchmark's `answer_keys`; `lineage` links each question to training records and pages."
    )
    rows = [[name, text] for name, text in origins.items()]
    return ["## Where the numbers come from", said, *([table(["what", "from"], rows)] if rows else [])]


def p_text(p: float) -> str:
    """Returns a p-value as text: three digits, "< 0.001" below them."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
