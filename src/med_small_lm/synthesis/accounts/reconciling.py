"""Whether the coverage ledger reconciles with what the teacher was asked, and whether a book has come to too little."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil, floor

from med_small_lm.params.synthesize_cot import CoverageLimits
from med_small_lm.schemas.rows import Coverage, TeacherUse
from med_small_lm.synthesis.accounts.coverage import (
    EXERCISES,
    FAILED,
    JUDGES,
    KEPT,
    MISSING,
    READING,
    SKIPPED,
    SOURCE,
    WHOLE,
    step_of,
)


def unreconciled(lines: Sequence[Coverage], use: Sequence[TeacherUse]) -> list[str]:
    """Return what does not agree, a line each; nothing where every count does.

    In each line, what was made was kept, failed or stopped. In each step, the calls and those that failed are as many
    as the client counted. Nothing is missing.
    """
    faults = [
        f"{line.step}, {line.book or 'no book'} {line.unit} {line.name}: {line.reason}"
        for line in lines
        if line.state == MISSING
    ]
    for line in lines:
        parts = line.kept + line.failed + sum(one.count for one in line.stopped)
        if line.made != parts:
            faults.append(f"{line.step}, {line.unit} {line.name}: {line.made:,} records, {parts:,} accounted for")
    told = by_step(lines)
    for step in dict.fromkeys([*told, *(step_of(entry.method) for entry in use)]):
        if step in JUDGES:
            continue
        own, asked = told.get(step, []), [entry for entry in use if step_of(entry.method) == step]
        for name, counted, ours in (
            ("calls", sum(entry.calls for entry in asked), sum(line.asked for line in own)),
            ("failed calls", sum(entry.failed for entry in asked), sum(line.failed for line in own)),
        ):
            if counted != ours:
                faults.append(f"{step}: {counted:,} {name} by the teacher's report, {ours:,} by the records")
    return faults


def shortages(lines: Sequence[Coverage], limits: CoverageLimits) -> list[str]:
    """Return the steps of which too many calls failed or too little was kept, each with its most frequent reason.

    A step that asks about everything is judged book by book, unless it kept nothing at all. One that asks about a share
    is judged by all that was drawn, and rounded in its favour: one passage of one book tells nothing. An exam or a set
    is short if nothing at all was kept of so many requests that something should have been.
    """
    short: list[str] = []
    for step, own in by_step(lines).items():
        is_whole = step in WHOLE
        asked, failed = sum(line.asked for line in own), sum(line.failed for line in own)
        most = limits.failed_max * asked
        if failed > (most if is_whole else ceil(most)):
            short.append(f"{step}: {failed:,} of {asked:,} calls failed{_most_often(own, FAILED)}")
        for line in own:
            if line.unit == SOURCE and not line.kept and limits.kept_min * line.asked >= 1:
                what = f"0 of {line.asked:,} requests about {line.name} have a kept record"
                short.append(f"{step}: {what}{_most_often([line])}")
        tried = [line for line in own if line.state != SKIPPED and line.unit != SOURCE]
        by_book = is_whole and any(line.state == KEPT for line in tried)
        books: dict[str, list[Coverage]] = defaultdict(list)
        for line in tried:
            books[line.book if by_book else ""].append(line)
        for book, told in books.items():
            kept, least = sum(line.state == KEPT for line in told), limits.kept_min * len(told)
            if kept < (least if is_whole else floor(least)):
                where = f"{step}, {book}" if book else step
                what = f"{kept:,} of {len(told):,} {told[0].unit}s have a kept record"
                short.append(f"{where}: {what}{_most_often(told)}")
    return short


def _most_often(lines: Sequence[Coverage], state: str = "") -> str:
    """Return the reason that most lines (of a state) give for which nothing was kept, in brackets."""
    reasons = Counter(line.reason for line in lines if line.reason and state in ("", line.state)).most_common(1)
    return f" ({reasons[0][0]})" if reasons else ""


def by_step(lines: Sequence[Coverage]) -> dict[str, list[Coverage]]:
    """Return the lines of the teacher's steps, by step."""
    found: dict[str, list[Coverage]] = defaultdict(list)
    for line in lines:
        if line.step not in (READING, EXERCISES):
            found[line.step].append(line)
    return found
