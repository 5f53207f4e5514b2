"""Who gets the key and the prompts, and where the key must never lie."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.requests import Reply, Request, TeacherError

from .endpoint import Answer, serving
from .replaying import LEDGER, places_of, replaying

KEY = "sk-planted-in-the-credentials-77"
ENVIRONMENT = {
    "OPENAI_API_KEY": "sk-environment-1",
    "OPENAI_ADMIN_KEY": "sk-environment-2",
    "OPENAI_ORG_ID": "org-environment-3",
    "OPENAI_PROJECT_ID": "proj-environment-4",
    "OPENAI_WEBHOOK_SECRET": "whsec-environment-5",
    "OPENAI_CUSTOM_HEADERS": "X-Planted: environment-6\nAuthorization: Bearer environment-7",
    "OPENAI_BASE_URL": "https://environment-9.invalid/v1",
}
FOREIGN = "https://api.elsewhere.example/v1"
NEEDED = {
    *("host", "accept", "accept-encoding", "connection", "user-agent"),
    *("content-type", "content-length", "authorization"),
}


def ask(url: str, path: Path, key: str | None = KEY, **params: Any) -> Reply:
    given = {"model": "test-model", "base_url": url, "backoff": 0, "attempts": 2, "price_in": 0, "price_out": 0}
    teacher = open_teacher(TeacherParams(**given | params), path, key)
    try:
        return teacher.ask_all([Request("question", {}, (Message("user", "a passage"),))])[0]
    finally:
        teacher.close()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every request that would have left, to whatever host; no socket is opened."""
    import httpx2
    import openai

    seen: list[Any] = []

    def answered(request: Any) -> Any:
        seen.append(request)
        return httpx2.Response(200, content=Answer("heart").body())

    client = partial(openai.DefaultAsyncHttpxClient, transport=httpx2.MockTransport(answered))
    monkeypatch.setattr(openai, "DefaultAsyncHttpxClient", client)
    return seen


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(("key", "bearer"), [(KEY, f"Bearer {KEY}"), (None, "Bearer none")])
def test_nothing_of_the_environment_reaches_an_endpoint(ledger_path: Path, key: str | None, bearer: str) -> None:
    with serving(lambda body, number: Answer("heart")) as endpoint:
        assert ask(endpoint.url, ledger_path, key).status == "ok"
    _, headers = endpoint.seen[0]
    assert set(headers) <= NEEDED and headers["authorization"] == bearer
    assert "environment" not in json.dumps(endpoint.seen)


@pytest.mark.usefixtures("planted")
def test_nothing_of_the_environment_reaches_a_foreign_host(ledger_path: Path, sent: list[Any]) -> None:
    assert ask(FOREIGN, ledger_path).status == "ok"
    (request,) = sent
    assert request.url.host == "api.elsewhere.example" and set(request.headers) <= NEEDED
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "environment" not in str(request.headers.raw) + str(request.url)


@pytest.mark.usefixtures("planted")
def test_openai_alone_gets_what_its_variables_say_of_the_account(ledger_path: Path, sent: list[Any]) -> None:
    assert ask("https://api.openai.com/v1", ledger_path).status == "ok"
    (request,) = sent
    assert set(request.headers) <= NEEDED | {"openai-organization", "openai-project"}
    assert request.headers["openai-organization"] == ENVIRONMENT["OPENAI_ORG_ID"]
    assert request.headers["openai-project"] == ENVIRONMENT["OPENAI_PROJECT_ID"]
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(
    ("urls", "key"),
    [
        (["https://api.openai.com/v1"], "sk-environment-1"),
        ([FOREIGN], None),
        (["https://api.openai.com/v1", FOREIGN], None),
        (["https://api.openai.com.elsewhere.example/v1"], None),
        (["http://127.0.0.1:8000/v1"], None),
    ],
    ids=str,
)
def test_openais_variable_is_for_openai_alone(urls: list[str], key: str | None, tmp_path: Path) -> None:
    from med_small_lm.datasets.teacher import TeacherDataset

    params = TeacherParams(model="m", base_url=urls, price_in=1, price_out=1)
    assert TeacherDataset(filepath=str(tmp_path / "l.sqlite")).load().key_for(params) == key
    own = TeacherDataset(filepath=str(tmp_path / "l.sqlite"), credentials={"api_key": KEY})
    assert own.load().key_for(params) == KEY


def test_a_key_of_digits_is_a_key(tmp_path: Path) -> None:
    from med_small_lm.datasets.teacher import TeacherDataset

    access = TeacherDataset(filepath=str(tmp_path / "l.sqlite"), credentials={"api_key": 12345678}).load()  # type: ignore
    assert access.api_key == "12345678"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, ledger_path: Path) -> None:
    with serving(lambda body, number: Answer("heart")) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost") + "/chat/completions"
        away = Answer(status=status, headers={"Location": elsewhere})
        with serving(lambda body, number: away) as endpoint, pytest.raises(TeacherError, match=f"HTTP {status}"):
            ask(endpoint.url, ledger_path)
        assert len(endpoint.seen) == 1 and other.seen == []


@contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """A socket that takes connections, keeps what they say first, and hangs up: a proxy as far as anyone can see."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536))

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    with listening() as (address, heard):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
            monkeypatch.setenv(name.lower(), address)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield heard


def test_no_proxy_is_used_towards_this_machine(proxy: list[bytes], ledger_path: Path) -> None:
    with serving(lambda body, number: Answer("heart")) as endpoint:
        assert ask(endpoint.url, ledger_path).status == "ok"
    assert len(endpoint.seen) == 1 and proxy == []


@pytest.mark.parametrize(
    "given", [{"allow_hosts": ["gpu.invalid"]}, {"on_premises": True, "allow_hosts": ["gpu.invalid"]}]
)
def test_no_proxy_is_used_towards_own_hosts(given: dict[str, Any], proxy: list[bytes], ledger_path: Path) -> None:
    reply = ask("http://gpu.invalid/v1", ledger_path, attempts=1, **given)
    assert reply.status == "error" and proxy == []


def test_a_proxy_towards_a_foreign_host_sees_its_name_alone(proxy: list[bytes], ledger_path: Path) -> None:
    ask(FOREIGN, ledger_path, attempts=1)
    assert proxy and all(said.startswith(b"CONNECT api.elsewhere.example:443 ") for said in proxy)
    assert not any(KEY.encode() in said or b"passage" in said for said in proxy)


def _telling_error(key: str) -> Answer:
    return Answer(status=500, error={"message": f"{key} at fault; Authorization: Bearer {key}", "code": key})


TELLING: dict[str, Callable[[str], Answer]] = {
    "500": _telling_error,
    "400": lambda key: Answer(status=400, error={"message": f"key {key}", "code": key}),
    "401": lambda key: Answer(status=401, error={"message": f"Incorrect API key provided: {key}", "code": key}),
    "a page of text": lambda key: Answer(status=502, raw=f"<html>Bearer {key}</html>".encode()),
    "reply": lambda key: Answer(f"my key is {key}"),
    "refusal": lambda key: Answer("", refusal=f"not with {key}"),
    "no JSON": lambda key: Answer(raw=f"{key} {{".encode()),
    "no completion": lambda key: Answer(raw=json.dumps({"error": key}).encode()),
}


@pytest.mark.parametrize("kind", TELLING)
def test_an_endpoint_that_repeats_the_key_is_not_repeated(
    kind: str, ledger_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    with serving(lambda body, number: TELLING[kind](KEY)) as endpoint:
        try:
            told = repr(ask(endpoint.url, ledger_path))
        except TeacherError as error:
            told = repr(error) + repr(error.__cause__) + repr(error.__context__)
    ledger = Ledger(ledger_path)
    rows = repr(list(ledger.calls()))
    ledger.close()
    assert rows != "[]" and KEY not in told + rows + caplog.text + "".join(capfd.readouterr())
    assert places_of(KEY, ledger_path.parent) == []


def test_a_placeholder_for_a_key_spoils_no_text(ledger_path: Path) -> None:
    with serving(lambda body, number: Answer("the ollama test")) as endpoint:
        assert ask(endpoint.url, ledger_path, "test").content == "the ollama test"


def test_the_search_finds_what_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text(f"a {KEY}")
    (tmp_path / f"named {KEY}").touch()
    pd.DataFrame({"a": [[{"deep": f"x {KEY} {'pad ' * 99}"}]]}).to_parquet(
        tmp_path / "table.parquet", compression="zstd"
    )
    with closing(sqlite3.connect(tmp_path / "base.db")) as db:
        db.execute("CREATE TABLE t (a TEXT)")
        db.executemany("INSERT INTO t VALUES (?)", [(f"{'x' * n}{KEY}",) for n in range(3900, 4200)])
        db.commit()
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inside", f"{KEY} {'pad ' * 99}")
    (tmp_path / "innocent").write_text(KEY[:-1])
    assert set(places_of(KEY, tmp_path)) == {"plain.txt", f"named {KEY}", "table.parquet", "base.db", "packed.zip"}


ON_PREMISES = {
    "foreign": f"teacher.base_url={FOREIGN}",
    "openai": "teacher.base_url=https://api.openai.com/v1",
    "looks like loopback": "teacher.base_url=https://127.0.0.1.elsewhere.example/v1",
    "an address": "teacher.base_url=https://192.0.2.1/v1",
}


@pytest.mark.parametrize("base_url", ON_PREMISES.values(), ids=list(ON_PREMISES))
def test_on_premises_refuses_a_foreign_host_before_a_socket_is_opened(bare: Any, base_url: str) -> None:
    prices = "teacher.price_in=1,teacher.price_out=1"
    params = f"teacher.model=m,teacher.on_premises=true,{base_url},{prices}"
    code, said = bare.kedro("run", "--params", params, **bare.guard())
    assert code == 1 and said.count("\n") == 1 and "on_premises is true and " in said, said
    assert "nothing is sent there" in said and bare.made() == set() and bare.connections() == []


def test_one_foreign_host_among_several_is_enough(bare: Any) -> None:
    bare.configure(
        parameters="teacher: {model: m, on_premises: true, price_in: 0, price_out: 0, allow_hosts: [gpu1.hospital], "
        f'base_url: ["http://gpu1.hospital:8000/v1", "{FOREIGN}"]}}'
    )
    code, said = bare.kedro("run", **bare.guard())
    assert code == 1 and said.count("\n") == 1 and "api.elsewhere.example is not in allow_hosts" in said, said
    assert bare.connections() == []


def test_the_probe_is_refused_as_well(bare: Any) -> None:
    params = (
        f"teacher.model=m,teacher.on_premises=true,teacher.base_url={FOREIGN},teacher.price_in=1,teacher.price_out=1"
    )
    code, said = bare.kedro("teacher", "probe", "--params", params, **bare.guard())
    assert code == 1 and said.count("\n") == 1 and "nothing is sent there" in said, said
    assert bare.connections() == []


@pytest.mark.slow
def test_the_key_is_in_no_file_and_no_output_of_a_run(scratch: Any) -> None:
    before = scratch.data / LEDGER
    with replaying(before) as endpoint:
        scratch.configure(credentials=f"teacher: {{api_key: {KEY}}}\n")
        params = f"teacher.model=test-model,teacher.base_url={endpoint.url},generate_questions.judge_support=false"
        params += ",synthesize_cot.coverage.failed_max=1.0"  # the endpoint answers {} where a secret was cut out
        code, said = scratch.kedro("run", "--params", params, **ENVIRONMENT | {"OPENAI_LOG": "debug"})
    assert code == 0, said
    assert len(endpoint.seen) > 100 and all(KEY in headers["authorization"] for _, headers in endpoint.seen)
    with closing(sqlite3.connect(before)) as db:  # the key did come back, in errors and in replies
        rows = "FROM calls WHERE model = 'test-model' AND status = 'ok'"
        assert db.execute(f"SELECT count(*) {rows} AND response LIKE '%***%'").fetchone()[0] > 20
        assert db.execute(f"SELECT count(*) {rows} AND tries LIKE '%***%'").fetchone()[0] > 10
    with closing(sqlite3.connect(scratch.data / "mlflow.db")) as db:
        assert db.execute("SELECT count(*) FROM trace_info").fetchone()[0] > 10
    assert places_of(KEY, scratch.root) == ["conf/local/credentials.yml"]
    assert KEY not in said
    assert not [value for value in ENVIRONMENT.values() if places_of(value, scratch.root) or value in said]


WRONG_PLACES = {
    "a parameter": f"teacher.api_key={KEY}",
    "user of an address": f"teacher.base_url=https://me:{KEY}@api.elsewhere.example/v1",
    "query of an address": f"teacher.base_url=https://api.elsewhere.example/v1?key={KEY}",
    "no scheme": f"teacher.base_url=me:{KEY}@api.elsewhere.example/v1",
}


@pytest.mark.parametrize("params", WRONG_PLACES.values(), ids=list(WRONG_PLACES))
def test_a_key_in_the_wrong_place_is_refused_and_not_shown(bare: Any, params: str) -> None:
    code, said = bare.forked("run", "--params", f"teacher.model=m,{params},teacher.price_in=1,teacher.price_out=1")
    assert code == 1 and said.count("\n") == 1 and "teacher" in said and KEY not in said, said
    assert bare.made() == set() and places_of(KEY, bare.root) == []


CREDENTIALS = {
    "no end": f"teacher: {{api_key: {KEY}",
    "no end of a quote": f"teacher: {{api_key: '{KEY}}}",
    "a colon too many": f"teacher:\n  api_key: {KEY}: x",
    "a key alone": f"teacher: {KEY}",
    "a list": f"teacher: [api_key, {KEY}]",
    "another word": f"teacher: {{key: {KEY}}}",
    "a word too many": f"teacher: {{api_key: {KEY}, kay: x}}",
    "several": f"teacher: {{api_key: [{KEY}]}}",
}


@pytest.mark.parametrize("text", CREDENTIALS.values(), ids=list(CREDENTIALS))
def test_credentials_that_are_written_wrongly_are_not_shown(bare: Any, text: str) -> None:
    bare.configure(credentials=text)
    code, said = bare.forked("run", "--params", "teacher.model=m,teacher.price_in=1,teacher.price_out=1")
    assert code == 1 and said.count("\n") == 1 and "conf/local/credentials.yml" in said and KEY not in said, said
    assert bare.made() == set() and places_of(KEY, bare.root) == ["conf/local/credentials.yml"]
