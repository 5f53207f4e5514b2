"""A knowledge graph, as the pipeline of questions takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Never

from kedro.io import AbstractDataset, DatasetError

from med_small_lm.synthesis.graphs.model import GraphSource


class GraphDataset(AbstractDataset[Never, GraphSource]):
    """A file or folder of a graph. Entries are made from ``graphs.yml``; the domain reads it as a stream."""

    def __init__(
        self,
        *,
        filepath: str,
        graph: str,
        kind: str,
        licence: str,
        cap: int,
        language: str,
        vocabularies: Sequence[str],
        columns: Mapping[str, str],
        relation: str,
        relations: Mapping[str, str],
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Keep what ``graphs.yml`` says."""
        told = (language, tuple(vocabularies), dict(columns), relation, dict(relations))
        self._source = GraphSource(graph, Path(filepath), kind, licence, cap, *told)
        self.metadata = metadata

    def load(self) -> GraphSource:
        """The graph, to be read.

        Raises:
            DatasetError: It is gone since ``graphs.yml`` was read.
        """
        if not self._source.path.exists():
            raise DatasetError(f"{self._source.name}: there is nothing at {self._source.path}")
        return self._source

    def save(self, data: Never) -> None:
        """Graphs are read, never written."""
        raise DatasetError(f"{self._source.path}: a knowledge graph is read-only")

    def _exists(self) -> bool:
        return self._source.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._source.path), "kind": self._source.kind, "licence": self._source.licence}
