"""What the probe finds at endpoints of several kinds: real HTTP on loopback."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.probe import REQUESTS, Findings, probe
from med_small_lm.teacher.requests import TeacherError

KEY = "sk-planted-for-the-probe"
FORMS = ("json_schema", "json_object", "text")


@dataclass
class Kind:
    """A kind of server: what it takes, and what it does with prompts longer than ``context`` tokens."""

    key: str | None = None
    listed: list[dict[str, Any]] | None = field(default_factory=lambda: [{"id": "llama"}, {"id": "qwen"}])
    refuses: tuple[str, ...] = ()  # forms
    ignores: bool = False  # response_format, without a word
    context: int = 10**9
    cuts: bool = True  # … or refuses with 400
    counts: bool = True  # usage
    finds: bool = True  # the word that is asked for
    logprobs: bool = True
    batches: bool = True
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, path: str, body: dict[str, Any], authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, body))
        if self.key and authorization != f"Bearer {self.key}":
            return 401, {"error": {"message": f"Incorrect API key provided: {authorization.removeprefix('Bearer ')}"}}
        if path == "/v1/models":
            return (404, {"error": "Not Found"}) if self.listed is None else (200, {"data": self.listed})
        if path.startswith("/v1/batches"):
            return (200, {"data": []}) if self.batches else (404, {"detail": "Not Found"})
        if self.listed is not None and body["model"] not in [one["id"] for one in self.listed]:
            return 404, {"error": {"message": f"The model {body['model']} does not exist."}}
        return self.complete(body)

    def complete(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        form = (body.get("response_format") or {}).get("type", "text")
        if form in self.refuses:
            return 400, {"error": {"message": f"response_format {form} is not supported"}}
        if body.get("logprobs") and not self.logprobs:
            return 400, {"error": {"message": "logprobs are not supported"}}
        prompt = body["messages"][-1]["content"]
        n_tokens = 10 + len(prompt) // 5
        if n_tokens > self.context:
            if not self.cuts:
                return 400, {"error": {"message": f"maximum context length is {self.context} tokens"}}
            prompt, n_tokens = prompt[-self.context * 5 :], self.context
        word = re.search(r"MARKER\d+", prompt) if self.finds else None
        wants_json = form != "text" or "JSON" in prompt
        content = json.dumps({"organ": "heart"}) if wants_json and not self.ignores else word.group() if word else "The"
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        if body.get("logprobs"):
            choice["logprobs"] = {"content": [{"token": "a", "logprob": -0.1}]}
        usage = {"usage": {"prompt_tokens": n_tokens, "completion_tokens": 3}} if self.counts else {}
        return 200, {"choices": [choice], **usage}


@contextmanager
def serving(kind: Kind) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            status, reply = kind.answer(self.path, body, self.headers.get("Authorization", ""))
            data = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def probed(kind: Kind, key: str | None = None, model: str = "llama", letters: int = 20_000) -> Findings:
    with serving(kind) as url:
        return probe(TeacherParams(model=model, base_url=url, price_in=0, price_out=0), url, key, letters)


def said(found: Findings) -> str:
    return "\n".join(found.lines())


def test_all_is_well_and_costs_what_the_help_says() -> None:
    kind = Kind(key=KEY, listed=[{"id": "llama", "max_model_len": 8192}, {"id": "qwen"}])
    found = probed(kind, KEY)
    assert found.problem == "" and found.models == ("llama", "qwen") and found.context == 8192
    assert found.forms == dict.fromkeys(FORMS, "") and found.form == "json_schema"
    assert found.truncated is False and found.marker and found.logprobs and found.batches
    assert "8,192 tokens" in said(found) and "arrive whole" in said(found) and "structured: json_schema" in said(found)
    assert len(kind.asked) == REQUESTS == 9


def test_calls_have_the_sampling_of_a_run() -> None:
    kind = Kind()
    with serving(kind) as url:
        params = TeacherParams(model="llama", base_url=url, temperature=0.3, max_tokens=77)
        probe(params, url, None)
    calls = [body for path, body in kind.asked if path == "/v1/chat/completions"]
    assert len(calls) == 7 and all(call["temperature"] == 0.3 and call["max_tokens"] == 77 for call in calls)


@pytest.mark.parametrize(
    ("refuses", "works"), [((), "json_schema"), (FORMS[:1], "json_object"), (FORMS[:2], "text")], ids=str
)
def test_forms_that_are_refused_are_told(refuses: tuple[str, ...], works: str) -> None:
    found = probed(Kind(refuses=refuses))
    assert found.form == works and f"structured: {works}" in said(found)
    assert all("is not supported" in found.forms[form] for form in refuses)


def test_a_form_that_is_taken_and_ignored_is_told() -> None:
    found = probed(Kind(ignores=True))
    assert found.form is None and "does not fit: no JSON" in found.forms["json_schema"]
    assert "none of the forms works" in said(found)


def test_truncation_is_named_with_its_cure() -> None:
    found = probed(Kind(context=2048))
    assert found.truncated and found.counted == 2048 and not found.marker
    assert found.foretold == pytest.approx(4030, rel=0.01)
    text = said(found)
    assert not found.usable
    assert "CUT to 2,048 of about 4,0" in text and "without an error" in text
    assert all(cure in text for cure in ("OLLAMA_CONTEXT_LENGTH", "num_ctx", "--max-model-len", "--ctx-size"))


def test_truncation_is_seen_without_any_count_of_tokens() -> None:
    cut, whole = probed(Kind(context=2048, counts=False)), probed(Kind(counts=False))
    assert cut.truncated and whole.truncated is False
    assert "are CUT without an error" in said(cut) and "arrive whole" in said(whole)


def test_a_model_that_finds_no_word_is_not_called_cut() -> None:
    blind, uncounted = probed(Kind(finds=False)), probed(Kind(finds=False, counts=False))
    assert blind.truncated is False and "arrive whole" in said(blind) and blind.usable
    assert uncounted.truncated is None and "not found out" in said(uncounted) and uncounted.usable


def test_a_prompt_that_fits_is_not_called_cut() -> None:
    assert probed(Kind(context=2048), letters=8_000).truncated is False


def test_a_long_prompt_that_is_refused_is_no_truncation() -> None:
    found = probed(Kind(context=2048, cuts=False))
    assert found.truncated is False and "not cut in silence: HTTP 400" in said(found)
    assert found.logprobs and found.batches  # the rest goes on
    assert not found.usable


@pytest.mark.parametrize(
    ("entry", "context"),
    [
        ({"max_model_len": 1}, 1),
        ({"context_length": 2}, 2),
        ({"context_window": 3}, 3),
        ({"max_context_length": 4}, 4),
        ({"meta": {"n_ctx_train": 5}}, 5),
        ({"meta": {"n_ctx": 6, "n_ctx_train": 5}}, 6),
        ({"meta": None}, None),
        ({}, None),
    ],
)
def test_the_context_is_read_where_servers_say_it(entry: dict[str, Any], context: int | None) -> None:
    found = probed(Kind(listed=[{"id": "llama", **entry}]))
    assert found.context == context
    assert ("unknown" in said(found)) == (context is None)


def test_what_is_not_there_is_said() -> None:
    found = probed(Kind(listed=None, logprobs=False, batches=False))
    assert found.problem == "" and found.models is None and found.logprobs is False and found.batches is False
    assert "lists no models" in said(found) and "not given" in said(found) and "not there" in said(found)


def test_an_unknown_model_is_told_with_the_nearest() -> None:
    found = probed(Kind(), model="lama")
    assert "there is no model lama (did you mean llama?); there are: llama, qwen (HTTP 404" in found.problem
    assert len(said(found).splitlines()) == 2


def test_a_wrong_key_is_told_and_not_repeated() -> None:
    found = probed(Kind(key="another"), KEY)
    assert "the key is refused (HTTP 401" in found.problem and "***" in found.problem and KEY not in said(found)


def test_a_missing_key_is_told_with_its_place() -> None:
    found = probed(Kind(key=KEY), None)
    assert "a key is wanted: teacher: {api_key: ...} in conf/local/credentials.yml" in found.problem


def test_nobody_there_is_one_line() -> None:
    with serving(Kind()) as url:
        pass
    found = probe(TeacherParams(model="llama", base_url=url), url, KEY)
    assert found.problem.startswith("not reached: ") and "\n" not in found.problem


def test_a_redirect_is_told_and_not_followed() -> None:
    kind = Kind()
    kind.answer = lambda *_: (307, {})  # type: ignore[method-assign]
    assert "none is followed there; is base_url right?" in probed(kind).problem


def test_another_path_is_told() -> None:
    kind = Kind()
    with serving(kind) as url:
        address = url.removesuffix("/v1")
        found = probe(TeacherParams(model="llama", base_url=address), address, None)
    assert found.problem


def test_the_builtin_teacher_has_no_endpoint() -> None:
    with pytest.raises(TeacherError, match="no endpoint to probe"):
        probe(TeacherParams(), "https://api.openai.com/v1", None)


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}ä", "sk one", f'{KEY}"', f"{KEY}\\"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    with serving(Kind()) as url:
        with pytest.raises(TeacherError, match="holds a blank, a line break or a sign that no key has") as told:
            probe(TeacherParams(model="llama", base_url=url), url, key)
    assert KEY not in str(told.value)
