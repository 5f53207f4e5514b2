"""Parameters of ``generate_questions``: what is asked of the teacher, and what its replies must pass."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from med_small_lm.params.local_model import LocalModel


class QuestionGates(BaseModel):
    """Thresholds of the gates that a question passes before it is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stem_words_min: int = Field(default=4, ge=1, le=100, description="Shorter stems are rejected, in words")
    stem_words_max: int = Field(default=200, ge=5, le=2_000, description="Longer stems are rejected, in words")
    option_words_max: int = Field(default=30, ge=1, le=200, description="Longer options are rejected, in words")
    option_length_ratio: float = Field(
        default=4.0,
        ge=1.0,
        le=100.0,
        description="Most that the right option is longer or shorter than the wrong ones' mean",
    )
    quote_found: float = Field(
        default=0.9, ge=0.0, le=1.0, description="Least share of the quote's words in its passage"
    )
    answer_in_quote: float = Field(
        default=0.5, ge=0.0, le=1.0, description="Least share of the right option's words in the quote"
    )
    coverage: float = Field(
        default=0.2,
        gt=0.0,
        le=1.0,
        description="Share of a guarded item's word 8-grams from which a question is contaminated",
    )
    fuzzy: float = Field(
        default=0.54,
        gt=0.0,
        le=1.0,
        description="Likeness to a guarded item, 0 to 1 in content words weighted by rarity, from which it is a copy",
    )
    duplicate_similarity: float = Field(
        default=0.95,
        gt=0.0,
        le=1.0,
        description="Jaccard similarity of word pairs from which a question is a duplicate",
    )
    duplicate_stem_similarity: float = Field(
        default=0.85,
        gt=0.0,
        le=1.0,
        description="Likeness of stems, in content words weighted by rarity, from which one with the same answer is a "
        "duplicate",
    )
    duplicate_model: LocalModel | None = Field(
        default=None,
        description="Folder of a local encoder (Hugging Face layout, safetensors): questions near to each other by its "
        "vectors are duplicates too; null for none",
    )
    duplicate_cosine: float = Field(
        default=0.97,
        gt=0.0,
        le=1.0,
        description="Cosine of stem and right answer by that encoder from which a question is a duplicate",
    )
    key_place_excess: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Most that a place's share of the right options exceeds an equal share; beyond it they are moved",
    )


class Judges(BaseModel):
    """Of which share of the questions the teacher is asked what only a reader can tell, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one_right_share: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Share of the questions of which it is asked which options are right: exactly the keyed ones have "
        "to be",
    )
    answerable_share: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Share that is asked with the passage, which must lead to the answer, and without, which must not",
    )
    votes: int = Field(
        default=1,
        ge=1,
        le=15,
        description="Calls for each question and judgement, decided by majority; best an odd number",
    )


class Kinds(BaseModel):
    """Of which share of the passages questions of a further kind are asked, beside single choice; 0 for none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    multi: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Share asked for questions of several right answers (ECN, FrenchMedMCQA)",
    )
    yes_no: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Share asked for questions with yes, no or maybe on an excerpt (PubMedQA)",
    )


class Cases(BaseModel):
    """Progressive cases: of which sections, how long, and what they must not do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        description="Share of the sections with a sentence for each proposition on which a case is asked",
    )
    questions: int = Field(default=3, ge=2, le=20, description="Questions of a case")
    propositions: int = Field(default=5, ge=2, le=26, description="Propositions of a question (ECN: 5)")
    words_max: int = Field(default=1_500, ge=100, le=100_000, description="Most words of a section that a call shows")
    exemplars: int = Field(default=2, ge=0, le=50, description="Most cases of the exam's own that a call shows")
    one_sided_max: float = Field(
        default=0.8, ge=0.5, le=1.0, description="Most of a case's propositions that may be true, or false"
    )


class Augmentation(BaseModel):
    """What the injection corpus reads beside passages and rephrasings, and the thresholds of all these texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary_share: float = Field(default=0.02, ge=0.0, le=1.0, description="Share of the passages that are summarised")
    atomic_facts_share: float = Field(
        default=0.02, ge=0.0, le=1.0, description="Share of the passages that are taken apart into single facts"
    )
    link_share: float = Field(
        default=0.02,
        ge=0.0,
        le=1.0,
        description="Share of the passages that are told together with one of another section on the same subject",
    )
    links_per_passage: int = Field(
        default=1, ge=1, le=20, description="Most links of such a passage, each with another one"
    )
    summary_ratio: float = Field(
        default=0.6, gt=0.0, le=1.0, description="Longer summaries are rejected, as a share of the passage's words"
    )
    supported: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description="Least share of each sentence's content words in the passages that the text is made from",
    )


class Refusals(BaseModel):
    """Items that should be refused: of which share of the passages, and of which kinds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(
        default=0.02, ge=0.0, le=1.0, description="Share of the passages, drawn by their ids, one item a kind; 0: none"
    )
    kinds: tuple[Literal["false_premise", "invented", "not_in_passage"], ...] = Field(
        default=("false_premise", "invented", "not_in_passage"),
        description="A premise that the passage contradicts, a drug or disease that does not exist, a fact that the "
        "passage lacks",
    )
    excerpt_words: int = Field(
        default=30,
        ge=5,
        le=2_000,
        description="Longest stretch of the passage that is shown where a fact is asked for that it lacks, in words",
    )


class GenerateQuestions(BaseModel):
    """What is asked of each passage, in whose style, and what is held out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions_per_passage: int = Field(default=12, ge=1, le=100, description="Most questions that a call asks for")
    variations: int = Field(default=1, ge=1, le=100, description="Calls for each passage, each with its own seed")
    exemplars_per_sentence: int = Field(
        default=5,
        ge=0,
        le=50,
        description="Questions of the exam's dev split that are nearest to each sentence of a passage",
    )
    exemplars_max: int = Field(default=24, ge=0, le=500, description="Most exemplars in a call")
    kinds: Kinds = Field(
        default_factory=Kinds, description="Share of the passages that is asked for questions of each further kind"
    )
    cases: Cases = Field(default_factory=Cases, description="Progressive cases on the passages of a section")
    related_passages: int = Field(
        default=8, ge=0, le=50, description="Nearest passages of the same book that lend wrong options"
    )
    held_out_share: float = Field(
        default=0.05,
        ge=0.0,
        le=0.5,
        description="Share of the sections whose questions make the book exam, never trained on",
    )
    rephrasing_styles: tuple[str, ...] = Field(
        default=("plain", "notes for revision"),
        description="Styles in which each passage is said again for the injection corpus; empty for none",
    )
    rephrasings_per_style: int = Field(default=1, ge=1, le=100, description="Rephrasings of each passage in each style")
    rephrasing_words_min: int = Field(
        default=5, ge=1, le=1_000, description="Shorter rephrasings are rejected, in words"
    )
    augmentation: Augmentation = Field(
        default_factory=Augmentation,
        description="What the injection corpus reads beside passages and rephrasings, and the thresholds of all these "
        "texts.",
    )
    refusals: Refusals = Field(default_factory=Refusals, description="Items that should be refused")
    seed: int = Field(default=0, ge=0, description="Seed of the draw of sections and of the variations")
    judge_support: bool = Field(
        default=True,
        description="Whether the teacher is asked, too, if the quote proves the answer: a call a question",
    )
    judges: Judges = Field(default_factory=Judges, description="What the teacher judges of the questions kept so far")
    gates: QuestionGates = Field(default_factory=QuestionGates, description="What a question must pass to be kept")
