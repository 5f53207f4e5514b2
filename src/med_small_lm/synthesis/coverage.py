"""The coverage ledger: what each step made of every page, passage and exercise of the books, and why of some nothing.

Every passage has one line a step. What was made of it is kept, failed or stopped at a gate, and a passage about which
nothing was asked says why, so that no gap is silent. ``reconciling`` proves the sums.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from med_small_lm.schemas.rows import (
    Coverage,
    GateCount,
    Instruction,
    Passage,
    Question,
    Rationale,
    Record,
    Rephrasing,
    SourceReport,
    TeacherUse,
)
from med_small_lm.synthesis import questions, rationales, rephrasings
from med_small_lm.synthesis.asked import is_failed_call
from med_small_lm.synthesis.gates import passed
from med_small_lm.synthesis.questions import REPLY

READING, EXERCISES = "reading", "exercises"
KEPT, STOPPED, EMPTY, FAILED, SKIPPED, MISSING = "kept", "stopped", "empty", "failed", "skipped", "missing"
ALL_PASSAGES = (questions.METHOD, rephrasings.METHOD)
"""The steps that ask about every passage of a book."""


@dataclass(frozen=True)
class Made:
    """All records that the teacher wrote in a run: of each kind those kept and those not kept together."""

    questions: Sequence[Question] = ()
    rationales: Sequence[Rationale] = ()
    rephrasings: Sequence[Rephrasing] = ()
    chats: Sequence[Instruction] = ()

    def all(self) -> Iterator[Record]:
        """Yield every record."""
        yield from self.questions
        yield from self.rephrasings
        yield from self.rationales
        yield from self.chats


def step_of(method: str) -> str:
    """Return the step of a record's method: what stands before the style."""
    return method.partition(":")[0]


def coverage_of(
    passages: Sequence[Passage],
    reports: Sequence[SourceReport],
    exercises: Sequence[Question],
    made: Made,
    use: Sequence[TeacherUse],
    *,
    is_preview: bool = False,
) -> list[Coverage]:
    """Return the ledger's lines: files and pages, exercises, then every passage for every step.

    Args:
        passages: all of the catalog's, whatever their source.
        reports: what became of each file.
        exercises: the questions that the books print.
        made: the records of all steps.
        use: what was asked of the teacher; a step that it names is watched even if no record came of it.
        is_preview: whether only some passages were asked about.
    """
    places = _places(passages)
    lines = [line for report in reports for line in _pages(report, places.get(report.book, ()))]
    lines += map(_exercise, exercises)
    known = {step_of(entry.method) for entry in use}
    own = {step_of(record.method) for record in made.all()}
    watched = [step for step in (*ALL_PASSAGES, rationales.METHOD) if step in known]
    for step in dict.fromkeys([*watched, *sorted(own)]):
        lines += _passages(step, passages, made, is_preview=is_preview)
    return lines


def _places(passages: Iterable[Passage]) -> dict[str, list[tuple[str, int, int]]]:
    """Return for each book the pages of its passages; one that another book's stands for goes with that one's id."""
    found: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for passage in passages:
        found[passage.book].append(("", passage.page_first, passage.page_last))
        for place in passage.also_in:
            found[place.book].append((passage.passage_id, place.page_first, place.page_last))
    return found


def _pages(report: SourceReport, own: Sequence[tuple[str, int, int]]) -> Iterator[Coverage]:
    """Yield a line for each page of a file and for each passage that repeats another book's.

    Passages are counted at the page on which they begin.
    """
    begin = Counter(first for other, first, _ in own if not other)
    held = {page for _, first, last in own for page in range(first, last + 1)}
    gone = {entry.reason: entry.pages for entry in report.dropped if entry.pages}
    why = " or ".join(gone) or f"{report.status}: {report.reason}"
    for page in range(1, report.pages + 1):
        state, reason = (KEPT, "") if page in held else (SKIPPED, why)
        n = begin[page]
        yield Coverage(READING, "page", str(page), report.book, "", page, page, state, reason, 0, n, n)
    for other, first, last in own:
        if other:
            yield Coverage(READING, "passage", "", report.book, "", first, last, SKIPPED, f"repeats {other}")
    if not report.pages:
        yield Coverage(
            READING, "file", report.file, report.book, "", 0, 0, SKIPPED, f"{report.status}: {report.reason}"
        )
    counts = (len(held), sum(gone.values()))
    if own and counts != (report.pages_kept, report.pages - report.pages_kept):
        fault = (
            f"{counts[0]:,} pages have passages and {counts[1]:,} are dropped, its report keeps {report.pages_kept:,}"
        )
        yield Coverage(READING, "file", report.file, report.book, "", 0, 0, MISSING, fault)


