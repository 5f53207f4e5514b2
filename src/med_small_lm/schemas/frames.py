"""What a frame of records must look like: one pandera model each, named in the catalog as its ``validator``."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

KINDS = ("single", "multi", "yes_no", "open", "progressive")
SOURCES = ("book", "paper", "general")
STATUSES = ("ok", "ocr", "needs_ocr", "needs_password", "quarantined")
COVERED = ("kept", "stopped", "empty", "failed", "skipped", "missing")
STATES = ("parsed", "repaired", "ambiguous", "refused", "truncated", "empty", "failed")


class Records(pa.DataFrameModel):
    """A frame that has its record's columns and no others."""

    class Config:
        """Unknown columns are refused; numbers may come as narrower types."""

        strict = True
        coerce = False


def key() -> Any:
    """A column that names its line: not empty, and no two alike."""
    return pa.Field(unique=True, str_length={"min_value": 1})


def some_text() -> Any:
    """A column whose text is never empty."""
    return pa.Field(str_length={"min_value": 1})


class Passages(Records):
    """Passages of the books."""

    passage_id: Series[str] = key()
    book: Series[str] = some_text()
    ordinal: Series[int] = pa.Field(ge=0)
    section: Series[str]
    page_first: Series[int] = pa.Field(ge=1)
    page_last: Series[int] = pa.Field(ge=1)
    text: Series[str] = some_text()
    n_words: Series[int] = pa.Field(ge=1)
    sha256: Series[str] = pa.Field(str_length={"min_value": 64, "max_value": 64})
    licence: Series[str] = some_text()
    source: Series[str] = pa.Field(isin=SOURCES)
    also_in: Series[object]

    @pa.dataframe_check
    @classmethod
    def pages_in_order(cls, frame: pd.DataFrame) -> Any:
        """A passage ends on the page that it begins on, or later."""
        return frame["page_last"] >= frame["page_first"]


class SourceReports(Records):
    """What became of each file."""

    book: Series[str] = some_text()
    file: Series[str] = some_text()
    status: Series[str] = pa.Field(isin=STATUSES)
    reason: Series[str]
    pages: Series[int] = pa.Field(ge=0)
    pages_kept: Series[int] = pa.Field(ge=0)
    words: Series[int] = pa.Field(ge=0)
    dropped: Series[object]
    seconds: Series[float] = pa.Field(ge=0)


class Quarantined(Records):
    """Files that were not read."""

    book: Series[str] = some_text()
    file: Series[str] = some_text()
    status: Series[str] = pa.Field(isin=STATUSES)
    reason: Series[str]


class Questions(Records):
    """Questions of a benchmark, of a book, or of the teacher."""

    question_id: Series[str] = key()
    source: Series[str] = some_text()
    split: Series[str]
    kind: Series[str] = pa.Field(isin=KINDS)
    stem: Series[str] = some_text()
    options: Series[object]
    answer_keys: Series[object]
    answer_text: Series[str]
    case_id: Series[str]
    rank: Series[int] = pa.Field(ge=0)
    language: Series[str]
    context: Series[str]
    quotes: Series[object]
    must_have: Series[object]
    nice_to_have: Series[object]
    rubric: Series[object]
    method: Series[str]
    call_id: Series[str]
    passage_ids: Series[object]
    licence: Series[str]
    gates: Series[object]
    places: Series[object]
    subject: Series[str]
    turns: Series[object]

    @pa.dataframe_check
    @classmethod
    def keys_are_options(cls, frame: pd.DataFrame) -> Any:
        """Every key of the answer is the key of an option."""
        pairs = zip(frame["options"], frame["answer_keys"], strict=True)
        return pd.Series(
            [set(keys) <= {o["key"] for o in options} for options, keys in pairs], index=frame.index, dtype=bool
        )


class RejectedQuestions(Questions):
    """Questions that a gate stopped: they may break the very rules that kept ones keep."""

    question_id: Series[str] = some_text()
    stem: Series[str]

    @pa.dataframe_check
    @classmethod
    def keys_are_options(cls, frame: pd.DataFrame) -> Any:
        """No rule: a wrong key may be the reason why the question is here."""
        return pd.Series(True, index=frame.index, dtype=bool)


class Rationales(Records):
    """Reasoning that leads to answers."""

    rationale_id: Series[str] = key()
    question_id: Series[str] = some_text()
    method: Series[str] = some_text()
    text: Series[str] = some_text()
    answer_keys: Series[object]
    quotes: Series[object]
    call_id: Series[str] = some_text()
    passage_ids: Series[object]
    licence: Series[str] = some_text()
    gates: Series[object]


