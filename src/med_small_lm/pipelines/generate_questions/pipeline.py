"""``generate_questions``: questions through their gates, the books' own exam, and rephrasings for the corpus."""

from __future__ import annotations

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.generate_questions import nodes

PARAMS = "params:generate_questions"
TEACHER = ["teacher", "params:teacher"]


def create_pipeline(exams: Sequence[str]) -> Pipeline:
    """The pipeline; ``exams`` are all that ``benchmarks.yml`` names."""
    return Pipeline(
        [
            Node(
                nodes.gather_benchmarks,
                {exam: f"evaluate.{exam}.questions" for exam in exams} | {"book_exercises": "book_exercises"},
                "benchmarks",
                name="gather_benchmarks",
            ),
            Node(
                nodes.write_questions,
                ["passages", "benchmarks", "question_prompt", "support_prompt", *TEACHER, PARAMS],
                ["question_drafts", "question_misses", "teacher_use_questions"],
                name="write_questions",
                tags="paid",
            ),
            Node(
                nodes.gate_questions,
                ["question_drafts", "question_misses", "passages", "benchmarks", TEACHER[1], PARAMS],
                ["questions", "questions_rejected", "book_exam", "contamination_questions"],
                name="gate_questions",
            ),
            Node(
                nodes.rephrase_passages,
                ["passages", "rephrasing_prompt", *TEACHER, PARAMS],
                ["rephrasings", "rephrasings_rejected", "teacher_use_rephrasings"],
                name="rephrase_passages",
                tags="paid",
            ),
        ]
    )
