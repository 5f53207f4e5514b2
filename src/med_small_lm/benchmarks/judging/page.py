"""How good a judge is, on one page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from med_small_lm.benchmarks.judging.agreement import Agreement
from med_small_lm.benchmarks.judging.annotations import JudgeReport
from med_small_lm.markdown import table


def calibration_page(report: JudgeReport, n: int, judge: str, problems: Sequence[str] = ()) -> str:
    """Returns what a judge's report says.

    Args:
        report: see ``annotations.judge_report``.
        n: statements that the judge was asked about.
        judge: its model.
        problems: rows of the file that are no statement.
    """
    compared = report.with_majority
    left = {"without a verdict": report.n_unread, "entailed and contradicted": report.n_both,
            "without a majority of the physicians": report.n_split}  # fmt: skip
    counts = "; ".join(f"{count:,} {why}" for why, count in left.items())
    head = ["compared", "n", "agreement", "95 % interval", "kappa", "95 % interval"]
    parts = [
        f"# The judge {judge} beside the physicians",
        f"{n:,} statements, of which {compared.n:,} are compared; not compared are: {counts}. A statement may be "
        "among several of these.",
        table(head, [[name, *_row(one)] for name, one in _compared(report)]),
        "Agreement is the share of equal labels; kappa is what of it chance does not give: Cohen's, among the "
        "physicians Fleiss'. Intervals are of resamples of whole questions.",
        "The judge's labels in rows, the physicians' majority in columns:",
        table(["", *compared.labels], _confusion(compared)),
    ]
    if problems:
        parts.append(f"{len(problems):,} rows are no annotated statement and were left out; the first: {problems[0]}.")
    return "\n\n".join(parts) + "\n"


def _compared(report: JudgeReport) -> Iterator[tuple[str, Agreement]]:
    """The comparisons, named."""
    yield "with their majority", report.with_majority
    yield "entailed or not", report.entailment
    yield "contradicted or not", report.contradiction
    yield from ((f"with physician {number}", one) for number, one in enumerate(report.with_each, start=1))
    yield "the physicians among themselves", report.among


def _row(one: Agreement) -> list[str]:
    return [
        f"{one.n:,}",
        f"{one.agreement:.3f}",
        f"{one.agreement_low:.3f} to {one.agreement_high:.3f}",
        f"{one.kappa:.3f}",
        f"{one.kappa_low:.3f} to {one.kappa_high:.3f}",
    ]


def _confusion(one: Agreement) -> list[list[str]]:
    return [[label, *map(str, counts)] for label, counts in zip(one.labels, one.table, strict=True)]
