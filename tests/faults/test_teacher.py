"""What is wrong with the teacher: one line before anything is paid for, or a clean stop that keeps all answers."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from tests.teacher.endpoint import Answer, serving
from tests.teacher.replaying import LEDGER, replaying

ASK = ("run", "--nodes", "rephrase_passages")
OPENAI = "teacher.model=m,teacher.price_in=1,teacher.price_out=1"
QUICK = "teacher.backoff=0,teacher.backoff_max=0,teacher.rest=0.001"


def at(url):
    """The parameters of an endpoint of the tests' own."""
    return f"teacher.model=test-model,teacher.base_url={url},{QUICK}"


def last_line(said):
    assert "Traceback" not in said, said
    return said.splitlines()[-1]


def rows(project, where="1"):
    with closing(sqlite3.connect(project.data / LEDGER)) as db:
        return db.execute(f"SELECT count(*) FROM calls WHERE {where}").fetchone()[0]


def refused(project, *args, **environment):
    """The one line of a refusal before anything runs."""
    code, said = project.kedro(*args, **environment) if environment else project.forked(*args)
    assert code == 1 and said.startswith("Error: ") and said.count("\n") == 1, said
    return said


def test_no_key(bare):
    said = refused(bare, "run", "--params", OPENAI, OPENAI_API_KEY="")
    assert "there is no key for api.openai.com" in said and "conf/local/credentials.yml" in said
    assert bare.made() == set()


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        ("teacher.model=m", ("price_in and price_out are missing for m at api.openai.com",)),
        ("teacher.model=m,teacher.price_in=1", ("price_in and price_out are missing",)),
        (
            "teacher.model=m,teacher.base_url=http://127.0.0.1:8000/v1,teacher.budget=5",
            ("price_in and price_out are missing for m at 127.0.0.1",),
        ),
        (
            "teacher.model=m,teacher.base_url=http://gpu.hospital/v1",
            ("plain HTTP to gpu.hospital is refused", "allow_hosts"),
        ),
        ("teacher.model=m,teacher.base_url=gpu.hospital", ("base_url is no http(s) address: gpu.hospital",)),
        ("teacher.concurency=4", ("teacher.concurency: there is no such parameter (did you mean concurrency?)",)),
        ("teacher.budget=-1", ("teacher.budget is -1", "greater than or equal to 0")),
    ],
    ids=str,
)
def test_parameters(bare, params, parts):
    said = refused(bare, "run", "--params", params)
    assert all(part in said for part in parts), said
    assert bare.made() == set()


def test_a_wrong_key_stops_at_once(scratch):
    before = rows(scratch)
    no = Answer(status=401, error={"message": "Incorrect API key provided", "code": "invalid_api_key"})
    with serving(lambda body, number: no) as endpoint:
        code, said = scratch.forked(*ASK, "--params", at(endpoint.url) + ",teacher.concurrency=4")
    assert code == 1 and len(endpoint.seen) <= 4
    assert "refuses every call: HTTP 401" in last_line(said) and "Incorrect API key" in last_line(said)
    assert rows(scratch, "status = 'ok'") == before


def test_a_key_that_is_wanted_is_asked_for(scratch):
    scratch.configure(credentials="{}", catalog="{}")
    with serving(lambda body, number: Answer(status=401, error={"message": "no key", "code": None})) as endpoint:
        code, said = scratch.forked(*ASK, "--params", at(endpoint.url))
    assert code == 1 and "HTTP 401: no key" in last_line(said)


def test_an_unknown_model_stops_at_once(scratch):
    no = Answer(status=404, error={"message": "The model test-model does not exist", "code": "model_not_found"})
    with serving(lambda body, number: no) as endpoint:
        code, said = scratch.forked(*ASK, "--params", at(endpoint.url) + ",teacher.concurrency=4")
    assert code == 1 and len(endpoint.seen) <= 4
    assert "HTTP 404: " in last_line(said) and "The model test-model does not exist" in last_line(said)


