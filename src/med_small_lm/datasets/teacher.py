"""The teacher's ledger and key: the one thing that the paid nodes share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never

from kedro.io import AbstractDataset, DatasetError

from med_small_lm.errors import UserError
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.client import EndpointTeacher, Teacher, open_teacher
from med_small_lm.teacher.connection import OPENAI
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.pilot import Group


@dataclass(frozen=True, slots=True)
class TeacherAccess:
    """Where the ledger lies and with which key an endpoint is called."""

    ledger: Path
    api_key: str | None = field(default=None, repr=False)
    forecasts: list[Group] = field(default_factory=list, compare=False)
    """What the steps of a preview found; the run's last lines tell it."""

    def open(self, params: TeacherParams, trace: Callable[[Call], None] | None = None) -> Teacher:
        """The teacher that ``params`` names, which shows ``trace`` its calls; close it after use."""
        self.ledger.parent.mkdir(parents=True, exist_ok=True)
        return open_teacher(params, self.ledger, self.key_for(params), trace)

    def open_endpoint(self, params: TeacherParams, trace: Callable[[Call], None] | None = None) -> EndpointTeacher:
        """The endpoint that ``params`` name, whoever is asked there; close it after use."""
        self.ledger.parent.mkdir(parents=True, exist_ok=True)
        return EndpointTeacher(params, Ledger(self.ledger), self.key_for(params), trace)

    def key_for(self, params: TeacherParams) -> str | None:
        """The key of the credentials, or OpenAI's own variable where OpenAI alone is called."""
        if self.api_key is None and params.hosts == (OPENAI,):
            return os.environ.get("OPENAI_API_KEY") or None
        return self.api_key


class TeacherDataset(AbstractDataset[Never, TeacherAccess]):
    """The SQLite ledger of all calls, and the key of ``credentials`` where the user has one."""

    def __init__(
        self, *, filepath: str, credentials: dict[str, str] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the ledger; ``credentials`` may hold an ``api_key``."""
        self._filepath = Path(filepath)
        self._access = TeacherAccess(self._filepath, _key_of(credentials))
        self.metadata = metadata

    def load(self) -> TeacherAccess:
        """Where the ledger lies, and the key: the same for all nodes of a run."""
        return self._access

    def save(self, data: Never) -> None:
        """The teacher writes its ledger itself, call by call."""
        raise DatasetError("the ledger is written by the teacher, not by a node")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


@dataclass(frozen=True, slots=True)
class EndpointsAccess:
    """Where the ledger lies, and the key of each candidate of the evaluation that is an endpoint."""

    ledger: Path
    keys: Mapping[str, str | None] = field(default_factory=dict, repr=False)

    def of(self, name: str) -> TeacherAccess:
        """The ledger with the key of one candidate."""
        return TeacherAccess(self.ledger, self.keys.get(name))


class EndpointsDataset(AbstractDataset[Never, EndpointsAccess]):
    """The teacher's ledger for models that are evaluated, and the keys that ``credentials`` have for them by name."""

    def __init__(
        self, *, filepath: str, credentials: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the ledger; ``credentials`` may hold an ``api_key`` for each candidate."""
        self._filepath = Path(filepath)
        if not isinstance(credentials, dict | None):
            raise UserError("conf/local/credentials.yml: the keys are written as  endpoints: {NAME: {api_key: KEY}}")
        written = "endpoints: {NAME: {api_key: KEY}}"
        keys = {name: _key_of(own, written) for name, own in (credentials or {}).items()}
        self._access = EndpointsAccess(self._filepath, keys)
        self.metadata = metadata

    def load(self) -> EndpointsAccess:
        """Where the ledger lies, and the keys."""
        return self._access

    def save(self, data: Never) -> None:
        """Endpoints are asked call by call, and each is written to the ledger at once."""
        raise DatasetError("the ledger is written call by call, not by a node")

    def _exists(self) -> bool:
        return True  # what endpoints need is there before the first call

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _key_of(credentials: Any, written: str = "teacher: {api_key: KEY}") -> str | None:
    """The key that the credentials hold, None where there are none; what is wrong with them is said without them."""
    if credentials is None:
        return None
    key = credentials.get("api_key") if isinstance(credentials, dict) else None
    if not isinstance(key, str | int) or set(credentials) != {"api_key"}:
        raise UserError(f"conf/local/credentials.yml: a key is written as  {written}")
    return str(key) or None  # YAML reads one of digits as a number
