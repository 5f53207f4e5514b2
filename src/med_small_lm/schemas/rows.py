"""The records of the project as rows: what one passage, question or score is.

Each class is one record of one Parquet file. Nested records are Arrow structs and lists there. The frames that
hold many of them, with their checks, are in ``med_small_lm.schemas.frames``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SCHEMA_VERSION = "3"
"""Raised whenever a record gains, loses or renames a field; every file carries it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: a book and its PDF pages, counted from 1."""

    book: str
    page_first: int
    page_last: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a book that is read, asked about and cited as one.

    ``passage_id`` is the book's name and a hash of section and text, so the same book gives the same ids again.
    ``source`` is one of book, paper, general. ``also_in`` are the places of near-duplicates that this one stands for.
    """

    passage_id: str
    book: str
    ordinal: int
    section: str
    page_first: int
    page_last: int
    text: str
    n_words: int
    sha256: str
    licence: str
    source: str = "book"
    also_in: list[Place] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dropped:
    """How much of a source was left out, and why.

    ``count`` is in words. ``pages`` counts the pages of which nothing was kept, each under the reason that took most
    of it, so that these pages and the kept ones add up to all.
    """

    reason: str
    count: int
    pages: int = 0


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one file of the shelf: ``status`` is one of ok, ocr, needs_ocr, needs_password, quarantined."""

    book: str
    file: str
    status: str
    reason: str
    pages: int
    pages_kept: int
    words: int
    dropped: list[Dropped] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a question."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation: ``role`` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """What an open answer is judged by: ``points`` are given where the text holds of it; negative ones are taken."""

    text: str
    points: float
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence that supports (or refutes) an option, and the passage that it stands in.

    Where an exam explains its answer in words of its own, these are ``why``, and ``text`` is empty.
    """

    option: str
    text: str
    why: str = ""
    passage_id: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate said of a record: ``verdict`` is pass, fail or skip."""

    gate: str
    verdict: str
    value: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a benchmark, of a book's own exercises, or written by the teacher.

    ``kind`` is one of single, multi, yes_no, open, progressive. ``answer_keys`` are keys of ``options``. ``places``
    say where in a book the question itself stands, if it comes from one. ``turns`` are what was said before the stem,
    which is then a conversation's last turn. An answer to an open one is judged by ``must_have`` and ``nice_to_have``,
    or by ``rubric``. ``method`` of a benchmark's question is the task that read it, empty for the plain form.
    """

    question_id: str
    source: str
    split: str
    kind: str
    stem: str
    options: list[Option]
    answer_keys: list[str]
    answer_text: str
    case_id: str = ""
    rank: int = 0
    language: str = "en"
    context: str = ""
    quotes: list[Quote] = field(default_factory=list)
    must_have: list[str] = field(default_factory=list)
    nice_to_have: list[str] = field(default_factory=list)
    rubric: list[Criterion] = field(default_factory=list)
    method: str = ""
    call_id: str = ""
    passage_ids: list[str] = field(default_factory=list)
    licence: str = ""
    gates: list[Verdict] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    subject: str = ""
    turns: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rationale:
    """The reasoning that leads from a question to its answer."""

    rationale_id: str
    question_id: str
    method: str
    text: str
    answer_keys: list[str]
    quotes: list[Quote]
    call_id: str
    passage_ids: list[str]
    licence: str
    gates: list[Verdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rephrasing:
    """A passage's facts in other words, in short, one alone, or beside another passage's: for the injection corpus."""

    rephrasing_id: str
    method: str
    text: str
    call_id: str
    passage_ids: list[str]
    licence: str
    gates: list[Verdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CorpusText:
    """A text of the injection corpus: ``source`` is book, paper, general or rephrasing; ``split`` train or held_out."""

    text_id: str
    source: str
    split: str
    text: str
    passage_ids: list[str]
    licence: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A training example of instruction tuning, with the records that it was made from."""

    example_id: str
    source: str
    method: str
    messages: list[Message]
    parent_ids: list[str]
    question_id: str
    passage_ids: list[str]
    licence: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """A conversation that is no exam question: of an instruction set from outside, or written by the teacher.

    ``parent_ids`` are what it was made from: the file and line of a set's record, or records of this project. One from
    outside has no ``call_id`` unless the teacher rewrote it. A record that could not be read has no messages, and its
    only gate says why.
    """

    example_id: str
    source: str
    method: str
    messages: list[Message]
    parent_ids: list[str]
    licence: str
    gates: list[Verdict] = field(default_factory=list)
    question_id: str = ""
    passage_ids: list[str] = field(default_factory=list)
    call_id: str = ""


Record = Question | Rationale | Rephrasing | Instruction
"""What the teacher writes and the gates judge."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """How many records of a set one gate stopped for one reason, and where the first of them stands."""

    gate: str
    reason: str
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class InstructionReport:
    """What became of one instruction set: ``read`` is ``kept``, ``not_drawn`` (the cap) and all that was stopped.

    ``published`` is the count that ``published_by`` tells, 0 where none is told; ``manifest`` is the version of the
    table of known sets. ``looked_for`` says of a set of chats what was looked for that may identify people.
    """

    source: str
    file: str
    reader: str
    licence: str
    manifest: int
    cap: int
    published: int
    published_by: str
    read: int
    kept: int
    not_drawn: int
    stopped: list[Stopped] = field(default_factory=list)
    looked_for: str = ""


@dataclass(frozen=True, slots=True)
class LicenceUse:
    """How many records of one source stand under one licence in what a model is trained on, and the licence's terms.

    ``stage`` is corpus or conversations. ``known`` is false where the licence's text tells no terms.
    """

    stage: str
    source: str
    licence: str
    records: int
    known: bool
    attribution: bool
    non_commercial: bool
    share_alike: bool
    no_derivatives: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many rows of a file were not wanted, and why."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class RowFault:
    """A malformed row: its line, what is wrong with it, and how it begins."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class GraphFile:
    """What became of one file of a knowledge graph: ``rows`` is ``used``, ``malformed`` and all that was left out.

    ``status`` is one of ok, missing, quarantined. ``faults`` are the first malformed rows.
    """

    graph: str
    file: str
    status: str
    reason: str
    rows: int
    used: int
    malformed: int
    left_out: list[LeftOut] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExamFault:
    """A line of an exam's file that is no question that can be answered: why, and how it begins."""

    benchmark: str
    line: int
    question_id: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class KeyScore:
    """The log-probability of one option's text, in nats."""

    key: str
    logprob: float
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model said to one question.

    ``state`` is parsed, repaired, ambiguous, refused, truncated or empty; failed where an endpoint did not answer.
    """

    model: str
    question_id: str
    benchmark: str
    mode: str
    variant: str
    sample: int
    text: str
    state: str
    answer_keys: list[str]
    option_logprobs: list[KeyScore]
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of a model's answer to one question, at one point of what it is judged by.

    ``kind`` is must_have or nice_to_have (a statement), criterion, premise (a false one) or pair (another model's
    answer). ``asked`` is entails or contradicts (of a statement), meets, accepts or prefers. ``number`` counts the
    statements or criteria from 0; of a pair it is the order, 0 where the model's own answer stands first, and
    ``statement`` is the other model. ``label`` is true or false, of a pair first, second or tie; it is empty unless the
    ``state`` is read: unclear where the judge said neither, failed where no reply came.
    """

    model: str
    question_id: str
    benchmark: str
    variant: str
    kind: str
    number: int
    asked: str
    statement: str
    judge: str
    label: str
    state: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Score:
    """A metric of one model on one subset of a benchmark, with its 95 % interval.

    ``n`` are the questions that were asked, ``n_unparsed`` of them without a readable answer, so wrong. ``n_failed``
    could not be asked and count in neither: with any of them the score is of an incomplete run.
    """

    model: str
    benchmark: str
    subset: str
    mode: str
    variant: str
    metric: str
    value: float
    n: int
    n_unparsed: int
    ci_low: float
    ci_high: float
    n_failed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same questions: ``only_a`` are right with the first alone.

    ``difference`` is the accuracy of the first less that of the second, with its 95 % interval (paired bootstrap).
    ``p`` is two-sided: McNemar's exact, or, where questions come in cases, of flipping whole cases ("sign_flip");
    ``p_holm`` the same corrected for all comparisons made together. ``detectable`` is the smallest difference that so
    many questions show with 80 % power, NaN for none. Questions that one of the two could not be asked are left out.
    """

    model_a: str
    model_b: str
    benchmark: str
    mode: str
    variant: str
    n: int
    only_a: int
    only_b: int
    difference: float
    p: float
    p_holm: float
    ci_low: float = float("nan")
    ci_high: float = float("nan")
    detectable: float = float("nan")
    test: str = "mcnemar"


@dataclass(frozen=True, slots=True)
class Link:
    """An exam item, a training example near it and a page behind that example. Similarity, not proof of cause."""

    question_id: str
    example_id: str
    passage_id: str
    book: str
    page_first: int
    page_last: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Contamination:
    """How many training records of one source the gate stopped for one benchmark, and by which rule."""

    benchmark: str
    source: str
    rule: str
    n_items: int
    n_records: int
    n_flagged: int
    n_items_hit: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much of an exam item stands word for word in the best single training document of one source.

    ``coverage`` is the share of its word 8-grams (of its whole text where it is shorter); NaN where it says too little
    to be told from what any text on its matter says. ``document_id`` is empty where nothing of it stands anywhere.
    """

    benchmark: str
    question_id: str
    source: str
    coverage: float
    document_id: str


@dataclass(frozen=True, slots=True)
class TeacherUse:
    """What one node asked of the teacher: calls, tokens, cost in the currency of the prices, records kept.

    ``calls`` are requests with all that became of them; ``cost_per_kept`` is NaN where nothing was kept.
    """

    node: str
    method: str
    model: str
    calls: int
    from_ledger: int
    failed: int
    tokens_in: int
    tokens_out: int
    cost: float
    records_kept: int
    cost_per_kept: float = float("nan")


@dataclass(frozen=True, slots=True)
class GateCount:
    """How many records one gate stopped."""

    gate: str
    count: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one step made of one page, passage or exercise of a book, or of a file that was not read.

    ``step`` is reading, exercises or a method of the teacher's. ``asked`` counts requests, the others records:
    ``made`` is the sum of ``kept``, ``failed`` and those that the gates ``stopped``. ``state`` is one of kept, stopped,
    empty, failed, skipped, missing; ``reason`` says why nothing was kept.
    """

    step: str
    unit: str
    name: str
    book: str
    section: str
    page_first: int
    page_last: int
    state: str
    reason: str
    asked: int = 0
    made: int = 0
    kept: int = 0
    failed: int = 0
    stopped: list[GateCount] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One logged step of a training; what was not measured at it is NaN. ``tokens`` are those seen so far."""

    stage: str
    step: int
    tokens: int
    loss: float
    learning_rate: float
    grad_norm: float
    tokens_per_second: float
    perplexity: float


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Perplexity of a model on held-out texts after ``step`` steps of a training, with its 95 % interval over texts.

    ``book`` is empty in the row of a whole source. ``ratio`` is the perplexity as a multiple of that at the stage's
    start, paired text by text: below 1 gain, above it forgetting. An interval over a single text is NaN.
    """

    stage: str
    step: int
    source: str
    book: str
    n_texts: int
    tokens: int
    perplexity: float
    ci_low: float
    ci_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