def test_a_host_that_is_not_reached_stops(scratch):
    with serving(lambda body, number: Answer()) as endpoint:
        pass
    code, said = scratch.forked(*ASK, "--params", at(endpoint.url))
    assert code == 1 and f"{endpoint.url} does not answer: connection: " in last_line(said)
    assert "All answers so far are kept" in last_line(said)


def test_a_key_that_is_taken_back_keeps_all_answers(scratch):
    """The endpoint answers some calls, then refuses all: the next run asks for the others alone."""
    with replaying(scratch.data / LEDGER) as good:
        decide = good.decide

        def until(body, number):
            return decide(body, number) if number <= 40 else Answer(status=401)

        good.decide = until
        code, said = scratch.forked(*ASK, "--params", at(good.url))
        kept = rows(scratch, "model = 'test-model' AND status = 'ok'")
        assert code == 1 and "HTTP 401" in last_line(said) and kept > 20, said
        answered = {json.dumps(body["messages"]) for body, _ in good.seen[:40]}
        good.decide, first = decide, len(good.seen)
        code, said = scratch.forked(*ASK, "--params", at(good.url))
        assert code == 0, said
        again = [json.dumps(body["messages"]) for body, _ in good.seen[first:]]
        assert len(again) > 40
        repeated = [text for text in again if text in answered]
        assert len(repeated) <= 40 - kept  # those that met an error on purpose


def damaged(file):
    file.write_bytes(b"no database at all" * 500)


