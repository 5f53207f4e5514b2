"""``synthesize_cot``: a rationale for each question, the right answer hidden from the teacher."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.synthesize_cot import nodes, reporting

RECORDS = (*reporting.QUESTIONS, *reporting.RATIONALES, *reporting.REPHRASINGS, *reporting.CHATS)
PICTURES = ("coverage_figure", "gates_figure", "books_figure", "answers_figure", "lengths_figure")


def create_pipeline() -> Pipeline:
    """The pipeline."""
    inputs = ["questions", "passages", "benchmarks", "book_exam", "rationale_prompt"]
    return Pipeline(
        [
            Node(
                nodes.write_rationales,
                [*inputs, "teacher", "params:teacher", "params:synthesize_cot"],
                ["rationales", "rationales_rejected", "contamination_rationales", "teacher_use_rationales"],
                name="write_rationales",
                tags="paid",
            ),
            Node(
                reporting.report_teacher,
                {name: name for name in ("questions", "book_exam", *reporting.USES)},
                "teacher_report",
                name="report_teacher",
            ),
            Node(
                reporting.report_synthesis,
                {name: name for name in ("passages", "ingest_report", "book_exercises", "teacher_report", *RECORDS)}
                | {"teacher_params": "params:teacher"},
                ["coverage", "synthesis_report", *PICTURES],
                name="report_synthesis",
            ),
            Node(
                reporting.check_coverage,
                ["coverage", "teacher_report", "params:teacher", "params:synthesize_cot"],
                None,
                name="check_coverage",
            ),
        ]
    )
