"""Each form of record becomes conversations; what is malformed or lacks something is told, and the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.schemas.rows import Message
from med_small_lm.tuning.instructions.forms import Found, read_source
from med_small_lm.tuning.instructions.sources import READERS, InstructionSource, known_sets

MEDQUAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document id="1" source="S"><Focus>Gout</Focus>
<QAPairs>
  <QAPair pid="1">
    <Question qid="1-1">What is gout ?</Question>
    <Answer>A disease of
       joints. <b>Painful</b></Answer>
  </QAPair>
  <QAPair pid="2"><Question>Who gets it ?</Question><Answer/></QAPair>
  <QAPair pid="3"><Question>Why ?</Question></QAPair>
</QAPairs></Document>
"""
LIVEQA = """<NLM-QUESTIONS>
<NLM-QUESTION questionid="Q1"><SUBJECT>gout</SUBJECT><MESSAGE>What helps?</MESSAGE>
  <SUB-QUESTIONS><SUB-QUESTION><ANSWERS>
    <ANSWER>Rest.</ANSWER>
    <ANSWER>Ice.</ANSWER>
  </ANSWERS></SUB-QUESTION></SUB-QUESTIONS></NLM-QUESTION>
<NLM-QUESTION questionid="Q2"><SUBJECT/><MESSAGE>Unanswered?</MESSAGE></NLM-QUESTION>
</NLM-QUESTIONS>
"""


def read(path: Path, reader: str, **more: object) -> list[Found]:
    return list(read_source(InstructionSource("a_set", path, reader, "CC0", **more)))  # type: ignore[arg-type]


def told(found: list[Found]) -> list[tuple[str, str]]:
    """Where each record stands, and what is wrong with it."""
    return [(one.place, one.fault) for one in found]


def asked_and_answered(found: list[Found]) -> list[tuple[str, ...]]:
    return [tuple(message.content for message in one.messages) for one in found if not one.fault]


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_chats_of_both_spellings(tmp_path: Path) -> None:
    lines = [
        {"id": "a_0", "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": " Q "},
                                   {"role": "assistant", "content": "A"}]},
        {"conversations": [{"from": "human", "value": "Q2"}, {"from": "gpt", "value": "A2"}]},
        {"messages": [{"role": "tool", "content": "Q"}]},
        {"messages": [{"role": "user", "content": "Q"}]},
        {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": " "}]},
        {"text": "no chat"},
    ]  # fmt: skip
    found = read(put(tmp_path, "chats.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n"), "messages")
    assert found[0].messages == (Message("system", "S"), Message("user", "Q"), Message("assistant", "A"))
    assert [message.role for message in found[1].messages] == ["user", "assistant"]
    assert told(found[2:]) == [
        ("chats.jsonl:3", "a message has no known role"),
        ("chats.jsonl:4", "nobody asks, or nobody answers"),
        ("chats.jsonl:5", "the field content is empty"),
        ("chats.jsonl:6", "no field messages"),
    ]


