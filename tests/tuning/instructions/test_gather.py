"""Of all that is read something becomes of every record: kept, left by the cap, or stopped and kept with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from med_small_lm.overlap.documents import Document, chat_document
from med_small_lm.schemas.rows import Verdict
from med_small_lm.synthesis.gates.phi import phi
from med_small_lm.tuning.instructions.gather import conversations_of, gather
from med_small_lm.tuning.instructions.sources import InstructionSource

LEAK = "Which drug is a benchmark's?"


def judge(documents: Iterable[Document]) -> Iterator[Verdict]:
    """Stops what asks a question of the exam."""
    for one in documents:
        leaks = LEAK in one.asserted
        yield Verdict("contamination", "fail" if leaks else "pass", float(leaks), "it asks that" if leaks else "")


def a_set(folder: Path, name: str, lines: Iterable[object], **more: object) -> InstructionSource:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return InstructionSource(name, file, "alpaca", "CC BY-NC 4.0", **more)  # type: ignore[arg-type]


def line(asked: object, answer: object = "It is so.") -> dict[str, object]:
    return {"instruction": asked, "output": answer}


def test_every_record_is_accounted_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = a_set(
        tmp_path, "one", [line("A?"), line(LEAK), line("A?"), line("B?", ""), line("C?", None), "x", line("D?")]
    )
    two = a_set(tmp_path, "two", [line("D?"), line("E?")])
    found = gather([one, two], judge, phi, 0)
    assert [record.messages[0].content for record in found.kept] == ["A?", "D?", "E?"]
    assert {record.parent_ids[0]: (record.gates[-1].gate, record.gates[-1].reason) for record in found.rejected} == {
        "one.jsonl:2": ("contamination", "it asks that"),
        "one.jsonl:3": ("duplicate", "says the same as one one.jsonl:1"),
        "one.jsonl:4": ("schema", "the field output is empty"),
        "one.jsonl:5": ("schema", "no field output"),
        "one.jsonl:6": ("schema", "the record is no object"),
        "two.jsonl:1": ("duplicate", "says the same as one one.jsonl:7"),
    }
    for report in found.reports:
        assert report.read == report.kept + report.not_drawn + sum(told.count for told in report.stopped)
    assert [report.read for report in found.reports] == [7, 2]
    assert "one: 1 skipped, no field output: one.jsonl:5" in caplog.text
    ids = [record.example_id for record in (*found.kept, *found.rejected)]
    assert len({record.example_id for record in found.kept}) == 3 and all(ids)


def test_kept_records_become_examples_with_licence_and_place(tmp_path: Path) -> None:
    [example] = conversations_of(gather([a_set(tmp_path, "one", [line("A?")])], judge, phi, 0).kept)
    assert (example.source, example.method, example.licence) == ("one", "alpaca", "CC BY-NC 4.0")
    assert (example.parent_ids, example.question_id, example.passage_ids) == (["one.jsonl:1"], "", [])
    assert [message.role for message in example.messages] == ["user", "assistant"]


def test_the_cap_draws_by_seed_and_a_set_that_grows_keeps_its_draw(tmp_path: Path) -> None:
    source = a_set(tmp_path, "one", [line(f"{n}?") for n in range(100)], cap=10)
    drawn = gather([source], judge, phi, 0)
    assert drawn.kept == gather([source], judge, phi, 0).kept
    places = [int(record.parent_ids[0].rpartition(":")[2]) for record in drawn.kept]
    assert len(places) == 10 and places == sorted(places) and drawn.reports[0].not_drawn == 90
    assert drawn.kept != gather([source], judge, phi, 1).kept
    grown = gather([a_set(tmp_path, "one", [line(f"{n}?") for n in range(110)], cap=10)], judge, phi, 0)
    assert len({r.example_id for r in drawn.kept} & {r.example_id for r in grown.kept}) >= 5


def test_what_the_cap_leaves_another_set_may_bring(tmp_path: Path) -> None:
    lines = [line(f"{n}?") for n in range(10)]
    found = gather([a_set(tmp_path, "one", lines, cap=4), a_set(tmp_path, "two", lines)], judge, phi, 0)
    assert len(found.kept) == 10 and len(found.rejected) == 4


def test_a_set_of_which_nothing_is_kept_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = replace(a_set(tmp_path, "one", [line("A?")]), where={"source": "umls"})
    found = gather([source], judge, phi, 0)
    assert [record.gates[-1].reason for record in found.rejected] == ["no record has source: umls"]
    assert [(one.levelname, one.message) for one in caplog.records if "nothing" in one.message] == [
        ("WARNING", "one: nothing of it is kept")
    ]


def test_chats_are_looked_through_for_patients(tmp_path: Path) -> None:
    source = a_set(tmp_path, "one", [line("My number is (555) 123-4567."), line("My knee hurts.")])
    assert len(gather([source], judge, phi, 0).kept) == 2
    found = gather([replace(source, chats=True), a_set(tmp_path, "two", [])], judge, phi, 0, looked_for="numbers")
    assert [report.looked_for for report in found.reports] == ["numbers", ""]
    assert [record.messages[0].content for record in found.kept] == ["My knee hurts."]
    assert found.rejected[0].gates == [Verdict("phi", "fail", 1.0, "telephone 1")]


def test_the_contamination_gate_reads_what_is_said_but_not_the_systems_words(tmp_path: Path) -> None:
    chat = {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"},
                         {"role": "assistant", "content": "A"}]}  # fmt: skip
    source = replace(a_set(tmp_path, "one", [chat]), reader="messages")
    read = chat_document(gather([source], judge, phi, 0).kept[0])
    assert set(read.whole) == {"S", "U", "A"} and set(read.asserted) == {"U", "A"}
    assert [asked.stem for asked in read.asked] == [("U",)]
