"""``instruction_tune``: questions, rationales and instruction sets to conversations, and a model tuned on them."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.instruction_tune import nodes

NAME = "instruction_tune"
PARAMS = f"params:{NAME}"


def create_pipeline() -> Pipeline:
    """The pipeline."""
    return Pipeline(
        [
            Node(
                nodes.assemble_conversations,
                {name: name for name in (*nodes.SOLVED, "paraphrases", "coverage_check", *nodes.CHATS)}
                | {"answers": "params:answers", "params": PARAMS},
                "conversations",
                name="assemble_conversations",
            ),
            Node(nodes.list_licences, ["corpus", "conversations"], "licences", name="list_licences"),
            Node(
                nodes.tune,
                ["injected", "conversations", "corpus", PARAMS, "params:launch", "params:models"],
                ["tuned", "tuning_history", "tuning_perplexities"],
                name="tune_on_instructions",
                tags="gpu",
            ),
        ]
    )
