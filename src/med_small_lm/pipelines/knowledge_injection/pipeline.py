"""``knowledge_injection``: passages and rephrasings to a corpus, a base model, and that model taught the corpus."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.knowledge_injection import nodes

PARAMS = "params:knowledge_injection"


def create_pipeline() -> Pipeline:
    """The pipeline."""
    return Pipeline(
        [
            Node(
                nodes.assemble_corpus,
                ["passages", "rephrasings", "coverage_check", PARAMS],
                "corpus",
                name="assemble_corpus",
            ),
            Node(nodes.make_base, ["corpus", PARAMS, "params:models"], "base", name="make_base", tags="gpu"),
            Node(
                nodes.inject,
                ["base", "corpus", PARAMS, "params:launch", "params:models"],
                ["injected", "injection_history", "perplexities"],
                name="inject_knowledge",
                tags="gpu",
            ),
        ]
    )
