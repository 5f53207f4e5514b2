"""The teacher's ledger and key: the one thing that the paid nodes share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never
from urllib.parse import urlsplit

from kedro.io import AbstractDataset, DatasetError

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.client import Teacher, open_teacher

OPENAI = "api.openai.com"
"""The one host to which the key of ``OPENAI_API_KEY`` goes; every other endpoint's key stands in the credentials."""


@dataclass(frozen=True, slots=True)
class TeacherAccess:
    """Where the ledger lies and with which key an endpoint is called."""

    ledger: Path
    api_key: str | None = field(default=None, repr=False)

    def open(self, params: TeacherParams) -> Teacher:
        """The teacher that ``params`` names; close it after use."""
        self.ledger.parent.mkdir(parents=True, exist_ok=True)
        key = self.api_key
        if key is None and urlsplit(params.base_url).hostname == OPENAI:
            key = os.environ.get("OPENAI_API_KEY")
        return open_teacher(params, self.ledger, key)


class TeacherDataset(AbstractDataset[Never, TeacherAccess]):
    """The SQLite ledger of all calls, and the key of ``credentials`` where the user has one."""

    def __init__(
        self, *, filepath: str, credentials: dict[str, str] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the ledger; ``credentials`` may hold an ``api_key``."""
        self._filepath = Path(filepath)
        self._api_key = (credentials or {}).get("api_key")
        self.metadata = metadata

    def load(self) -> TeacherAccess:
        """Where the ledger lies, and the key."""
        return TeacherAccess(self._filepath, self._api_key)

    def save(self, data: Never) -> None:
        """The teacher writes its ledger itself, call by call."""
        raise DatasetError("the ledger is written by the teacher, not by a node")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
