"""An endpoint of the tests' own that goes wrong on purpose and counts what it did: HTTP on loopback, OpenAI's protocol.

    python -m tests.teacher.server --config '{"share": 0.2}'      from the project's root; prints its address

Besides chat completions, models, files and batches it answers to /control/counts (sums) and /control/served (a row for
each request for a completion). Inside a test: ``with running(Config(share=0.2)) as server``.
"""

from __future__ import annotations

import argparse
import asyncio
import email.parser
import email.policy
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .batch_service import BatchService, Refused
from .counts import Book
from .faults import ALL, STATUS, Config, Kind, error

_PIECES = 20  # of a slow drip
_MODELS = {"object": "list", "data": [{"id": "test-model", "object": "model", "created": 0, "owned_by": "tests"}]}


@dataclass(slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    data: bytes

    def json(self) -> dict[str, Any]:
        """The JSON object in the body."""
        try:
            value = json.loads(self.data)
        except ValueError as fault:
            raise Refused(400, f"the body is no JSON: {fault}") from None
        if not isinstance(value, dict):
            raise Refused(400, "the body is no JSON object")
        return value

    def form(self) -> dict[str, bytes]:
        """The fields of a multipart form."""
        head = f"Content-Type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.data)
        parts = message.iter_parts() if message.is_multipart() else ()
        found: dict[Any, Any] = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts
        }
        if not {"file", "purpose"} <= set(found):
            raise Refused(400, "a file needs the fields file and purpose")
        return found


@dataclass(slots=True)
class Answer:
    """A response and the way in which it is sent."""

    data: bytes
    status: int = 200
    kind: Kind = Kind.OK
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_readable(self) -> bool:
        """Whether it is one that who asked could read, if all of it came."""
        return self.status == 200 and self.kind not in (Kind.MALFORMED, Kind.TRUNCATED, Kind.DROP)


