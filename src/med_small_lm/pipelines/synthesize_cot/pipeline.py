"""``synthesize_cot``: rationales, dialogues, instruction sets, and the account of all that the teacher wrote."""

from __future__ import annotations

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.synthesize_cot import chats, exams, instructions, nodes, reporting
from med_small_lm.synthesis import rewriting

RECORDS = (*reporting.QUESTIONS, *reporting.CASES, *reporting.RATIONALES, *reporting.REPHRASINGS, *reporting.CHATS)
GOLD_SHOWN = ("general", "optionwise")
PICTURES = ("coverage_figure", "gates_figure", "books_figure", "answers_figure", "lengths_figure")
GATHERED = ("instructions_rejected", "instructions_report", "contamination_instructions")
PARAMS = "params:synthesize_cot"
TEACHER = {"teacher": "teacher", "teacher_params": "params:teacher"}
BOOKS = {name: name for name in ("questions", "passages", "benchmarks", "book_exam")}


def create_pipeline(sets: Sequence[str]) -> Pipeline:
    """The pipeline; ``sets`` are all that ``instructions.yml`` names."""
    return Pipeline([*_on_questions(), *_on_instructions(sets), *_accounts()])


def _on_questions() -> list[Node]:
    """What is asked about questions: rationales, and the dialogues made of both."""
    return [
        Node(
            nodes.write_rationales,
            {**BOOKS, **TEACHER, "prompt": "rationale_prompt", "params": PARAMS}
            | {style: f"{style}_rationale_prompt" for style in GOLD_SHOWN},
            ["rationales", "rationales_rejected", "contamination_rationales", "teacher_use_rationales"],
            name="write_rationales",
            tags="paid",
        ),
        Node(
            exams.write_exam_rationales,
            {name: name for name in ("benchmarks", "book_exam", "passages")}
            | {**TEACHER, "prompt": "exam_rationale_prompt", "params": PARAMS}
            | {"making": "params:generate_questions"},
            ["exam_questions", "exam_rationales", "exam_rationales_rejected", "contamination_exam_rationales"]
            + ["teacher_use_exam_rationales"],
            name="write_exam_rationales",
            tags="paid",
        ),
        Node(
            chats.write_dialogues,
            {**BOOKS, **TEACHER, "rationales": "rationales", "prompt": "dialogue_prompt"} | {"params": PARAMS},
            ["dialogues", "dialogues_rejected", "contamination_dialogues", "teacher_use_dialogues"],
            name="write_dialogues",
            tags="paid",
        ),
    ]


def _on_instructions(sets: Sequence[str]) -> list[Node]:
    """What is made of instruction sets from outside."""
    guarded = {name: name for name in ("benchmarks", "book_exam")} | {"params": PARAMS}
    of_sets = {f"set_{name}": f"synthesize_cot.{name}.records" for name in sets}
    return [
        Node(
            instructions.gather_instructions,
            guarded | of_sets,
            ["instructions", "instructions_raw", *GATHERED],
            name="gather_instructions",
        ),
        Node(
            instructions.rewrite_instructions,
            {**guarded, **TEACHER, "instructions_raw": "instructions_raw"}
            | {way: f"{way}_prompt" for way in rewriting.REWRITTEN}
            | of_sets,
            ["rewritings", "rewritings_rejected", "contamination_rewritings", "teacher_use_rewritings"],
            name="rewrite_instructions",
            tags="paid",
        ),
        Node(
            instructions.paraphrase_instructions,
            {name: name for name in ("instructions", "rewritings", "graph_prompts")}
            | {**TEACHER, "answers": "params:answers", "prompt": "paraphrase_prompt"}
            | {"params": PARAMS},
            ["paraphrases", "paraphrases_rejected", "teacher_use_paraphrases"],
            name="paraphrase_instructions",
            tags="paid",
        ),
    ]


def _accounts() -> list[Node]:
    """The account of all that the teacher was asked."""
    return [
        Node(
            reporting.report_teacher,
            {name: name for name in (*reporting.USES, *reporting.QUESTIONS, *reporting.REPHRASINGS)},
            "teacher_report",
            name="report_teacher",
        ),
        Node(
            reporting.report_synthesis,
            {name: name for name in (*reporting.BESIDE, *RECORDS)}
            | {"teacher_params": "params:teacher", "params": PARAMS},
            ["coverage", "synthesis_report", *PICTURES],
            name="report_synthesis",
        ),
        Node(
            reporting.check_coverage,
            ["coverage", "teacher_report", "params:teacher", PARAMS],
            "coverage_check",
            name="check_coverage",
        ),
    ]