def test_lines_that_are_no_records(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    good = b'{"instruction": "I", "output": "O"}\n'
    file.write_bytes(
        b"\xef\xbb\xbf"
        + good
        + b'{"instruction": \n["I"]\n\n"\xff"\n{"instruction": "\\ud800", "output": "O"}\n'
        + good
    )
    found = read(file, "alpaca")
    assert [one.place for one in found] == [f"a.jsonl:{line}" for line in (1, 2, 3, 5, 6, 7)]
    assert [one.fault.partition(":")[0] for one in found] == [
        "", "malformed JSON", "the record is no object", "the text is not UTF-8", "the text is not UTF-8", "",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_number_of_many_digits_stops_nothing(tmp_path: Path, name: str) -> None:
    good, huge = '{"instruction": "I", "output": "O"}', '{"instruction": "I", "output": %s}' % ("7" * 5_000)
    text = f"[{good},\n{huge},\n{good}]" if name == "a.json" else f"{good}\n{huge}\n{good}\n"
    found = read(put(tmp_path, name, text), "alpaca")
    assert [(place.rpartition(":")[2], fault.partition(":")[0]) for place, fault in told(found)] == [
        ("1", ""), ("2", "malformed JSON"), ("3", "")
    ]  # fmt: skip


def test_a_quote_that_is_never_closed_swallows_no_other_row(tmp_path: Path) -> None:
    rows = "".join(f"Q{n}?\tA{n}\n" for n in range(50))
    file = put(tmp_path, "qa.tsv", f'question\tanswer\nOpen?\t"never closed\n{rows}')
    found = read(file, "qa")
    assert len(asked_and_answered(found)) == 50
    assert [told(found)[0]] == [one for one in told(found) if one[1]] and told(found)[0][0] == "qa.tsv:2"
    assert "quote" in told(found)[0][1]


@pytest.mark.parametrize(
    ("name", "reader", "content", "fault"),
    [
        ("a.jsonl", "alpaca", b"", "the file holds no record"),
        ("a.csv", "qa", b"question,answer\n", "the file holds no record"),
        ("a.json", "alpaca", b"[]", "the file holds no record"),
        ("a.xml", "medquad", b"<html><p>Not found</p></html>", "the file holds no record"),
        ("a.xml", "medquad", b"", "malformed XML"),
        ("a.csv", "qa", "question,answer\nQ,A\n".encode("utf-16"), "the file is UTF-16"),
        ("a.jsonl", "qa", '{"question": "Q", "answer": "A"}\n'.encode("utf-16"), "the file is UTF-16"),
        ("a.csv", "qa", "question,answer\nÜ,A\n".encode("latin-1"), "the text is not UTF-8"),
    ],
)
def test_a_file_that_gives_nothing_says_why(tmp_path: Path, name: str, reader: str, content: bytes, fault: str) -> None:
    (tmp_path / name).write_bytes(content)
    [one] = read(tmp_path / name, reader)
    assert one.fault.startswith(fault) and not one.messages


def test_an_input_that_is_no_text_is_not_left_off(tmp_path: Path) -> None:
    lines = [{"instruction": "Add.", "input": given, "output": "O"} for given in (12, ["a"], None, " ", "one\r\ntwo")]
    found = read(put(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines))), "alpaca")
    assert [one.fault for one in found] == ["the field input is no text"] * 2 + [""] * 3
    assert asked_and_answered(found) == [("Add.", "O"), ("Add.", "O"), ("Add.\n\none\ntwo", "O")]


def test_a_chat_of_either_spelling_where_the_other_is_empty(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    pq.write_table(
        pa.table({"messages": pa.array([None, chat]), "conversations": [chat, None]}), tmp_path / "a.parquet"
    )
    assert asked_and_answered(read(tmp_path / "a.parquet", "messages")) == [("Q", "A")] * 2


def test_instructions_with_input_and_instances(tmp_path: Path) -> None:
    lines = [
        {"instruction": "Sum up.", "input": "A long text.", "output": "Short."},
        {"instruction": "Add.", "instances": [{"input": "1 2", "output": "3"}, {"input": "", "output": "?"}]},
    ]
    found = read(put(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines))), "alpaca")
    assert asked_and_answered(found) == [("Sum up.\n\nA long text.", "Short."), ("Add.\n\n1 2", "3"), ("Add.", "?")]
    assert [one.place for one in found] == ["a.jsonl:1", "a.jsonl:2", "a.jsonl:2"]


def test_one_file_of_many_sets(tmp_path: Path) -> None:
    lines = [{"instruction": f"{source}?", "output": "O", "source": source} for source in ("umls", "medmcqa", "umls")]
    file = put(tmp_path, "medc_i.jsonl", "\n".join(map(json.dumps, lines)))
    found = read(file, "alpaca", where=known_sets().sets["medc_i_umls"].where)
    assert told(found) == [("medc_i.jsonl:1", ""), ("medc_i.jsonl:3", "")]


@given(st.lists(st.tuples(st.text(min_size=1), st.integers(0, 3)), min_size=1, max_size=8))
def test_an_array_gives_what_json_does(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, int]]) -> None:
    records = [{"instruction": f"I {text}", "output": "O" * (1 + size)} for text, size in pairs]
    file = put(tmp_path_factory.mktemp("array"), "a.json", json.dumps(records, indent=1))
    found = read(file, "alpaca")
    lines = file.read_text(encoding="utf-8").split("\n")
    assert [one.messages[1].content for one in found if one.messages] == [
        record["output"] for one, record in zip(found, records, strict=True) if one.messages
    ]
    assert all(lines[int(one.place.rpartition(":")[2]) - 1].strip() == "{" for one in found)


