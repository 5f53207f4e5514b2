"""What the tests' own endpoint counts: one row for each request for a completion."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .faults import CONTENT, Config, Kind, completion, key_of


@dataclass(slots=True)
class Served:
    """One request for a completion, alone or as a line of a batch.

    ``whole`` says that all bytes of a completion left, so that it has to be paid; ``valid`` that the completion is of
    use, too. A whole one that was ``dropped`` cannot be read by who asked. ``ended`` is 0 while the request is open.
    """

    key: str
    asked: int  # how often the prompt was asked before
    reply: str  # the id of the completion
    batch: str
    kind: str
    began: float
    ended: float = 0.0
    whole: bool = False
    valid: bool = False
    dropped: bool = False
    tokens_in: int = 0
    tokens_out: int = 0


class Book:
    """All that was served; only the endpoint's own loop writes into it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.served: list[Served] = []
        self.services: Counter[str] = Counter()
        self.in_flight = self.most_in_flight = self.valid = 0
        self._asked: Counter[str] = Counter()

    def open(self, body: Mapping[str, Any], possible: tuple[str, ...], batch: str = "") -> Served:
        """A row for a request that has just come, and what is going to happen to it."""
        key = key_of(body)
        asked = self._asked[key]
        self._asked[key] += 1
        kind = self.config.kind(key, asked, possible)
        row = Served(key, asked, f"chatcmpl-{len(self.served)}", batch, kind, time.time())
        self.served.append(row)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return row

    def completion(self, row: Served, body: Mapping[str, Any]) -> dict[str, Any]:
        """The completion that a row's request gets, its tokens written into the row."""
        response = completion(self.config, body, Kind(row.kind), row.reply)
        row.tokens_in, row.tokens_out = response["usage"]["prompt_tokens"], response["usage"]["completion_tokens"]
        cut = response["choices"][0]["finish_reason"] != "stop"
        row.valid = row.kind not in CONTENT and not cut
        return response

    def close(self, row: Served, whole: bool, dropped: bool = False) -> None:
        """Complete a row: whether all bytes of a completion left, and whether they could be read."""
        row.ended, row.whole, row.dropped, row.valid = time.time(), whole, dropped, row.valid and whole
        self.in_flight -= 1
        self.valid += row.valid

    def service(self, what: str) -> Kind:
        """Count a request about files and batches; what is going to happen to it."""
        asked = self.services[what]
        self.services[what] += 1
        return self.config.service_kind(what, asked)

    def counts(self) -> dict[str, Any]:
        """The sums, which are cheap to ask for."""
        return {
            "requests": len(self.served),
            "valid": self.valid,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "services": dict(self.services),
            "now": time.time(),
        }

    def rows(self) -> list[dict[str, Any]]:
        """All rows, in the order in which the requests came."""
        return [asdict(row) for row in self.served]
