"""Ontologies and tables: what they say, and rows and files that are not what they should be."""

import pytest

from med_small_lm.synthesis.graphs.model import GraphSource
from med_small_lm.synthesis.graphs.reading import fault_of

ONTOLOGY = r"""format-version: 1.2
! made up

[Term]
id: T:1
name: zoster
def: "A \"belt\"\nof blisters." [source:1]
synonym: "shingles" EXACT []
is_a: T:9 {source="x"} ! viral disease
relationship: R:1 T:2 ! pain

[Term]
id: T:2
name: pain
is_a:
this is no line

[Term]
id: T:3
name: gone
def: "No more." []
is_obsolete: true

[Term]
name: nobody

[Typedef]
id: R:1
name: has symptom
"""


def said(examples):
    return [one.messages[-1].content for one in examples]


@pytest.fixture
def file(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_an_ontology_describes_and_relates(read, file):
    files, examples = read(file("toy.obo", ONTOLOGY), "obo")
    assert said(examples) == ['A "belt" of blisters.', "zoster has symptom pain.", "zoster is a viral disease."]
    assert examples[0].parent_ids == ["toy.obo:7", "T:1"]
    report = files["toy.obo"]
    assert [(one.line, one.reason) for one in report.faults] == [
        (16, "no tag and value"),
        (15, "is_a is malformed"),
        (24, "a Term without id"),
    ]
    assert report.rows == sum(bool(line.strip()) for line in ONTOLOGY.splitlines()), "each line once"
    assert {one.reason: one.count for one in report.left_out}["obsolete"] == 5


def test_a_broken_heading_does_not_mix_two_terms(read, file):
    text = 'ontology: x\n[Term] ! a note\nid: T:1\nname: zoster\n[Term\nid: T:2\nname: pain\ndef: "It hurts." []\n'
    files, examples = read(file("toy.obo", text + '[Term]\nid: T:3\nname: a\\, b\ndef: "Both." []\n'), "obo")
    assert said(examples) == ["Both."] and "a, b" in examples[0].messages[0].content
    report = files["toy.obo"]
    assert [one.reason for one in report.faults] == ["no tag and value", "a Term with 2 ids"]
    assert report.rows == len(text.splitlines()) + 4


TABLE = '''id\tdisease\tsymptom\tcode
D:1\tzoster\tpain\tS
"D:1"\t"zoster"\t"rash ""red"""\tS
D:1\tzoster\tpain\tC
D:2\tmumps\t\tS
D:2\tmumps
# a note
D:2\tmumps\tfever\tS
'''
COLUMNS = {"head": "disease", "head_id": "id", "tail": "symptom", "relation": "code"}


def test_a_table_relates_and_a_pair_is_asked_for_once(read, file):
    files, examples = read(file("toy.tsv", TABLE), "tsv", columns=COLUMNS, relations={"S": "shows", "C": "causes"})
    assert said(examples) == [
        "zoster causes pain. zoster shows pain.",
        'zoster shows rash "red".',
        "mumps shows fever.",
    ]
    assert examples[0].parent_ids == ["toy.tsv:2", "toy.tsv:4", "D:1", "pain"]
    report = files["toy.tsv"]
    assert [(one.line, one.reason) for one in report.faults] == [(6, "2 cells, not 4")]
    assert {one.reason: one.count for one in report.left_out} == {
        "names of the columns": 1,
        "an empty cell": 1,
        "comment": 1,
    }


def test_a_table_describes(read, file):
    path = file("toy.tsv", "name\ttext\nzoster\tA belt.\nmumps\t\n")
    files, examples = read(path, "tsv", columns={"head": "name", "description": "text"})
    assert said(examples) == ["A belt."]
    assert files["toy.tsv"].left_out[-1].reason == "an empty cell"


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("obo", b"%PDF-1.7\n\0\0", "binary"),
        ("obo", TABLE, r"no OBO ontology"),
        ("obo", "", "empty"),
        ("tsv", TABLE.encode("utf-16"), "UTF-16"),
        ("obo.gz", b"\x1f\x8bnot gzip at all", "cannot be read"),
        ("tsv", "a\tb\n1\t2\n", "no column 'disease': the first line has 'a', 'b'"),
        ("tsv", "id\tdisease\tsymptom\tcode\n<html>\n</html>\n", "no row fits; line 2: 1 cells, not 4"),
    ],
)
def test_a_file_that_is_something_else_is_quarantined(read, file, kind, content, why):
    path = file(f"toy.{kind}", content)
    files, examples = read(path, kind[:3], columns=COLUMNS if kind == "tsv" else {})
    assert examples == []
    assert files[path.name].status == "quarantined"
    assert why in files[path.name].reason


def test_what_the_user_says_of_a_graph_is_checked(tmp_path, file):
    def fault(kind, path, **told):
        return fault_of(GraphSource("toy", path, kind, "own", 0, **told))

    table = file("toy.tsv", TABLE)
    assert fault("tsv", table, columns=COLUMNS) == ""
    assert "needs `columns" in fault("tsv", table)
    assert "what relates head and tail" in fault("tsv", table, columns={"head": "disease", "tail": "symptom"})
    assert "is no file" in fault("obo", tmp_path)
    assert "is no folder" in fault("rrf", table)
    assert "no MRCONSO.RRF" in fault("rrf", tmp_path)


def test_a_line_without_end_is_one_fault(read, file, monkeypatch):
    monkeypatch.setattr("med_small_lm.synthesis.graphs.lines.LONGEST", 64)
    long = "mumps\t" + "é" * 100 + "\tname\tof\ta\tthing"
    path = file("toy.tsv", f"name\ttext\n{long}\nzoster\tA belt.\nmumps\t\xff\n".encode())
    files, examples = read(path, "tsv", columns={"head": "name", "description": "text"})
    assert said(examples) == ["A belt.", "\xff"] or said(examples) == ["\xff", "A belt."]
    assert [(one.line, one.reason) for one in files["toy.tsv"].faults] == [(2, "longer than 64 bytes")]
    assert examples[0].parent_ids[0] in ("toy.tsv:3", "toy.tsv:4")


def test_a_row_of_which_nothing_is_left_is_told(read, file):
    rows = ["zoster\tzoster\tA belt.", "zoster\tpain\tAnother belt.", "mumps\tmumps\t<p></p>", "gout\tgout\tOf toes."]
    path = file("toy.tsv", "head\ttail\ttext\n" + "\n".join(rows) + "\n")
    files, examples = read(
        path, "tsv", columns={"head": "head", "tail": "tail", "description": "text"}, relation="causes"
    )
    assert sorted(said(examples)) == ["A belt.", "Of toes.", "zoster causes pain."]
    report = files["toy.tsv"]
    assert (report.rows, report.used) == (5, 3)
    assert {one.reason: one.count for one in report.left_out} == {"names of the columns": 1, "an empty text": 1}


def test_names_with_the_same_marks_are_different_examples(read, file):
    path = file("toy.tsv", "head\ttail\na-b\tc\na\tb-c\n")
    _, examples = read(path, "tsv", columns={"head": "head", "tail": "tail"}, relation="is")
    assert len({one.example_id for one in examples}) == 2


def test_only_markup_is_taken_out(read, file):
    path = file("toy.tsv", "head\ttext\nx\tA <b>ratio</b><br/> if a <Vmax and c> 3, <LOD or >2.\n")
    [one] = read(path, "tsv", columns={"head": "head", "description": "text"})[1]
    assert one.messages[-1].content == "A ratio if a <Vmax and c> 3, <LOD or >2."
