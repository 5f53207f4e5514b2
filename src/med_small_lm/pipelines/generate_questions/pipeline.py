"""``generate_questions``: questions through their gates, the books' own exam, and rephrasings for the corpus."""

from __future__ import annotations

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.generate_questions import nodes
from med_small_lm.pipelines.generate_questions.graphs import prompt_graphs

PARAMS = "params:generate_questions"
JUDGES = ("support", "one_right", "answerable", "obvious")
TEACHER = ["teacher", "params:teacher"]


def create_pipeline(exams: Sequence[str], graphs: Sequence[str]) -> Pipeline:
    """The pipeline; ``exams`` are all that ``benchmarks.yml`` names, ``graphs`` all that ``graphs.yml`` does."""
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
                {"passages": "passages", "benchmarks": "benchmarks", "prompt": "question_prompt"}
                | {"teacher": TEACHER[0], "teacher_params": TEACHER[1], "params": PARAMS}
                | {judge: f"{judge}_prompt" for judge in JUDGES},
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
                prompt_graphs,
                {"benchmarks": "benchmarks", "book_exam": "book_exam", "params": PARAMS}
                | {f"graph_{name}": f"generate_questions.{name}.graph" for name in graphs},
                ["graph_prompts", "graph_prompts_rejected", "graphs_report", "contamination_graphs"],
                name="prompt_graphs",
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