class RejectedRationales(Rationales):
    """Rationales that a gate stopped."""

    rationale_id: Series[str] = some_text()
    text: Series[str]
    call_id: Series[str]
    licence: Series[str]


class Rephrasings(Records):
    """Passages in other words."""

    rephrasing_id: Series[str] = key()
    method: Series[str] = some_text()
    text: Series[str] = some_text()
    call_id: Series[str] = some_text()
    passage_ids: Series[object]
    licence: Series[str] = some_text()
    gates: Series[object]


class RejectedRephrasings(Rephrasings):
    """Rephrasings that a gate stopped."""

    rephrasing_id: Series[str] = some_text()
    text: Series[str]
    call_id: Series[str]
    licence: Series[str]


class Corpus(Records):
    """Texts of the injection corpus."""

    text_id: Series[str] = key()
    source: Series[str] = pa.Field(isin=("book", "paper", "general", "rephrasing"))
    split: Series[str] = pa.Field(isin=("train", "held_out"))
    text: Series[str] = some_text()
    passage_ids: Series[object]
    licence: Series[str] = some_text()


class Conversations(Records):
    """Training examples of instruction tuning."""

    example_id: Series[str] = key()
    source: Series[str] = some_text()
    method: Series[str] = some_text()
    messages: Series[object]
    parent_ids: Series[object]
    question_id: Series[str]
    passage_ids: Series[object]
    licence: Series[str] = some_text()


class Instructions(Records):
    """Conversations that are no exam questions: of instruction sets from outside, or written by the teacher."""

    example_id: Series[str] = key()
    source: Series[str] = some_text()
    method: Series[str] = some_text()
    messages: Series[object]
    parent_ids: Series[object]
    licence: Series[str] = some_text()
    gates: Series[object]
    question_id: Series[str]
    passage_ids: Series[object]
    call_id: Series[str]


class RejectedInstructions(Instructions):
    """Records of instruction sets that could not be read, or that a gate stopped."""

    example_id: Series[str] = some_text()


class InstructionReports(Records):
    """What became of each instruction set."""

    source: Series[str] = key()
    file: Series[str] = some_text()
    reader: Series[str] = some_text()
    licence: Series[str] = some_text()
    manifest: Series[int] = pa.Field(ge=1)
    cap: Series[int] = pa.Field(ge=0)
    published: Series[int] = pa.Field(ge=0)
    published_by: Series[str]
    read: Series[int] = pa.Field(ge=0)
    kept: Series[int] = pa.Field(ge=0)
    not_drawn: Series[int] = pa.Field(ge=0)
    stopped: Series[object]
    looked_for: Series[str]

    @pa.dataframe_check
    @classmethod
    def counts_reconcile(cls, frame: pd.DataFrame) -> Any:
        """What was read was kept, not drawn, or stopped."""
        counts = [sum(one["count"] for one in told) for told in frame["stopped"]]
        stopped = pd.Series(counts, index=frame.index, dtype="int64")
        return frame["read"] == frame["kept"] + frame["not_drawn"] + stopped


class GraphFiles(Records):
    """What became of each file of the knowledge graphs."""

    graph: Series[str] = some_text()
    file: Series[str] = some_text()
    status: Series[str] = pa.Field(isin=("ok", "missing", "quarantined"))
    reason: Series[str]
    rows: Series[int] = pa.Field(ge=0)
    used: Series[int] = pa.Field(ge=0)
    malformed: Series[int] = pa.Field(ge=0)
    left_out: Series[object]
    faults: Series[object]

    @pa.dataframe_check
    @classmethod
    def counts_reconcile(cls, frame: pd.DataFrame) -> Any:
        """Every row was used, left out or malformed."""
        left_out = frame["left_out"].map(lambda told: sum(one["count"] for one in told)).astype("int64")
        return frame["rows"] == frame["used"] + frame["malformed"] + left_out


class ExamFaults(Records):
    """Lines of the exams that are no question."""

    benchmark: Series[str] = some_text()
    line: Series[int] = pa.Field(ge=1)
    question_id: Series[str]
    reason: Series[str] = some_text()
    text: Series[str]


