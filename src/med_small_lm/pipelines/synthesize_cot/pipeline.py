"""``synthesize_cot``: a rationale for each question, the right answer hidden from the teacher."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.synthesize_cot import nodes


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
                nodes.report_teacher,
                [
                    *(f"teacher_use_{what}" for what in ("questions", "rephrasings", "rationales")),
                    "questions",
                    "book_exam",
                ],
                "teacher_report",
                name="report_teacher",
            ),
        ]
    )
