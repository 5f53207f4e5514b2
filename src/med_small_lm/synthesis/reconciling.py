"""Whether the coverage ledger reconciles with what the teacher was asked, and whether a book has come to too little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from med_small_lm.params.synthesize_cot import CoverageLimits
from med_small_lm.schemas.rows import Coverage, TeacherUse
from med_small_lm.synthesis.coverage import EXERCISES, KEPT, MISSING, READING, SKIPPED, step_of


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
    for step, own in by_step(lines).items():
        asked = [entry for entry in use if step_of(entry.method) == step]
        for name, counted, ours in (
            ("calls", sum(entry.calls for entry in asked), sum(line.asked for line in own)),
            ("failed calls", sum(entry.failed for entry in asked), sum(line.failed for line in own)),
        ):
            if counted != ours:
                faults.append(f"{step}: {counted:,} {name} by the teacher's report, {ours:,} by the records")
    return faults


def shortages(lines: Sequence[Coverage], limits: CoverageLimits) -> list[str]:
    """Return the books of which a step kept too little and the steps of which too many calls failed, a line each."""
    short: list[str] = []
    for step, own in by_step(lines).items():
        asked, failed = sum(line.asked for line in own), sum(line.failed for line in own)
        if failed > limits.failed_max * asked:
            short.append(f"{step}: {failed:,} of {asked:,} calls failed")
        books: dict[str, list[Coverage]] = defaultdict(list)
        for line in own:
            if line.state != SKIPPED:
                books[line.book].append(line)
        for book, told in books.items():
            kept = sum(line.state == KEPT for line in told)
            if kept < limits.kept_min * len(told):
                why = next(line.reason for line in told if line.state != KEPT)
                short.append(f"{step}, {book}: {kept:,} of {len(told):,} passages have a kept record ({why})")
    return short


def by_step(lines: Sequence[Coverage]) -> dict[str, list[Coverage]]:
    """Return the lines of the teacher's steps, by step."""
    found: dict[str, list[Coverage]] = defaultdict(list)
    for line in lines:
        if line.step not in (READING, EXERCISES):
            found[line.step].append(line)
    return found