class Licences(Records):
    """Under which terms the records stand that a model is trained on."""

    stage: Series[str] = pa.Field(isin=("corpus", "conversations"))
    source: Series[str] = some_text()
    licence: Series[str] = some_text()
    records: Series[int] = pa.Field(ge=1)
    known: Series[bool]
    attribution: Series[bool]
    non_commercial: Series[bool]
    share_alike: Series[bool]
    no_derivatives: Series[bool]

    class Config(Records.Config):
        """One line for each stage, source and licence."""

        unique: ClassVar[list[str]] = ["stage", "source", "licence"]


class Predictions(Records):
    """What models said."""

    model: Series[str] = some_text()
    question_id: Series[str] = some_text()
    benchmark: Series[str] = some_text()
    mode: Series[str] = pa.Field(isin=("likelihood", "generation"))
    variant: Series[str] = some_text()
    sample: Series[int] = pa.Field(ge=0)
    text: Series[str]
    state: Series[str] = pa.Field(isin=STATES)
    answer_keys: Series[object]
    option_logprobs: Series[object]
    n_tokens: Series[int] = pa.Field(ge=0)

    class Config(Records.Config):
        """One prediction for each model, question, mode, variant and sample."""

        unique: ClassVar[list[str]] = ["model", "benchmark", "question_id", "mode", "variant", "sample"]


class Judgements(Records):
    """What judges said of open answers."""

    model: Series[str] = some_text()
    question_id: Series[str] = some_text()
    benchmark: Series[str] = some_text()
    variant: Series[str] = some_text()
    kind: Series[str] = pa.Field(isin=("must_have", "nice_to_have", "criterion", "premise", "pair"))
    number: Series[int] = pa.Field(ge=0)
    asked: Series[str] = pa.Field(isin=("entails", "contradicts", "meets", "accepts", "prefers"))
    statement: Series[str] = some_text()
    judge: Series[str] = some_text()
    label: Series[str] = pa.Field(isin=("", "true", "false", "first", "second", "tie"))
    state: Series[str] = pa.Field(isin=("read", "unclear", "failed"))
    call_id: Series[str] = some_text()

    class Config(Records.Config):
        """One judgement for each model, question, variant, point and thing asked of it."""

        unique: ClassVar[list[str]] = [
            "model", "benchmark", "question_id", "variant", "kind", "number", "asked", "statement", "judge"
        ]  # fmt: skip

    @pa.dataframe_check
    @classmethod
    def label_where_read(cls, frame: pd.DataFrame) -> Any:
        """There is a label exactly where the judge's word was read."""
        return (frame["label"] != "") == (frame["state"] == "read")


class Scores(Records):
    """Metrics with their intervals."""

    model: Series[str] = some_text()
    benchmark: Series[str] = some_text()
    subset: Series[str] = some_text()
    mode: Series[str] = some_text()
    variant: Series[str] = some_text()
    metric: Series[str] = some_text()
    value: Series[float]
    n: Series[int] = pa.Field(ge=1)
    n_unparsed: Series[int] = pa.Field(ge=0)
    ci_low: Series[float]
    ci_high: Series[float]
    n_failed: Series[int] = pa.Field(ge=0)

    @pa.dataframe_check
    @classmethod
    def value_in_interval(cls, frame: pd.DataFrame) -> Any:
        """The value lies in its interval."""
        return (frame["ci_low"] <= frame["value"] + 1e-9) & (frame["value"] <= frame["ci_high"] + 1e-9)


class Lineage(Records):
    """Links from exam items to training records and pages."""

    question_id: Series[str] = some_text()
    example_id: Series[str]
    passage_id: Series[str] = some_text()
    book: Series[str] = some_text()
    page_first: Series[int] = pa.Field(ge=1)
    page_last: Series[int] = pa.Field(ge=1)
    similarity: Series[float] = pa.Field(ge=0, le=1.0001)


class Contaminations(Records):
    """What the contamination gate stopped."""

    benchmark: Series[str] = some_text()
    source: Series[str] = some_text()
    rule: Series[str] = some_text()
    n_items: Series[int] = pa.Field(ge=0)
    n_records: Series[int] = pa.Field(ge=0)
    n_flagged: Series[int] = pa.Field(ge=0)
    n_items_hit: Series[int] = pa.Field(ge=0)


class Exposures(Records):
    """How much of each exam item stands in the training documents of each source."""

    benchmark: Series[str] = some_text()
    question_id: Series[str] = some_text()
    source: Series[str] = some_text()
    coverage: Series[float] = pa.Field(ge=0, le=1, nullable=True)
    document_id: Series[str]

    class Config(Records.Config):
        """One line for each item and source."""

        unique: ClassVar[list[str]] = ["benchmark", "question_id", "source"]