def damaged_inside(file):
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(file.read_bytes())
    data[4096 : len(data) // 2] = bytes(len(data) // 2 - 4096)
    file.write_bytes(data)


def newer(file):
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 3")


def another_database(file):
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE patients (name TEXT)")


LEDGERS = {
    "corrupt": (damaged, "teacher.sqlite is damaged or no ledger"),
    "newer": (newer, "teacher.sqlite has version 3; this program reads versions 1 to 2"),
    "another database": (another_database, "teacher.sqlite has version 0"),
}


@pytest.mark.parametrize(("spoil", "part"), LEDGERS.values(), ids=list(LEDGERS))
@pytest.mark.parametrize("model", ["builtin", "endpoint"])
def test_a_ledger_that_cannot_be_used_stops_before_anything_runs(scratch, spoil, part, model):
    spoil(scratch.data / LEDGER)
    for side in ("-wal", "-shm"):
        scratch.data.joinpath(f"{LEDGER}{side}").unlink(missing_ok=True)
    before = (scratch.data / LEDGER).read_bytes()
    with serving(lambda body, number: Answer()) as endpoint:
        more = ("--params", at(endpoint.url)) if model == "endpoint" else ()
        assert part in refused(scratch, *ASK, *more)
        assert endpoint.seen == [] and (scratch.data / LEDGER).read_bytes() == before
        if model == "builtin":
            assert part in refused(scratch, "teacher", "ledger")


def test_a_ledger_that_is_damaged_inside_is_one_line(scratch):
    damaged_inside(scratch.data / LEDGER)
    for command in (ASK, ["teacher", "ledger"]):
        code, said = scratch.forked(*command)
        assert code == 1 and "is damaged or no ledger: " in last_line(said), said


def test_a_locked_ledger_is_one_line(scratch):
    with closing(sqlite3.connect(scratch.data / LEDGER, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with serving(lambda body, number: Answer('{"text": "x"}')) as endpoint:
            said = refused(scratch, *ASK, "--params", at(endpoint.url))
        other.execute("ROLLBACK")
    assert "cannot be used: database is locked; does another run hold it?" in said and endpoint.seen == []


VERSION_1 = """
CREATE TABLE calls (
    call_id TEXT PRIMARY KEY, task TEXT NOT NULL, model TEXT NOT NULL, sample INTEGER NOT NULL, parent TEXT NOT NULL,
    status TEXT NOT NULL, reason TEXT NOT NULL, request TEXT NOT NULL, response TEXT NOT NULL, usage TEXT NOT NULL,
    cost REAL NOT NULL, attempts INTEGER NOT NULL, causes TEXT NOT NULL, created REAL NOT NULL, finished REAL NOT NULL
) WITHOUT ROWID"""


def test_a_ledger_of_version_1_goes_on_with_all_its_answers(scratch):
    new, old = scratch.data / LEDGER, scratch.root / "old.sqlite"
    names = "call_id, task, model, sample, parent, status, reason, request, response, usage, cost, attempts, {}, "
    names += "created, finished"
    with closing(sqlite3.connect(new)) as here, closing(sqlite3.connect(old)) as there:
        calls = here.execute(f"SELECT {names.format('tries')} FROM calls").fetchall()
        there.execute(VERSION_1)
        there.executemany(f"INSERT INTO calls ({names.format('causes')}) VALUES ({', '.join('?' * 15)})", calls)
        one = calls[0][0]
        there.execute("UPDATE calls SET causes = ? WHERE call_id = ?", ('["HTTP 500: once"]', one))
        there.execute("PRAGMA user_version = 1")
        there.commit()
    shutil.move(old, new)
    code, said = scratch.forked(*ASK)
    assert code == 0 and rows(scratch) == len(calls), said  # all of it was answered by the ledger
    with closing(sqlite3.connect(new)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        tries = db.execute("SELECT tries FROM calls WHERE call_id = ?", (one,)).fetchone()
    assert json.loads(tries[0]) == [{"cause": "HTTP 500: once"}]


PROMPTS = {
    "a slot that nothing fills": (
        "{passage}",
        "{pasage} {passage}",
        "nothing fills the slot pasage (did you mean passage?)",
    ),
    "no YAML": ("messages:", "messages: [", "line "),
    "an unknown key": ("version:", "versoin:", "unknown keys ['versoin'], missing ['version']"),
    "no schema": ("type: object", "type: objekt", "schema: "),
}


@pytest.mark.parametrize(("old", "new", "part"), PROMPTS.values(), ids=list(PROMPTS))
def test_a_prompt_that_is_wrong_stops_before_any_call(scratch, old, new, part):
    """It is the last prompt of a run: nothing was asked with the others either."""
    file = scratch.root / "conf/base/prompts/rationale.yml"
    text = file.read_text(encoding="utf-8")
    file.unlink()  # it may be a link
    file.write_text(text.replace(old, new), encoding="utf-8")
    with serving(lambda body, number: Answer()) as endpoint:
        said = refused(scratch, "run", "--params", at(endpoint.url))
    assert "conf/base/prompts/rationale.yml" in said and part in said
    assert endpoint.seen == []


def test_the_commands_about_the_ledger(scratch, tmp_path):
    code, said = scratch.forked("teacher", "ledger")
    assert code == 0 and f"{rows(scratch):,} calls" in said.splitlines()[-1], said
    file = tmp_path / "calls.parquet"
    code, said = scratch.forked("teacher", "export", str(file))
    assert code == 0 and last_line(said) == f"{rows(scratch):,} calls in {file}"
    total = rows(scratch)
    with closing(sqlite3.connect(scratch.data / LEDGER)) as db:
        db.execute("DELETE FROM calls WHERE task = 'rationale'")
        db.commit()
    gone = total - rows(scratch)
    code, said = scratch.forked("teacher", "import", str(file))
    assert code == 0 and last_line(said).startswith(f"{gone:,} of {total:,} calls were new to "), said
    assert "cannot be read as an exported ledger" in refused(scratch, "teacher", "import", "pyproject.toml")
    assert "cannot be read as an exported ledger" in refused(scratch, "teacher", "import", "gone.parquet")


def test_the_commands_without_a_ledger_or_an_endpoint(bare):
    assert "there is no ledger" in refused(bare, "teacher", "ledger")
    assert "there is no ledger" in refused(bare, "teacher", "export", "calls.parquet")
    assert "no endpoint to probe" in refused(bare, "teacher", "probe")
    assert bare.made() == set()


def test_a_probe_that_finds_nothing_usable_is_exit_code_1(bare):
    no = Answer(status=401)
    with serving(lambda body, number: no) as endpoint:
        code, said = bare.forked("teacher", "probe", "--params", at(endpoint.url))
    assert code == 1 and last_line(said) == "Error: 1 of 1 endpoints cannot be used as they are", said
