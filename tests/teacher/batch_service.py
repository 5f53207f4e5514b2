"""Files and batches of the tests' own endpoint; a batch advances when it is looked at, so that nothing has to wait."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .counts import Book, Served
from .faults import IN_BATCH, STATUS, Config, Kind, error

_DAY = 86_400
_EXPIRED = {"code": "batch_expired", "message": "This request could not be executed before the window expired."}
_FAILED = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "param": None, "line": None}
Line = dict[str, Any]


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class File:
    """An uploaded or written file."""

    name: str
    purpose: str
    content: bytes
    filename: str = "lines.jsonl"

    def shown(self) -> dict[str, Any]:
        """The file as the protocol shows it."""
        return {
            "id": self.name,
            "object": "file",
            "bytes": len(self.content),
            "created_at": int(time.time()),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


@dataclass(slots=True)
class Batch:
    """A batch: its state, and how many looks it still takes."""

    number: int
    asked: dict[str, Any]  # as it was asked for: input_file_id, endpoint, completion_window, metadata
    lines: list[Line]
    polls: int
    status: str = "validating"
    rows: list[Served] = field(default_factory=list)
    output: str | None = None
    errors: str | None = None
    done: int = 0

    @property
    def name(self) -> str:
        return f"batch_{self.number}"

    def shown(self) -> dict[str, Any]:
        """The batch as the protocol shows it."""
        now = int(time.time())
        ended = {f"{self.status}_at": now} if self.status in ("completed", "expired", "failed", "cancelled") else {}
        total = 0 if self.status == "failed" else len(self.lines)
        failed = total - self.done if self.status in ("completed", "expired") else 0
        return {
            "id": self.name,
            "object": "batch",
            **{name: self.asked.get(name) for name in ("endpoint", "completion_window", "input_file_id", "metadata")},
            "status": self.status,
            "errors": {"object": "list", "data": [_FAILED]} if self.status == "failed" else None,
            "output_file_id": self.output,
            "error_file_id": self.errors,
            "created_at": now,
            "expires_at": now + _DAY,
            "request_counts": {"total": total, "completed": self.done, "failed": failed},
            **ended,
        }


class BatchService:
    """The files and the batches."""

    def __init__(self, config: Config, book: Book) -> None:
        self.config, self.book = config, book
        self.files: dict[str, File] = {}
        self.batches: dict[str, Batch] = {}

    def put_file(self, purpose: str, content: bytes, filename: str = "lines.jsonl") -> File:
        """A new file."""
        file = File(f"file-{len(self.files)}", purpose, content, filename)
        self.files[file.name] = file
        return file

    def file(self, name: str) -> File:
        """The file of that name."""
        if name not in self.files:
            raise Refused(404, f"no such file: {name}")
        return self.files[name]

    def create(self, asked: Mapping[str, Any]) -> Batch:
        """A new batch of the lines in a file."""
        file = self.file(str(asked.get("input_file_id")))
        if asked.get("endpoint") != "/v1/chat/completions":
            raise Refused(400, "the endpoint of a batch is /v1/chat/completions here")
        try:
            lines = [json.loads(line) for line in file.content.decode().splitlines() if line]
            names = {line["custom_id"] for line in lines}
        except (ValueError, KeyError) as fault:
            raise Refused(400, f"no lines of a batch: {fault}") from None
        if len(names) < len(lines) or not lines:
            raise Refused(400, "a batch needs lines, each with a custom_id of its own")
        number = len(self.batches)
        polls = random.Random(f"{self.config.seed}/polls/{number}").randint(0, self.config.polls)
        batch = Batch(number, dict(asked), lines, polls)
        self.batches[batch.name] = batch
        return batch

    def look(self, name: str) -> Batch:
        """The batch of that name, one look nearer to its end."""
        batch = self.batch(name)
        if batch.status == "cancelling":
            self._end(batch, "cancelled", [])
        elif batch.status in ("validating", "in_progress"):
            if batch.number in self.config.failed:
                batch.status = "failed"
            elif batch.polls <= 0:
                self._finish(batch)
            else:
                batch.polls -= 1
                self._start(batch)
        return batch

    def batch(self, name: str) -> Batch:
        """The batch of that name, as it is."""
        if name not in self.batches:
            raise Refused(404, f"no such batch: {name}")
        return self.batches[name]

    def cancel(self, name: str) -> Batch:
        """The batch of that name, which ends without a reply."""
        batch = self.batch(name)
        if batch.status not in ("validating", "in_progress"):
            raise Refused(409, f"a batch that is {batch.status} cannot be cancelled")
        batch.status = "cancelling"
        return batch

    def listed(self, after: str | None, limit: int) -> dict[str, Any]:
        """The batches, newest first, from behind ``after``."""
        names = list(reversed(self.batches))
        names = names[names.index(after) + 1 :] if after in names else names
        page = names[:limit]
        return {
            "object": "list",
            "data": [self.batches[name].shown() for name in page],
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
            "has_more": len(names) > limit,
        }

    def _start(self, batch: Batch) -> None:
        batch.status = "in_progress"
        if not batch.rows:
            batch.rows = [self.book.open(line["body"], IN_BATCH, batch.name) for line in batch.lines]

    def _finish(self, batch: Batch) -> None:
        """Answer the lines of a batch: all of them, or those for which there was time."""
        self._start(batch)
        done = list(range(len(batch.lines)))
        random.Random(f"{self.config.seed}/order/{batch.number}").shuffle(done)  # no order is promised
        expired = batch.number in self.config.expired
        self._end(batch, "expired" if expired else "completed", done[: self._in_time(len(done), expired)])

    def _in_time(self, lines: int, expired: bool) -> int:
        return int(lines * self.config.expired_done) if expired else lines

    def _end(self, batch: Batch, status: str, done: list[int]) -> None:
        """Write the two files of a batch that answers the lines ``done``, and none of the others."""
        output: list[Line] = []
        errors: list[Line] = []
        for place in done:
            line, row = batch.lines[place], batch.rows[place]
            form = (line["body"].get("response_format") or {}).get("type")
            refused = form in self.config.refused_formats
            code = 400 if refused else STATUS.get(Kind(row.kind), 200)
            body = error(code) if code != 200 else self.book.completion(row, line["body"])
            if refused:
                body["error"]["message"] = f"response_format {form} is not supported"
            (errors if code != 200 else output).append(_line(batch, place, {"status_code": code, "body": body}))
            self.book.close(row, whole=code == 200)
        for place in sorted(set(range(len(batch.rows))) - set(done)):
            errors.append(_line(batch, place, None, _EXPIRED))
            self.book.close(batch.rows[place], whole=False)
        batch.status, batch.done = status, len(output)
        batch.output = self._written(output)
        batch.errors = self._written(errors) if status != "cancelled" else None

    def _written(self, lines: list[Line]) -> str | None:
        """The name of a file of ``lines``; none is written for none."""
        text = "".join(json.dumps(line) + "\n" for line in lines)
        return self.put_file("batch_output", text.encode()).name if lines else None


def _line(batch: Batch, place: int, response: Line | None, fault: Line | None = None) -> Line:
    """A line of a batch's output or errors."""
    name = f"{batch.name}-{place}"
    sent = {**response, "request_id": f"req-{name}"} if response else None
    return {"id": name, "custom_id": batch.lines[place]["custom_id"], "response": sent, "error": fault}
