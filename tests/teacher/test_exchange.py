"""The ledger as a Parquet file and back, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.exchange import ROWS, SCHEMA, VERSION_KEY, export_calls, import_calls
from med_small_lm.teacher.ledger import VERSION, Ledger
from med_small_lm.teacher.requests import TeacherError
from med_small_lm.teacher.tally import tally


def call(name: str, status: str = "ok", **more: object) -> Call:
    filled = {"request": '{"model":"m"}', "response": "" if status == "pending" else '{"choices":[]}', **more}
    return Call(name, "question", "m", 0, status=status, **filled)  # type: ignore[arg-type]


def ledger_of(path: Path, *calls: Call) -> Ledger:
    ledger = Ledger(path)
    ledger.add(calls)
    return ledger


ONE = call("a", usage={"prompt_tokens": 5}, cost=0.25, attempts=2, created=1.5, finished=2.5, tries=[{"cause": "x"}])


def test_a_ledger_goes_to_another_machine_and_back_nothing_is_new(tmp_path: Path) -> None:
    here = ledger_of(
        tmp_path / "here.sqlite", ONE, call("b", "invalid", reason="no JSON", parent="a"), call("c", "pending")
    )
    assert export_calls(here, tmp_path / "calls.parquet") == 3
    there = Ledger(tmp_path / "there.sqlite")
    assert import_calls(there, tmp_path / "calls.parquet") == (3, 3)
    assert list(there.calls()) == list(here.calls())
    assert there.lookup(["a"])["a"] == ONE
    assert import_calls(there, tmp_path / "calls.parquet") == (0, 3)


def test_an_answer_takes_the_place_of_a_pending_row_and_never_the_other_way(tmp_path: Path) -> None:
    here = ledger_of(tmp_path / "here.sqlite", call("a"), call("b", "pending"), call("c", "error"))
    there = ledger_of(tmp_path / "there.sqlite", call("a", "pending"), call("b"), call("c"))
    export_calls(here, tmp_path / "calls.parquet")
    assert import_calls(there, tmp_path / "calls.parquet") == (1, 3)
    assert {one.call_id: one.status for one in there.calls()} == {"a": "ok", "b": "ok", "c": "ok"}


def test_rows_go_in_groups(tmp_path: Path) -> None:
    n = 2 * ROWS + 7
    here = ledger_of(tmp_path / "here.sqlite", *(call(f"{i:05}") for i in range(n)))
    assert export_calls(here, tmp_path / "calls.parquet") == n
    written = pq.ParquetFile(tmp_path / "calls.parquet").metadata
    assert written.num_row_groups == 3 and written.row_group(0).num_rows == ROWS
    assert import_calls(Ledger(tmp_path / "there.sqlite"), tmp_path / "calls.parquet") == (n, n)


@pytest.mark.parametrize(("version", "cure"), [(VERSION + 1, "import it with the other's"), (1, "export it again")])
def test_another_version_is_named(version: int, cure: str, tmp_path: Path) -> None:
    other = SCHEMA.with_metadata({VERSION_KEY: str(version)})
    pq.write_table(other.empty_table(), tmp_path / "calls.parquet")
    with pytest.raises(TeacherError, match=f"of version {version}, this program reads {VERSION}") as told:
        import_calls(Ledger(tmp_path / "there.sqlite"), tmp_path / "calls.parquet")
    assert cure in str(told.value)


def test_other_files_are_named(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "there.sqlite")
    (tmp_path / "text").write_text("no Parquet at all")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "another.parquet")
    mine = SCHEMA.metadata
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(mine), tmp_path / "columns.parquet")
    told = {
        "text": "cannot be read",
        "gone": "cannot be read",
        "another.parquet": "no exported ledger",
        "columns.parquet": "other columns",
    }
    for name, what in told.items():
        with pytest.raises(TeacherError, match=f"{name}.*{what}"):
            import_calls(ledger, tmp_path / name)
    assert list(ledger.calls()) == []


def test_a_damaged_file_leaves_what_was_read(tmp_path: Path) -> None:
    here = ledger_of(tmp_path / "here.sqlite", *(call(f"{i:05}", reason=str(i) * 50) for i in range(2 * ROWS)))
    file = tmp_path / "calls.parquet"
    export_calls(here, file)
    second = pq.ParquetFile(file).metadata.row_group(1)
    data = bytearray(file.read_bytes())
    start = second.column(0).data_page_offset
    data[start : start + 400] = bytes(400)
    file.write_bytes(data)
    there = Ledger(tmp_path / "there.sqlite")
    with pytest.raises(TeacherError, match="cannot be read as an exported ledger"):
        import_calls(there, file)
    assert sum(1 for _ in there.calls()) == ROWS


def test_an_export_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ledger_of(tmp_path / "here.sqlite", ONE)
    monkeypatch.setattr(pq.ParquetWriter, "write_table", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        export_calls(here, tmp_path / "calls.parquet")
    assert not list(tmp_path.glob("*calls*"))


def test_the_tally_counts_calls_cost_and_causes(tmp_path: Path) -> None:
    tries = [
        {"cause": "HTTP 429: slow down", "cost": 0.0},
        {"cause": "HTTP 429: in 3 s"},
        {"cause": "connection: gone"},
    ]
    ledger = ledger_of(
        tmp_path / "here.sqlite", ONE, call("b", cost=0.5, tries=tries), call("c", "invalid"), call("d", "pending")
    )
    counted = tally(ledger.calls())
    assert counted.spent == 0.75 and counted.causes == {"HTTP 429": 2, "connection": 1, "x": 1}
    assert list(counted.lines()) == [
        "m  question: 1 invalid, 2 ok, 1 pending; cost 0.75",
        "in all: 4 calls, 5 prompt and 0 reply tokens, cost 0.75",
        "failed tries: 2 HTTP 429, 1 connection, 1 x",
    ]
