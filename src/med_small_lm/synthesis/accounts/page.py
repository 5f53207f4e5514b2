"""The page that tells what became of everything that the teacher was asked."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from med_small_lm.markdown import table
from med_small_lm.schemas.rows import Coverage, Question, Record, TeacherUse
from med_small_lm.synthesis.accounts.coverage import EXERCISES, KEPT, READING, SKIPPED, WHOLE, Made, step_of
from med_small_lm.synthesis.accounts.distributions import (
    answer_places,
    chapter_of,
    five_numbers,
    gates_in_order,
    kept_by_step,
    lengths_of,
    records_by_step,
    text_of,
)
from med_small_lm.synthesis.accounts.outside import NOTHING, Outside
from med_small_lm.synthesis.accounts.reconciling import by_step
from med_small_lm.synthesis.gates.verdicts import passed, stop_of

STATES = ("kept", "stopped", "empty", "failed", "skipped", "missing")
_EXAMPLES = 2  # of a reason
_REASONS = 6  # of a gate
_HOLES = 30  # sections that are named
_PLACES = 200  # books or chapters in a table
_LETTERS = 220  # of a record that is shown
_VARIES = re.compile(r"(?<!\w)\d[\d.,/]*|'[^']*'|\"[^\"]*\"|[\w.]+-[0-9a-f]{12}|(?<=-)\d+")


def page(
    lines: Sequence[Coverage],
    faults: Sequence[str],
    made: Made,
    use: Sequence[TeacherUse],
    outside: Outside = NOTHING,
) -> str:
    """Returns a page of Markdown: coverage, gates with examples of each reason, distributions, costs, what is outside.

    Args:
        lines: the coverage ledger.
        faults: what does not reconcile in it.
        made: all records.
        use: what was asked of the teacher.
        outside: what came of exams, graphs and instruction sets.
    """
    parts = [
        "# Synthesis",
        "What became of everything that was asked of the teacher. The ledger with a line for each page, passage and "
        "exercise is the catalog's `coverage`.",
        *_coverage(lines, faults),
        *_gates(made),
        *_distributions(lines, made),
        *_costs(made, use),
        *outside.sections(),
    ]
    return "\n\n".join(parts) + "\n"


def _coverage(lines: Sequence[Coverage], faults: Sequence[str]) -> list[str]:
    """What the steps made of the passages, and the sections of which nothing was kept."""
    rows = [_step_row(step, own) for step, own in _all_steps(lines).items()]
    agree = "All counts agree, and nothing is missing." if not faults else "**These counts do not agree:**"
    return [
        "## Coverage",
        f"Pages, passages and exercises by what became of them, then the records made of them. {agree}",
        *(["\n".join(f"- {fault}" for fault in faults[:_HOLES])] if faults else []),
        table(["step", "of", *STATES, "calls", "records", "records kept", "stopped", "failed calls"], rows),
        *_reasons(lines),
        *_holes(lines),
    ]


def _all_steps(lines: Sequence[Coverage]) -> dict[str, list[Coverage]]:
    found = {step: [line for line in lines if line.step == step] for step in (READING, EXERCISES)}
    return {step: own for step, own in (found | by_step(lines)).items() if own}


def _step_row(step: str, own: Sequence[Coverage]) -> list[str]:
    states = Counter(line.state for line in own)
    stopped = sum(one.count for line in own for one in line.stopped)
    counts = [sum(getattr(line, name) for line in own) for name in ("asked", "made", "kept")]
    failed = sum(line.failed for line in own)
    numbers = [len(own), *(states[state] for state in STATES), *counts, stopped, failed]
    return [step, *(f"{number:,}" for number in numbers)]


def _reasons(lines: Sequence[Coverage]) -> list[str]:
    """Why of some nothing was kept."""
    why = Counter(
        (line.step, line.unit, line.state, _VARIES.sub("…", line.reason)) for line in lines if line.state != KEPT
    )
    rows = [[step, unit, state, reason, f"{n:,}"] for (step, unit, state, reason), n in why.most_common()]
    return ["Why nothing was kept:", table(["step", "what", "state", "reason", "how many"], rows)] if rows else []


def _holes(lines: Sequence[Coverage]) -> list[str]:
    """The sections of which no step kept anything."""
    kept: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for own in by_step(lines).values():
        for line in own:
            if line.unit == "passage" and line.book:
                kept[line.book, line.section].append(line.state == KEPT)
    empty = [(*place, len(told)) for place, told in kept.items() if not any(told)]
    if not empty:
        return [f"Every one of {len(kept):,} sections has a kept record."]
    rows = [[book, section] for book, section, _ in empty[:_HOLES]]
    more = f" (the first {_HOLES})" if len(empty) > _HOLES else ""
    return [f"{len(empty):,} of {len(kept):,} sections have no kept record{more}:", table(["book", "section"], rows)]


def _gates(made: Made) -> list[str]:
    """How many records came to each gate and how many it stopped, with examples of each reason."""
    parts = ["## Gates"]
    for step, records in records_by_step(made).items():
        rows = [
            [gate, *(f"{n:,}" for n in (said.total(), said["pass"], said["skip"], said["fail"]))]
            + [f"{said['fail'] / said.total():.1%}"]
            for gate, said in gates_in_order(records)
        ]
        kept = sum(passed(record) for record in records)
        parts += [
            f"### {step}",
            f"{len(records):,} records, {kept:,} kept.",
            table(["gate", "reached", "passed", "skipped", "stopped", "share stopped"], rows) if rows else "No gate.",
            *_examples(records),
        ]
    return parts


def _examples(records: Iterable[Record]) -> list[str]:
    """Some of the records that each gate stopped, for each of its reasons, the most frequent first."""
    found: dict[str, dict[str, list[tuple[str, Record]]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        gate, reason = stop_of(record)
        if gate:
            found[gate][_pattern(reason)].append((reason, record))
    rows = []
    for gate, reasons in found.items():
        ordered = sorted(reasons.values(), key=len, reverse=True)
        for own in ordered[:_REASONS]:
            told = [[gate, f"{len(own):,}", reason, _shown(record)] for reason, record in own[:_EXAMPLES]]
            rows += [told[0], *([gate, "", *one[2:]] for one in told[1:])]
        rest = sum(map(len, ordered[_REASONS:]))
        rows += [[gate, f"{rest:,}", f"{len(ordered) - _REASONS} other reasons", ""]] if rest else []
    return [table(["gate", "records", "reason", "record"], rows)] if rows else []


def _pattern(reason: str) -> str:
    """Return a reason without the names, numbers and quotes that tell its records apart."""
    return _VARIES.sub("…", reason.partition(": ")[0])


def _shown(record: Record) -> str:
    """Return a record's text, cut."""
    if isinstance(record, Question):
        right = record.answer_text
        text = f"{record.stem} [{' | '.join(option.text for option in record.options)}] {right}" if record.stem else ""
    else:
        text = text_of(record)
    return f"{text[:_LETTERS]}…" if len(text) > _LETTERS else text or f"(call {record.call_id})"


