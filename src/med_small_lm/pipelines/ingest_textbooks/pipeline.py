"""``ingest_textbooks``: each file or folder of the shelf in a lane of its own, then the records of all together."""

from __future__ import annotations

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.ingest_textbooks import nodes

NAME = "ingest_textbooks"
PARTS = ("passages", "exercises", "report")


def create_pipeline(books: Sequence[str]) -> Pipeline:
    """The pipeline with one namespace, ``ingest_textbooks.<book>``, for each book of the shelf."""
    parameters = {f"params:{NAME}", "params:books"}
    read = Node(nodes.read_lane, ["pdf", f"params:{NAME}", "params:books"], list(PARTS), name="read")
    lanes = [Pipeline([read], namespace=f"{NAME}.{book}", parameters=parameters) for book in books]
    merge = Node(
        nodes.merge_lanes,
        inputs={"params": f"params:{NAME}", "books": "params:books"}
        | {f"{book}__{part}": f"{NAME}.{book}.{part}" for book in books for part in PARTS},
        outputs=["passages", "book_exercises", "ingest_report", "quarantine"],
        name="merge_books",
    )
    return sum(lanes, Pipeline([merge]))
