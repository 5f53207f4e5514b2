"""``instruction_tune``: questions and rationales to conversations, and the injected model tuned on them."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.instruction_tune import nodes

PARAMS = "params:instruction_tune"


def create_pipeline() -> Pipeline:
    """The pipeline."""
    return Pipeline(
        [
            Node(
                nodes.assemble_conversations,
                ["questions", "rationales", "params:answers", PARAMS],
                "conversations",
                name="assemble_conversations",
            ),
            Node(
                nodes.tune,
                ["injected", "conversations", "corpus", PARAMS, "params:models"],
                ["tuned", "tuning_history"],
                name="tune_on_instructions",
                tags="gpu",
            ),
        ]
    )