def _distributions(lines: Sequence[Coverage], made: Made) -> list[str]:
    return ["## Distribution", *_places(lines), *_kinds(made), *_lengths(kept_by_step(made))]


def _places(lines: Sequence[Coverage]) -> list[str]:
    """Kept records by book and by chapter."""
    steps, parts = by_step(lines), []
    for head in (["book"], ["book", "chapter"]):
        kept: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        asked: dict[tuple[str, ...], Counter[tuple[str, bool]]] = defaultdict(Counter)
        for step, own in steps.items():
            for line in own:
                place = (line.book or line.name, chapter_of(line.section))[: len(head)]
                kept[place][step] += line.kept
                asked[place][step, line.state == KEPT] += line.state != SKIPPED
        rows = [
            [*place, *(cell for step in steps for cell in _share(counts[step], asked[place], step))]
            for place, counts in list(kept.items())[:_PLACES]
        ]
        more = f" (the first {_PLACES} of {len(kept):,})" if len(kept) > _PLACES else ""
        names = [name for step in steps for name in ([step, "passages with one"] if step in WHOLE else [step])]
        parts += [f"Kept records by {head[-1]}{more}:", table([*head, *names], rows)]
    return parts


def _share(kept: int, asked: Mapping[tuple[str, bool], int], step: str) -> list[str]:
    """The cells of a step: its kept records, and the passages that have one, where it asks about all of them."""
    own = asked.get((step, True), 0)
    share = [f"{own:,} of {own + asked.get((step, False), 0):,}"] if step in WHOLE else []
    return [f"{kept:,}", *share]


def _kinds(made: Made) -> list[str]:
    """The kept questions by kind and split, and the places of their right answers."""
    kept = [question for question in made.questions if passed(question)]
    kinds = Counter((question.kind, question.split) for question in kept)
    places = answer_places(question for question in kept if question.kind == "single")
    total = max(sum(places.values()), 1)
    return [
        "Kept questions by kind; those of split `test` are the books' own exam:",
        table(["kind", "split", "questions"], [[kind, split, f"{n:,}"] for (kind, split), n in sorted(kinds.items())]),
        "Right answers by place, where one option is right:",
        table(["place", "questions", "share"], [[key, f"{n:,}", f"{n / total:.1%}"] for key, n in places.items()]),
    ]


def _lengths(kept: Mapping[str, Sequence[Record]]) -> list[str]:
    rows = [
        [name, f"{len(values):,}", *(f"{number:g}" for number in five_numbers(values))]
        for name, values in lengths_of(kept).items()
    ]
    head = ["what", "how many", "least", "first quartile", "median", "third quartile", "greatest"]
    return ["Lengths of kept records in words:", table(head, rows)]


def _costs(made: Made, use: Sequence[TeacherUse]) -> list[str]:
    """What was paid, and what a record cost that was kept to the end."""
    rows = [
        [entry.node, entry.method, entry.model, f"{entry.calls:,}", f"{entry.failed:,}", f"{entry.cost:.4g}"]
        for entry in use
    ]
    total = sum(entry.cost for entry in use)
    kept = sum(passed(record) for record in made.all())
    each = f"{total / kept:.4g}" if kept else "no"
    return [
        "## Cost",
        f"All calls cost {total:.4g} in the currency of the prices, {each} for each of {kept:,} kept records: judges, "
        "failed calls and all records that were stopped are in it.",
        table(["node", "method", "model", "calls", "failed", "cost"], rows),
        "A kept record of each node, with all that the node asked:",
        table(["node", "cost", "records kept", "cost of a kept record"], _by_node(made, use)),
    ]


def _by_node(made: Made, use: Sequence[TeacherUse]) -> list[list[str]]:
    """A row for each node: what it cost, and how many of its records passed every gate."""
    of_node = {entry.method: entry.node for entry in use}
    kept = Counter(
        of_node.get(record.method) or of_node.get(step_of(record.method)) for record in made.all() if passed(record)
    )
    rows = []
    for node in dict.fromkeys(entry.node for entry in use):
        cost, n = sum(entry.cost for entry in use if entry.node == node), kept[node]
        rows.append([node, f"{cost:.4g}", f"{n:,}", f"{cost / n:.4g}" if n else "none kept"])
    return rows
