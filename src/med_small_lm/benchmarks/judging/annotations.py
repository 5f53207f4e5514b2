"""Physicians' labels of statements about answers, and a judge asked the same: K-QA's ``NLI_medical_annotator.csv``."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from med_small_lm.benchmarks.judging.agreement import Agreement, agreement, fleiss
from med_small_lm.benchmarks.judging.asking import CONTRADICTS, ENTAILS, Ask
from med_small_lm.benchmarks.judging.reading import verdict_of
from med_small_lm.errors import UserError
from med_small_lm.teacher.prompts import Prompt

LABELS = ("Entailment", "Neutral", "Contradiction")
_FIELDS = ("Question", "answer", "claim")


@dataclass(frozen=True, slots=True)
class Annotated:
    """A statement about an answer, and the label that each physician gave it."""

    question: str
    answer: str
    statement: str
    labels: tuple[str, ...]

    @property
    def majority(self) -> str:
        """The label of more than half of the physicians; empty where there is none."""
        label, count = Counter(self.labels).most_common(1)[0]
        return label if 2 * count > len(self.labels) else ""


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """How a judge agrees with the physicians, and they with each other.

    ``with_majority`` is the judge against their majority, ``entailment`` and ``contradiction`` the same for each of
    its two questions alone (yes or no), ``with_each`` against one physician after the other, ``among`` Fleiss' kappa of
    the physicians. ``n_unread`` statements got no label, because a verdict was not read, and ``n_both`` because the
    judge said that an answer entails and contradicts them; ``n_split`` have no majority. None of them is compared.
    """

    with_majority: Agreement
    entailment: Agreement
    contradiction: Agreement
    with_each: list[Agreement]
    among: Agreement
    n_unread: int
    n_both: int
    n_split: int


def read_annotations(path: Path) -> tuple[list[Annotated], list[str]]:
    """Returns the annotated statements of a file, and of each row that is none its line and why.

    Raises:
        UserError: The file is not there, is no CSV in UTF-8, or has no columns of this kind.
    """
    if not path.is_file():
        raise UserError(f"no file {path}: give the path of K-QA's NLI_medical_annotator.csv")
    raw = path.read_bytes()
    try:
        rows = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
        return _annotated(rows, path)
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise UserError(f"{path}, line {line}: no UTF-8; save the file as that") from problem
    except csv.Error as problem:
        raise UserError(f"{path}, line {rows.line_num + 1}: no row of a CSV: {problem}") from problem


def _annotated(rows: csv.DictReader[str], path: Path) -> tuple[list[Annotated], list[str]]:
    """The annotated statements of the rows, and the problems of the others."""
    columns = [name for name in rows.fieldnames or () if name.startswith("label_")]
    missing = [name for name in _FIELDS if name not in (rows.fieldnames or ())]
    if missing or len(columns) < 2:
        raise UserError(f"{path} lacks the columns {', '.join(missing or ['label_0, label_1 … of two physicians'])}")
    found, problems = list[Annotated](), list[str]()
    for row in rows:
        labels = tuple((row[name] or "").strip().capitalize() for name in columns)
        wrong = [label for label in labels if label not in LABELS]
        texts = [(row[name] or "").strip() for name in _FIELDS]
        if wrong or not all(texts):
            why = f"the label {wrong[0]!r}" if wrong else "an empty field"
            problems.append(f"line {rows.line_num}: {why}")
        else:
            found.append(Annotated(texts[0], texts[1], texts[2], labels))
    return found, problems


def judge_labels(
    annotated: Sequence[Annotated],
    prompts: Mapping[str, Prompt],
    ask: Ask,
    sampling: Mapping[str, Any] | None = None,
) -> list[str]:
    """Returns the judge's label of each statement from its two verdicts; "unread" where one is none, "both" for both.

    Args:
        annotated: the statements.
        prompts: by what is asked, those of ``asking.judge``.
        ask: answers the requests.
        sampling: the judge's parameters.
    """
    requests = [
        prompts[what].request(
            {"question": one.question, "answer": one.answer, "statement": one.statement}, sampling or {}
        )
        for one in annotated
        for what in (ENTAILS, CONTRADICTS)
    ]
    said = [verdict_of(reply, ("true", "false"))[0] for reply in ask(requests)]
    return [_label(*pair) for pair in zip(said[::2], said[1::2], strict=True)]


def _label(entails: str, contradicts: str) -> str:
    if not entails or not contradicts:
        return "unread"
    told = {("true", "false"): LABELS[0], ("false", "false"): LABELS[1], ("false", "true"): LABELS[2]}
    return told.get((entails, contradicts), "both")


def judge_report(
    annotated: Sequence[Annotated], labels: Sequence[str], *, samples: int = 2_000, seed: int = 0
) -> JudgeReport:
    """Returns how a judge's labels agree with the physicians'; intervals are of resamples of whole questions.

    Args:
        annotated: the statements.
        labels: the judge's, one each, see ``judge_labels``.
        samples: resamples behind an interval.
        seed: of the resamples.

    Raises:
        ValueError: No statement has both a majority and a label.
    """
    pairs = [(one, label) for one, label in zip(annotated, labels, strict=True) if one.majority and label in LABELS]
    if not pairs:
        raise ValueError("no statement has a majority of the physicians and a label of the judge")
    own, majority = [label for _, label in pairs], [one.majority for one, _ in pairs]
    groups = [one.question for one, _ in pairs]

    def with_labels(theirs: Sequence[str]) -> Agreement:
        return agreement(own, theirs, LABELS, groups, samples=samples, seed=seed)

    def alone(label: str) -> Agreement:
        first, second = ([str(told == label) for told in side] for side in (own, majority))
        return agreement(first, second, ("True", "False"), groups, samples=samples, seed=seed)

    physicians = range(len(pairs[0][0].labels))
    return JudgeReport(
        with_labels(majority),
        alone(LABELS[0]),
        alone(LABELS[2]),
        [with_labels([one.labels[n] for one, _ in pairs]) for n in physicians],
        fleiss(
            [one.labels for one in annotated],
            LABELS,
            [one.question for one in annotated],
            samples=samples,
            seed=seed,
        ),
        sum(label == "unread" for label in labels),
        sum(label == "both" for label in labels),
        sum(not one.majority for one in annotated),
    )