def _exercise(question: Question) -> Coverage:
    """Return the line of a question that a book prints: it is asked of the models, and guards the training records."""
    pages = [page for place in question.places for page in (place.page_first, place.page_last)] or [0]
    return Coverage(
        EXERCISES, "exercise", question.question_id, question.source, "", min(pages), max(pages), KEPT, "", 0, 1, 1
    )


@dataclass
class _Tally:
    """What came of one passage in one step."""

    calls: set[tuple[str, str]] = field(default_factory=set)
    made: int = 0
    kept: int = 0
    failed: int = 0
    stopped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count a record; two rationales of one question under one call are one request's."""
        about = record.question_id if isinstance(record, Rationale) else ""
        self.calls.add((about, record.call_id))
        self.made += 1
        if passed(record):
            self.kept += 1
            return
        gate, reason = stop_of(record)
        self.reasons[reason if gate == REPLY else f"stopped at {gate}"] += 1
        if gate == REPLY and is_failed_call(reason):
            self.failed += 1
        else:
            self.stopped[gate] += 1

    @property
    def state(self) -> tuple[str, str]:
        """Return what became of the passage, and why nothing was kept of it."""
        if self.kept:
            return KEPT, ""
        why = self.reasons.most_common(1)[0][0]
        if self.failed:
            return FAILED, why
        return (EMPTY if set(self.stopped) == {REPLY} else STOPPED), why


def stop_of(record: Record) -> tuple[str, str]:
    """Return the gate that stopped a record and its reason; empty if none did."""
    return next(((said.gate, said.reason) for said in record.gates if said.verdict == "fail"), ("", ""))


def _passages(step: str, passages: Sequence[Passage], made: Made, *, is_preview: bool) -> Iterator[Coverage]:
    """Yield a line for every passage, and one for what records name and is no passage."""
    told: dict[str, _Tally] = defaultdict(_Tally)
    for record in made.all():
        if step_of(record.method) == step:
            told[record.passage_ids[0] if record.passage_ids else ""].add(record)
    of_questions = step == rationales.METHOD or any(step_of(one.method) == step for one in made.rationales)
    waiting = _unanswered(made) if of_questions else None
    for passage in passages:
        tally = told.pop(passage.passage_id, None)
        lost = waiting[passage.passage_id]["train"] if waiting and passage.passage_id in waiting else 0
        if lost:
            state, reason = MISSING, f"{lost} of its questions have no record"
        elif tally is None:
            state, reason = _unasked(step, passage, waiting, is_preview=is_preview)
        else:
            state, reason = tally.state
        yield _line(step, passage, state, reason, tally or _Tally())
    for name, tally in told.items():
        nowhere = Passage(name, "", 0, "", 0, 0, "", 0, "", "")
        state, reason = (MISSING, f"no passage {name} is there") if name else tally.state
        yield replace(_line(step, nowhere, state, reason, tally), unit="passage" if name else "source")


def _unanswered(made: Made) -> dict[str, Counter[str]]:
    """Return for each passage how many of its kept questions have no rationale, by the questions' split."""
    answered = {rationale.question_id for rationale in made.rationales}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for question in made.questions:
        if passed(question) and question.passage_ids and question.question_id not in answered:
            found[question.passage_ids[0]][question.split] += 1
    return found


def _unasked(
    step: str, passage: Passage, waiting: Mapping[str, Counter[str]] | None, *, is_preview: bool
) -> tuple[str, str]:
    """Return what became of a passage without a record, and why; ``waiting`` are the questions of a step on them."""
    if passage.source != "book":
        return SKIPPED, f"{passage.source}: the model reads it, nothing is asked about it"
    if step in ALL_PASSAGES:
        return (SKIPPED, "not in the preview") if is_preview else (MISSING, "no record of it")
    if waiting is None:
        return SKIPPED, "not asked about"
    held_out = passage.passage_id in waiting
    return SKIPPED, "held out: its questions make the book exam" if held_out else "no question of it was kept"


def _line(step: str, passage: Passage, state: str, reason: str, tally: _Tally) -> Coverage:
    return Coverage(
        step=step,
        unit="passage",
        name=passage.passage_id,
        book=passage.book,
        section=passage.section,
        page_first=passage.page_first,
        page_last=passage.page_last,
        state=state,
        reason=reason,
        asked=len(tally.calls),
        made=tally.made,
        kept=tally.kept,
        failed=tally.failed,
        stopped=[GateCount(gate, count) for gate, count in sorted(tally.stopped.items())],
    )