class Comparisons(Records):
    """Pairs of models on the same questions."""

    model_a: Series[str] = some_text()
    model_b: Series[str] = some_text()
    benchmark: Series[str] = some_text()
    mode: Series[str] = some_text()
    variant: Series[str] = some_text()
    n: Series[int] = pa.Field(ge=1)
    only_a: Series[int] = pa.Field(ge=0)
    only_b: Series[int] = pa.Field(ge=0)
    difference: Series[float] = pa.Field(ge=-1, le=1)
    p: Series[float] = pa.Field(ge=0, le=1)
    p_holm: Series[float] = pa.Field(ge=0, le=1)
    ci_low: Series[float] = pa.Field(nullable=True)
    ci_high: Series[float] = pa.Field(nullable=True)
    detectable: Series[float] = pa.Field(nullable=True)
    test: Series[str] = pa.Field(isin=("mcnemar", "sign_flip"))


class TeacherReport(Records):
    """What the teacher was asked, and what it cost."""

    node: Series[str] = some_text()
    method: Series[str] = some_text()
    model: Series[str] = some_text()
    calls: Series[int] = pa.Field(ge=0)
    from_ledger: Series[int] = pa.Field(ge=0)
    failed: Series[int] = pa.Field(ge=0)
    tokens_in: Series[int] = pa.Field(ge=0)
    tokens_out: Series[int] = pa.Field(ge=0)
    cost: Series[float] = pa.Field(ge=0)
    records_kept: Series[int] = pa.Field(ge=0)
    cost_per_kept: Series[float] | None = pa.Field(ge=0, nullable=True)  # files of before it was counted lack it


class Coverages(Records):
    """What every step made of every page, passage and exercise."""

    step: Series[str] = some_text()
    unit: Series[str] = pa.Field(isin=("file", "page", "passage", "exercise", "source"))
    name: Series[str]
    book: Series[str]
    section: Series[str]
    page_first: Series[int] = pa.Field(ge=0)
    page_last: Series[int] = pa.Field(ge=0)
    state: Series[str] = pa.Field(isin=COVERED)
    reason: Series[str]
    asked: Series[int] = pa.Field(ge=0)
    made: Series[int] = pa.Field(ge=0)
    kept: Series[int] = pa.Field(ge=0)
    failed: Series[int] = pa.Field(ge=0)
    stopped: Series[object]

    @pa.dataframe_check
    @classmethod
    def sums_are_equal(cls, frame: pd.DataFrame) -> Any:
        """What was made was kept, failed, or was stopped at a gate."""
        stopped = frame["stopped"].map(lambda gates: sum(one["count"] for one in gates)).astype("int64")
        return frame["made"] == frame["kept"] + frame["failed"] + stopped


class History(Records):
    """The course of a training: one line a logged step; what a line lacks is NaN."""

    stage: Series[str] = some_text()
    step: Series[int] = pa.Field(ge=0)
    tokens: Series[int] = pa.Field(ge=0)
    loss: Series[float] = pa.Field(nullable=True)
    learning_rate: Series[float] = pa.Field(nullable=True)
    grad_norm: Series[float] = pa.Field(nullable=True)
    tokens_per_second: Series[float] = pa.Field(nullable=True)
    perplexity: Series[float] = pa.Field(nullable=True)


class Perplexities(Records):
    """Perplexities on held-out texts, by source and book; what a single text gives no interval for is NaN."""

    stage: Series[str] = some_text()
    step: Series[int] = pa.Field(ge=0)
    source: Series[str] = pa.Field(isin=SOURCES)
    book: Series[str]
    n_texts: Series[int] = pa.Field(ge=1)
    tokens: Series[int] = pa.Field(ge=0)
    perplexity: Series[float] = pa.Field(ge=1, nullable=True)
    ci_low: Series[float] = pa.Field(ge=1, nullable=True)
    ci_high: Series[float] = pa.Field(ge=1, nullable=True)
    ratio: Series[float] = pa.Field(gt=0, nullable=True)
    ratio_low: Series[float] = pa.Field(gt=0, nullable=True)
    ratio_high: Series[float] = pa.Field(gt=0, nullable=True)

    class Config(Records.Config):
        """One line for each stage, step, source and book."""

        unique: ClassVar[list[str]] = ["stage", "step", "source", "book"]
