"""An endpoint of the tests' own: real HTTP on loopback, the OpenAI protocol, faults on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the endpoint does with one request."""

    content: str = "{}"
    status: int = 200
    finish: str = "stop"
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drop: bool = False
    refusal: str | None = None
    error: dict[str, Any] = field(default_factory=lambda: {"message": "on demand", "code": None})

    def body(self) -> bytes:
        """Return the bytes of the response."""
        if self.raw is not None:
            return self.raw
        if self.status != 200:
            return json.dumps({"error": self.error}).encode()
        message = {"role": "assistant", "content": self.content, "refusal": self.refusal}
        return json.dumps(
            {
                "id": "x",
                "object": "chat.completion",
                "model": "test-model",
                "choices": [{"index": 0, "finish_reason": self.finish, "message": message}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }
        ).encode()


class Endpoint:
    """The running endpoint: ``seen`` holds the bodies and headers of all requests, in the order they came."""

    def __init__(self, decide: Callable[[dict[str, Any], int], Answer]) -> None:
        self.decide = decide
        self.seen: list[tuple[dict[str, Any], dict[str, str]]] = []
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        self.url = ""


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with endpoint.lock:
                endpoint.seen.append((body, {name.lower(): value for name, value in self.headers.items()}))
                number = len(endpoint.seen)
                endpoint.in_flight += 1
                endpoint.most_in_flight = max(endpoint.most_in_flight, endpoint.in_flight)
            try:
                answer = endpoint.decide(body, number)
                if answer.drop:
                    self.close_connection = True
                    return
                data = answer.body()
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
            finally:
                with endpoint.lock:
                    endpoint.in_flight -= 1

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextmanager
def serving(decide: Callable[[dict[str, Any], int], Answer]) -> Iterator[Endpoint]:
    """Run an endpoint that answers as ``decide(body, number of the request)`` says."""
    endpoint = Endpoint(decide)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(endpoint))
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
