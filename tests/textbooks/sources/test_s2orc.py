"""Papers as JSON Lines."""

from __future__ import annotations

import gzip
import json

PROSE = "The heart pumps blood through the body by contracting in a steady rhythm."


def lines(*records: object) -> str:
    return "".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records)


def spans(text: str, *pieces: str) -> str:
    return json.dumps([{"start": text.index(piece), "end": text.index(piece) + len(piece)} for piece in pieces])


FIRST = {
    "paper_id": "p1",
    "title": "Hearts",
    "abstract": [{"text": "In short.", "section": "Abstract"}],
    "body_text": [
        {"section": "Methods", "text": "As shown [1, 2] it works.", "cite_spans": [{"start": 9, "end": 15}]},
        {"section": "Methods", "text": PROSE},
        {"section": "Results", "text": "Fine."},
        {"section": "Broken", "text": None},
    ],
    "ref_entries": {"FIGREF0": {"text": "Figure 1: A heart.", "type": "figure"}},
    "back_matter": [{"text": "Thanks to all.", "section": "Acknowledgements"}],
}
TEXT = f"Lungs\nAbout lungs.\nMethods\n{PROSE} So said Smith [3]."
SECOND = {
    "corpusid": 7,
    "content": {
        "text": TEXT,
        "annotations": {
            "title": spans(TEXT, "Lungs"),
            "abstract": spans(TEXT, "About lungs."),
            "sectionheader": spans(TEXT, "Methods"),
            "paragraph": spans(TEXT, f"{PROSE} So said Smith [3]."),
            "bibref": spans(TEXT, "[3]"),
            "author": None,
        },
    },
}
THIRD = {"id": "s9", "source": "s2ag", "text": f"LIVER\n\n{PROSE}"}


def test_the_three_forms_give_kinds_levels_and_lines(write, document):
    found = document(write("a.jsonl", lines(FIRST, "", SECOND, THIRD)))
    assert [(p.kind, p.level, p.text, p.page) for p in found.paragraphs] == [
        ("heading", 1, "Hearts", 1),
        ("heading", 2, "Abstract", 1),
        ("text", 0, "In short.", 1),
        ("heading", 2, "Methods", 1),
        ("text", 0, "As shown it works.", 1),
        ("text", 0, PROSE, 1),
        ("heading", 2, "Results", 1),
        ("text", 0, "Fine.", 1),
        ("caption", 0, "Figure 1: A heart.", 1),
        ("heading", 1, "Lungs", 3),
        ("heading", 2, "Abstract", 3),
        ("text", 0, "About lungs.", 3),
        ("heading", 2, "Methods", 3),
        ("text", 0, f"{PROSE} So said Smith.", 3),
        ("heading", 1, "s9", 4),
        ("heading", 2, "LIVER", 4),
        ("text", 0, PROSE, 4),
    ]
    assert found.left_out["authors", 1] == 3


def test_passages_name_paper_and_line_and_no_paper_is_front_matter(write, reader):
    papers = [
        {"paper_id": str(n), "title": title, "body_text": [{"section": "", "text": f"{n} {PROSE}"}]}
        for n, title in enumerate(("One", "Chapter 1", "References"))
    ]
    found = reader(write("a.jsonl", lines(*papers)))
    assert [(p.section, p.page_first) for p in found.passages][:2] == [("One", 1), ("Chapter 1", 2)]


def test_a_bad_line_is_left_out_with_its_reason(write, reader):
    bad = ['{"title": "cut', "[1]", {"title": "nothing in it"}, "[" * 100_000, "\x00\xff"]
    found = reader(write("a.jsonl", lines(*bad[:2], FIRST, *bad[2:])))
    assert found.report.status == "ok" and {p.page_first for p in found.passages} == {3}
    assert {d.reason: d.pages for d in found.report.dropped} == {
        "authors": 0,
        "no JSON": 3,
        "no JSON object": 1,
        "no text in it": 1,
    }


def test_a_file_without_a_paper_says_what_is_wrong_with_the_first(write, reader):
    report = reader(write("a.jsonl", lines([1], {"a": 1}))).report
    assert (report.status, report.reason) == ("quarantined", "none of its 2 lines is a paper; line 1: no JSON object")


def test_a_line_too_long_for_a_paper_is_passed_over(write, reader):
    found = reader(write("a.jsonl", '{"text": "' + "a" * 45_000_000 + '"}\n' + lines(FIRST)))
    assert {p.page_first for p in found.passages} == {2} and found.report.pages == 2


def test_odd_annotations_are_passed_over(write, document):
    notes = {"paragraph": "[[1]]", "sectionheader": [{"start": "x"}, {"start": 5, "end": 2}], "bibref": "nonsense"}
    record = {"corpusid": 1, "content": {"text": "abc", "annotations": notes}}
    found = document(write("a.jsonl", lines(record, SECOND)))
    assert found.paragraphs[0].page == 2 and set(found.left_out) == {("no JSON", 1)}


def test_packed_files_are_unpacked_up_to_the_limit(write, reader):
    path = write("a.jsonl.gz", gzip.compress(lines(FIRST).encode()))
    assert [p.section for p in reader(path).passages] == ["Hearts > Abstract", "Hearts > Methods", "Hearts > Results"]
    bomb = write("b.jsonl.gz", gzip.compress((b'{"a": "' + b"x" * 1000 + b'"}\n') * 3000))
    assert reader(bomb, megabytes_max=2).report.reason.startswith("it holds more than 2 MB")
    cut = write("c.jsonl.gz", gzip.compress(lines(*[FIRST] * 50).encode())[:200])
    assert reader(cut).report.reason.startswith("it cannot be unpacked")


def test_a_paper_without_annotations_is_read_as_plain_text(write, reader):
    content = {"text": f"{PROSE}\n\nMore on it.", "annotations": {"title": None, "paragraph": None}}
    found = reader(write("a.jsonl", lines({"corpusid": 7, "content": content})))
    assert [(p.section, p.text) for p in found.passages] == [("7", f"{PROSE}\nMore on it.")]
