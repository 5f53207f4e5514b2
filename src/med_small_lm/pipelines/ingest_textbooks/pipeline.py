"""``ingest_textbooks``: each PDF in a lane of its own, then all passages together."""

from __future__ import annotations

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.ingest_textbooks import nodes

NAME = "ingest_textbooks"


def create_pipeline(books: Sequence[str]) -> Pipeline:
    """The pipeline with one namespace, ``ingest_textbooks.<book>``, for each book of the shelf."""
    lane = Pipeline(
        [
            Node(
                nodes.read_lane,
                inputs=["pdf", f"params:{NAME}"],
                outputs=["passages", "report"],
                name="read",
            )
        ]
    )
    parameters = {f"params:{NAME}"}
    lanes = [Pipeline(lane, namespace=f"{NAME}.{book}", parameters=parameters) for book in books]
    merge = Node(
        nodes.merge_lanes,
        inputs={"params": f"params:{NAME}"}
        | {book: f"{NAME}.{book}.passages" for book in books}
        | {f"{book}__report": f"{NAME}.{book}.report" for book in books},
        outputs=["passages", "ingest_report"],
        name="merge_books",
    )
    return sum(lanes, Pipeline([merge]))
