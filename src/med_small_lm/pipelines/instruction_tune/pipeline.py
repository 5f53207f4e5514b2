"""``instruction_tune``: questions, rationales and instruction sets to conversations, and a model tuned on them."""

from __future__ import annotations

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.instruction_tune import nodes

NAME = "instruction_tune"
PARAMS = f"params:{NAME}"


def create_pipeline(sets: Sequence[str]) -> Pipeline:
    """The pipeline; ``sets`` are all that ``instructions.yml`` names."""
    return Pipeline(
        [
            Node(
                nodes.gather_instructions,
                {"benchmarks": "benchmarks", "book_exam": "book_exam", "params": PARAMS}
                | {f"set_{name}": f"{NAME}.{name}.records" for name in sets},
                ["instructions", "instructions_rejected", "instructions_report", "contamination_instructions"],
                name="gather_instructions",
            ),
            Node(
                nodes.assemble_conversations,
                ["questions", "rationales", "instructions", "graph_prompts", "params:answers", PARAMS],
                "conversations",
                name="assemble_conversations",
            ),
            Node(nodes.list_licences, ["corpus", "conversations"], "licences", name="list_licences"),
            Node(
                nodes.tune,
                ["injected", "conversations", "corpus", PARAMS, "params:models"],
                ["tuned", "tuning_history"],
                name="tune_on_instructions",
                tags="gpu",
            ),
        ]
    )
