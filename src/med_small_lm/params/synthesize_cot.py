"""Parameters of ``synthesize_cot``: how many rationales are asked for, and what they must pass."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from med_small_lm.params.local_model import LocalModel


class RationaleGates(BaseModel):
    """Thresholds of the gates that a rationale passes before it is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words_min: int = Field(default=4, ge=1, le=1_000, description="Shorter rationales are rejected, in words")
    words_max: int = Field(default=120, ge=5, le=5_000, description="Longer rationales are rejected, in words")
    supported: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description="Least share of the rationale's words in passage, stem and right option",
    )
    coverage: float = Field(
        default=0.2,
        gt=0.0,
        le=1.0,
        description="Share of a guarded item's word 8-grams from which question and rationale are contaminated",
    )
    fuzzy: float = Field(
        default=0.54,
        gt=0.0,
        le=1.0,
        description="Likeness to a guarded item, 0 to 1 in content words weighted by rarity, from which a question and "
        "its rationales are copies",
    )
    kept_max: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Most rationales kept of a question in one style, the first that pass; 0: all",
    )


class Style(BaseModel):
    """Of which share of the questions a style of rationale is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(ge=0.0, le=1.0, description="Share of the questions, drawn by their ids; 0: none")


class ShownStyle(Style):
    """The same of a style of which examples can be shown."""

    exemplars: int = Field(
        ge=0, le=20, description="Questions of the exams' dev splits, solved, that are shown before the one asked"
    )


class Styles(BaseModel):
    """The styles of rationale, each asked of a share of the questions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: ShownStyle = Field(
        default=ShownStyle(share=1.0, exemplars=0),
        description="The right answer is not shown, so whether the rationale finds it is a test (Meerkat)",
    )
    general: ShownStyle = Field(
        default=ShownStyle(share=0.05, exemplars=2),
        description="The right answer is shown: an analysis of the whole (PMC-LLaMA, with two exemplars)",
    )
    optionwise: Style = Field(
        default=Style(share=0.05),
        description="The right answer is shown: of each option whether it is true, and why (PMC-LLaMA)",
    )


class ExamRationales(BaseModel):
    """How rationales are asked for the exams' own train splits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="Share of the train items that are asked, drawn by their ids, `samples` calls each; 0: none",
    )
    exemplars: int = Field(
        default=0, ge=0, le=20, description="Questions of the exams' dev splits, solved, that are shown before it"
    )
    passages: int = Field(
        default=0,
        ge=0,
        le=20,
        description="Nearest passages of the books that are shown (Meerkat: none); the built-in teacher knows nothing "
        "else",
    )


class InstructionParams(BaseModel):
    """What a record of an instruction set from outside must pass before it is trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coverage: float = Field(
        default=0.2,
        gt=0.0,
        le=1.0,
        description="Share of a guarded item's word 8-grams from which a record is contaminated",
    )
    fuzzy: float = Field(
        default=0.54,
        gt=0.0,
        le=1.0,
        description="Likeness of its words to a guarded item from which it is, too, however it is reworded",
    )
    shown: int = Field(default=3, ge=0, description="Records of each set, stopped for one reason, that the log names")
    names_model: LocalModel | None = Field(
        default=None,
        description="Folder of a local token classifier that finds names of people in chats; null: names are not "
        "looked for",
    )


class Rewriting(BaseModel):
    """What a record that the teacher rewrote must still say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts_found: float = Field(
        default=0.8, ge=0.0, le=1.0, description="Least share of the new words that stand in the record rewritten"
    )
    facts_kept: float = Field(
        default=0.3, ge=0.0, le=1.0, description="Least share of the old answer's words that are left"
    )
    question_words_max: int = Field(default=40, ge=3, le=500, description="Longer questions are rejected, in words")


class Dialogues(BaseModel):
    """Conversations of patient and doctor from kept questions and rationales."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(
        default=0.02,
        ge=0.0,
        le=1.0,
        description="Share of the questions with a rationale, drawn by their ids (Meerkat: 4,818 of 9,308); 0: none",
    )
    messages_max: int = Field(
        default=26, ge=4, le=200, description="Most messages of patient and doctor (Meerkat 3 to 27, system's included)"
    )
    instruction: str = Field(
        default="Talk.",
        description="System message; empty for none (Meerkat: a helpful doctor who asks back where something is "
        "missing)",
    )
    supported: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="Least share of the last message's words in question, rationale and passage",
    )


class Paraphrases(BaseModel):
    """Other wordings of the instructions that many examples share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_instruction: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Paraphrases asked of each instruction, one drawn for each example (MedC-I); 0: none, a tiny model "
        "is asked in the words that it was taught in",
    )


class CoverageLimits(BaseModel):
    """How little may come of a book before the run ends with an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept_min: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Least share of a book's passages from which a step keeps a record; 0 lets any book be empty",
    )
    failed_max: float = Field(
        default=0.1, ge=0.0, le=1.0, description="Largest share of a step's calls without a usable reply; 1 allows all"
    )


class SynthesizeCot(BaseModel):
    """How rationales are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Rationales asked for each question and style; all that pass are kept, up to gates.kept_max",
    )
    styles: Styles = Field(default_factory=Styles, description="Styles of rationale, each asked of a share")
    exams: ExamRationales = Field(
        default_factory=ExamRationales, description="Rationales for the exams' own train splits (Meerkat's MedQA-CoT)"
    )
    gates: RationaleGates = Field(default_factory=RationaleGates, description="What a rationale must pass to be kept")
    dialogues: Dialogues = Field(default_factory=Dialogues, description="Conversations of patient and doctor")
    instructions: InstructionParams = Field(
        default_factory=InstructionParams, description="What a record of a set from outside must pass"
    )
    rewriting: Rewriting = Field(default_factory=Rewriting, description="What a rewritten record must still say")
    paraphrases: Paraphrases = Field(
        default_factory=Paraphrases, description="Other wordings of the instructions that many examples share"
    )
    seed: int = Field(default=0, ge=0, description="Seed of the draws and of the conversations")
    coverage: CoverageLimits = Field(
        default_factory=CoverageLimits, description="How little may come of a book before the run ends with an error"
    )