def test_an_array_goes_on_behind_a_malformed_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("med_small_lm.record_files._CHUNK", 16)  # records span many reads
    good = '{"instruction": "I", "output": "O"}'
    found = read(put(tmp_path, "a.json", f"[{good},\n{{'instruction': 1}},\n{good},\n7,\n{good}"), "alpaca")
    assert told(found) == [
        ("a.json:1", ""),
        ("a.json:2", "malformed JSON: Expecting property name enclosed in double quotes"),
        ("a.json:3", ""),
        ("a.json:4", "the record is no object"),
        ("a.json:5", ""),
        ("a.json:5", "malformed JSON: the array does not end"),
    ]


def test_tables_name_the_line_that_a_row_begins_in(tmp_path: Path) -> None:
    text = '\ufeffQuestion,Answer\r\n"Two\r\nlines?",Yes\r\nOnly one\r\nWhat?,\r\n"a"b,c\r\nLast?,No\r\n'
    found = read(put(tmp_path, "qa.csv", text), "qa")
    assert asked_and_answered(found) == [("Two\nlines?", "Yes"), ("Last?", "No")]
    assert [(place, fault.partition(":")[0]) for place, fault in told(found)] == [
        ("qa.csv:2", ""),
        ("qa.csv:4", "the row has 1 columns, not 2"),
        ("qa.csv:5", "the field answer is empty"),
        ("qa.csv:6", "malformed table"),
        ("qa.csv:7", ""),
    ]


def test_notes_ask_for_their_section(tmp_path: Path) -> None:
    file = put(
        tmp_path, "mts.csv", 'ID,section_header,section_text,dialogue\n0,GENHX,A note.,"Doctor: Hi.\nPatient: Hi."\n'
    )
    [(asked, answer)] = asked_and_answered(read(file, "mts_dialog"))
    assert asked.endswith("\n\nDoctor: Hi.\nPatient: Hi.") and "GENHX" in asked and answer == "A note."


def test_medquad_from_a_folder(tmp_path: Path) -> None:
    put(tmp_path, "1_A/b.xml", MEDQUAD)
    put(tmp_path, "1_A/a.xml", MEDQUAD[:-40])
    put(tmp_path, "LICENSE.txt", "not read")
    found = read(tmp_path, "medquad")
    assert told(found[-3:]) == [
        ("1_A/b.xml:4", ""), ("1_A/b.xml:9", "the field answer is empty"), ("1_A/b.xml:10", "no field answer")
    ]  # fmt: skip
    assert asked_and_answered(found)[-1] == ("What is gout ?", "A disease of\njoints. Painful")
    assert [one.fault.partition(":")[0] for one in found[:-3]].count(
        "malformed XML, the rest of the file is not read"
    ) == 1, "and its pairs before that"


def test_medquad_in_its_other_spelling(tmp_path: Path) -> None:
    pairs = '<pair pid="1"><question>What is gout?</question><answer>A disease.</answer></pair><pair><question/></pair>'
    found = read(put(tmp_path, "a.xml", f"<doc>\n<qaPairs>{pairs}</qaPairs></doc>"), "medquad")
    assert asked_and_answered(found) == [("What is gout?", "A disease.")]
    assert told(found) == [("a.xml:2", ""), ("a.xml:2", "the field question is empty")]


def test_xml_puts_in_no_entity_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    bomb = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{tmp_path}/secret">]>' + MEDQUAD.partition("\n")[2].replace("gout", "&x;")
    assert "secret" not in str(read(put(tmp_path, "a.xml", bomb), "medquad"))


def test_each_answer_of_liveqa_is_a_pair(tmp_path: Path) -> None:
    found = read(put(tmp_path, "live.xml", LIVEQA), "liveqa")
    assert asked_and_answered(found) == [("gout\nWhat helps?", "Rest."), ("gout\nWhat helps?", "Ice.")]
    assert told(found)[-1] == ("live.xml:7", "no field answer")


def test_parquet_as_the_hub_has_it(tmp_path: Path) -> None:
    pq.write_table(pa.table({"question": ["Q", None], "answer": ["A", "B"]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"nothing")
    assert [one.fault.partition(":")[0] for one in read(tmp_path, "qa")] == ["", "no field question", "no Parquet file"]


def test_the_table_of_known_sets_is_whole() -> None:
    sets = known_sets().sets
    assert sum(name.startswith("meerkat_") for name in sets) == 9
    assert sum(name.startswith("medc_i_") for name in sets) == 7
    assert sum(sets[name].published for name in sets if name.startswith("meerkat_")) == 441_034
    assert {one.reader for one in sets.values()} == set(READERS)
    assert all(one.published_by for one in sets.values())
    assert all(one.licence_by for one in sets.values() if one.licence)
