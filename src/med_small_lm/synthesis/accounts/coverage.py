"""The coverage ledger: what each step made of every page, passage and exercise of the books, and why of some nothing.

Every passage has one line a step. What was made of it is kept, failed or stopped at a gate, and a passage about which
nothing was asked says why, so that no gap is silent. A record of several passages is counted at the first of them, one
of no passage at the exam or instruction set that it was made from. ``reconciling`` proves the sums.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from med_small_lm.params.generate_questions import GenerateQuestions
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
from med_small_lm.synthesis.asked import is_drawn, is_failed_call
from med_small_lm.synthesis.gates.judging import judgements
from med_small_lm.synthesis.gates.verdicts import REPLY, passed, stop_of

READING, EXERCISES = "reading", "exercises"
KEPT, STOPPED, EMPTY, FAILED, SKIPPED, MISSING = "kept", "stopped", "empty", "failed", "skipped", "missing"
SOURCE = "source"
"""The unit of a line about an exam or an instruction set."""
ALL_PASSAGES = (questions.METHOD, rephrasings.METHOD)
"""The steps that ask about every passage of a book."""
WHOLE = (*ALL_PASSAGES, rationales.METHOD)
"""These, and the one that asks about every training question; the others ask about a share that is drawn."""
JUDGES = frozenset(judgements(GenerateQuestions()))
"""What is asked of the teacher about records, and makes none."""


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
    exams: Mapping[str, str] | None = None,
    reasoned: float = 1.0,
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
        exams: the exams of their questions' ids, for rationales of questions that no passage is behind.
        reasoned: the share of the training questions of which a rationale is asked, the answer hidden.
        is_preview: whether only some passages were asked about.
    """
    places = _places(passages)
    lines = [line for report in reports for line in _pages(report, places.get(report.book, ()))]
    lines += map(_exercise, exercises)
    known = {step_of(entry.method) for entry in use} - JUDGES
    steps: dict[str, list[Record]] = {step: [] for step in WHOLE if step in known}
    for record in made.all():
        steps.setdefault(step_of(record.method), []).append(record)
    lost = _unanswered(made, reasoned) if rationales.METHOD in steps else {}
    for step in sorted(steps, key=lambda step: (step not in WHOLE, WHOLE.index(step) if step in WHOLE else step)):
        told = _Told.of(steps[step], exams or {})
        if told.by_passage or not told.by_source:
            why = _Why.of(steps[step], made, is_preview=is_preview)
            lines += told.passages(step, passages, why, lost if step == rationales.METHOD else {})
        lines += told.others(step)
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
        """Count a record; two about one question under one call are one request's."""
        about = record.question_id if isinstance(record, Rationale | Instruction) else ""
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


@dataclass(frozen=True)
class _Why:
    """What explains a passage of which a step has no record.

    ``held`` are the passages of the book exam, ``asked`` those with a training question that was kept, ``beside`` those
    that records name behind another, with that one.
    """

    held: Set[str]
    asked: Set[str]
    beside: Mapping[str, str]
    is_of_questions: bool
    is_of_corpus: bool
    is_preview: bool

    @classmethod
    def of(cls, records: Sequence[Record], made: Made, *, is_preview: bool) -> _Why:
        """Return it for the records of one step."""
        told = [question for question in made.questions if question.passage_ids]
        ids = {question.question_id for question in told}
        return cls(
            {question.passage_ids[0] for question in told if question.split == "test"},
            {question.passage_ids[0] for question in told if question.split == "train" and passed(question)},
            {name: record.passage_ids[0] for record in records for name in record.passage_ids[1:]},
            any(isinstance(record, Rationale | Instruction) and record.question_id in ids for record in records),
            any(isinstance(record, Rephrasing) for record in records),
            is_preview,
        )

    def unasked(self, step: str, passage: Passage) -> tuple[str, str]:
        """Return the state of the passage in a step that has no record of it, and why."""
        name = passage.passage_id
        if passage.source != "book":
            return SKIPPED, f"{passage.source}: the model reads it, nothing is asked about it"
        if step in ALL_PASSAGES and not self.is_preview:
            return MISSING, "no record of it"
        if name in self.beside:
            return SKIPPED, f"counted at {self.beside[name]}, with which it was asked about"
        if name in self.held and not self.is_of_corpus:
            return SKIPPED, "held out: its questions make the book exam"
        if name not in self.asked and (self.is_of_questions or step == rationales.METHOD):
            return SKIPPED, "no question of it was kept"
        return SKIPPED, "not in the preview" if self.is_preview else "not drawn"


@dataclass(frozen=True)
class _Told:
    """What came of a step, by the passages and by the exams or sets that its records were made from."""

    by_passage: dict[str, _Tally]
    by_source: dict[str, _Tally]

    @classmethod
    def of(cls, records: Sequence[Record], exams: Mapping[str, str]) -> _Told:
        """Return it for the records of one step."""
        told = cls(defaultdict(_Tally), defaultdict(_Tally))
        for record in records:
            if record.passage_ids:
                told.by_passage[record.passage_ids[0]].add(record)
            else:
                told.by_source[_source(record, exams)].add(record)
        return told

    def passages(
        self, step: str, passages: Sequence[Passage], why: _Why, lost: Mapping[str, int]
    ) -> Iterator[Coverage]:
        """Yield a line for every passage; ``lost`` are questions on it that have no record."""
        for passage in passages:
            tally = self.by_passage.pop(passage.passage_id, None)
            state = tally.state if tally else why.unasked(step, passage)
            if n := lost.get(passage.passage_id):
                state = MISSING, f"{n} of its questions have no record"
            yield _line(step, passage, state, tally or _Tally())

    def others(self, step: str) -> Iterator[Coverage]:
        """Yield a line for what records name and is no passage, and for each exam or set."""
        for name, tally in self.by_passage.items():
            yield _line(step, name, (MISSING, f"no passage {name} is there"), tally)
        for name, tally in self.by_source.items():
            state = tally.state if name else (MISSING, "records that name neither a passage nor a source")
            yield _line(step, name, state, tally, SOURCE)


def _source(record: Record, exams: Mapping[str, str]) -> str:
    """Return the exam or set that a record without a passage was made from."""
    if isinstance(record, Question | Instruction):
        return record.source
    return exams.get(record.question_id, "") if isinstance(record, Rationale) else ""


def _unanswered(made: Made, share: float) -> Counter[str]:
    """Return for each passage how many of its kept training questions have no rationale, of the share that is asked."""
    answered = {record.question_id for record in made.rationales if step_of(record.method) == rationales.METHOD}
    return Counter(
        question.passage_ids[0]
        for question in made.questions
        if question.split == "train" and question.method == questions.METHOD and question.passage_ids
        if passed(question) and is_drawn(question.question_id, share) and question.question_id not in answered
    )


def _line(step: str, about: Passage | str, state: tuple[str, str], tally: _Tally, unit: str = "passage") -> Coverage:
    """Return the line of a passage, or of what has but a name."""
    place = about if isinstance(about, Passage) else Passage(about, "", 0, "", 0, 0, "", 0, "", "")
    where = place.passage_id, place.book, place.section, place.page_first, place.page_last
    stopped = [GateCount(gate, count) for gate, count in sorted(tally.stopped.items())]
    return Coverage(step, unit, *where, *state, len(tally.calls), tally.made, tally.kept, tally.failed, stopped)