class Connection:
    """One connection: requests are read from it and answers sent, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, drip: float) -> None:
        self.reader, self.writer, self.drip = reader, writer, drip

    async def read(self) -> Asked | None:
        """The next request, or None where there is none any more."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ", 2)
        url = urlsplit(target)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            data = b"".join([part async for part in self._chunks()])
        else:
            data = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Asked(method, url.path, parse_qs(url.query), headers, data)

    async def _chunks(self) -> Any:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")

    async def send(self, answer: Answer) -> bool:
        """Send an answer as its kind says; return whether all of it left and the connection goes on."""
        if answer.kind is Kind.DROP:
            return False
        unfinished = answer.kind is Kind.DROP_AFTER
        size = "Transfer-Encoding: chunked" if unfinished else f"Content-Length: {len(answer.data)}"
        phrase = HTTPStatus(answer.status).phrase
        lines = [f"HTTP/1.1 {answer.status} {phrase}", "Content-Type: application/json", size]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        if answer.kind is Kind.DRIP:
            return await self._drip(head, answer.data)
        # All of the reply leaves, but not the empty chunk that says so.
        self.writer.write(head + (b"%x\r\n%s\r\n" % (len(answer.data), answer.data) if unfinished else answer.data))
        await self.writer.drain()
        return not unfinished

    async def _drip(self, head: bytes, data: bytes) -> bool:
        """Send an answer in pieces, until it has left or nobody listens any more."""
        self.writer.write(head)
        step = -(-len(data) // _PIECES)
        for start in range(0, len(data), step):
            await asyncio.sleep(self.drip / _PIECES)
            if self.reader.at_eof() or self.writer.is_closing():
                return False
            self.writer.write(data[start : start + step])
            await self.writer.drain()
        return True


class Server:
    """The endpoint; ``book`` holds what it counted."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.book = Book(self.config)
        self.service = BatchService(self.config, self.book)
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> asyncio.Server:
        """Listen on a free port of this machine."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        return server

    def hang_up(self) -> None:
        """Drop all connections."""
        for writer in self._open:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it is dropped or closed."""
        connection = Connection(reader, writer, self.config.drip)
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while asked := await connection.read():
                is_completion = asked.path == "/v1/chat/completions"
                answer = self._complete(asked, connection) if is_completion else connection.send(self._other(asked))
                if not await answer:
                    break
        self._open.discard(writer)
        writer.close()

    async def _complete(self, asked: Asked, connection: Connection) -> bool:
        """Answer a request for a completion; return whether the connection goes on."""
        try:
            body = asked.json()
            form = (body.get("response_format") or {}).get("type")
            if form in self.config.refused_formats:
                raise Refused(400, f"response_format {form} is not supported")
            row = self.book.open(body, ALL)
        except Refused as fault:
            return await connection.send(_refusal(fault))
        whole = dropped = False
        try:
            if seconds := self.config.seconds(row.key, row.asked):
                await asyncio.sleep(seconds)
            answer = self._with_fault(Kind(row.kind), lambda: _encoded(self.book.completion(row, body)))
            sent = await connection.send(answer)
            dropped = answer.kind is Kind.DROP_AFTER
            whole = answer.is_readable and (sent or dropped)
        finally:
            self.book.close(row, whole, dropped)
        return sent

    def _with_fault(self, kind: Kind, made: Callable[[], bytes]) -> Answer:
        """The answer to a request that meets a fault of ``kind``; ``made()`` is what it would be without."""
        if kind in STATUS:
            headers = {"Retry-After": f"{self.config.retry_after:g}"} if kind is Kind.BUSY_UNTIL else {}
            return Answer(_encoded(error(STATUS[kind])), STATUS[kind], kind, headers)
        if kind is Kind.DROP:
            return Answer(b"", kind=kind)
        data = made()
        if kind is Kind.MALFORMED:
            data = b"{'id': 'x', choices: [}"
        elif kind is Kind.TRUNCATED:
            data = data[: len(data) // 2]
        return Answer(data, kind=kind)

    def _other(self, asked: Asked) -> Answer:
        """The answer to anything but a request for a completion."""
        if asked.path == "/control/counts":
            return Answer(_encoded(self.book.counts()))
        if asked.path == "/control/served":
            return Answer(_encoded(self.book.rows()))
        parts = asked.path.strip("/").split("/")[1:]
        what = " ".join([asked.method, *(part if place % 2 == 0 else "…" for place, part in enumerate(parts))])
        try:
            return self._with_fault(self.book.service(what), lambda: self._serve(asked, parts))
        except Refused as fault:
            return _refusal(fault)

    def _serve(self, asked: Asked, parts: list[str]) -> bytes:
        """What the protocol answers about models, files and batches."""
        service = self.service
        match [asked.method, *parts]:
            case ["GET", "models"]:
                return _encoded(_MODELS)
            case ["POST", "files"]:
                form = asked.form()
                return _encoded(service.put_file(form["purpose"].decode(), form["file"]).shown())
            case ["GET", "files", name]:
                return _encoded(service.file(name).shown())
            case ["GET", "files", name, "content"]:
                return service.file(name).content
            case ["DELETE", "files", name]:
                del service.files[service.file(name).name]
                return _encoded({"id": name, "object": "file", "deleted": True})
            case ["POST", "batches"]:
                return _encoded(service.create(asked.json()).shown())
            case ["GET", "batches"]:
                after, limit = asked.query.get("after", [""])[0], int(asked.query.get("limit", ["20"])[0])
                return _encoded(service.listed(after, limit))
            case ["GET", "batches", name]:
                return _encoded(service.look(name).shown())
            case ["POST", "batches", name, "cancel"]:
                return _encoded(service.cancel(name).shown())
        raise Refused(404, f"nothing at {asked.method} {asked.path}")


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _refusal(fault: Refused) -> Answer:
    """An error that the request itself caused."""
    return Answer(_encoded({"error": {"message": str(fault), "code": None}}), fault.status)


@contextmanager
def running(config: Config | None = None) -> Iterator[Server]:
    """Run the endpoint in a thread of this process."""
    server = Server(config)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        listening, stop = await server.start(), asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()
        listening.close()
        server.hang_up()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    loop, stop = started.result(timeout=10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _serve_forever(config: Config) -> None:
    """Serve in this process, after one line that says where."""
    server = Server(config)
    listening = await server.start()
    sys.stdout.write(server.url + "\n")
    sys.stdout.flush()
    await listening.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="{}", help="JSON object with the fields of Config")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve_forever(Config.of(json.loads(parser.parse_args().config))))
