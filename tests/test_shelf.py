"""The shelf: which layer's holds, what an entry becomes, who says the environment."""

import json
from pathlib import Path

import pytest

from med_small_lm import hub
from med_small_lm.datasets.benchmark import BenchmarkDataset, BenchmarkFaultsDataset
from med_small_lm.datasets.graphs import GraphDataset
from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError
from med_small_lm.shelf import (
    catalog_entries,
    current_env,
    read_exams,
    read_graphs,
    read_instruction_sets,
    read_shelf,
)

BOOK = "data/01_raw/textbooks/anatomy.pdf"


@pytest.fixture
def conf(tmp_path):
    def write(**layers: str) -> Path:
        for layer, text in layers.items():
            (tmp_path / layer).mkdir(exist_ok=True)
            (tmp_path / layer / "shelf.yml").write_text(text)
        return tmp_path

    return write


def entry(name, **more):
    fields = {"file": BOOK, "licence": "own"} | more
    return f"{name}: {{{', '.join(f'{key}: {value}' for key, value in fields.items())}}}\n"


def test_the_shelf_is_taken_whole_from_the_last_layer_that_has_one(conf):
    root = conf(base=entry("a") + entry("b"), recipe=entry("c"))
    assert list(read_shelf(root, None)) == ["a", "b"]
    assert list(read_shelf(root, "recipe")) == ["c"]
    conf(local=entry("d"))
    assert list(read_shelf(root, None)) == list(read_shelf(root, "recipe")) == ["d"]


def test_a_path_is_absolute_or_from_the_projects_root(conf, tmp_path):
    (tmp_path / "any.pdf").touch()
    books = read_shelf(conf(base=entry("a") + entry("b", file=tmp_path)), None)
    assert books["a"].path == PROJECT / BOOK
    assert books["b"].path == tmp_path


def test_no_shelf_anywhere_names_the_place(tmp_path):
    with pytest.raises(UserError, match=r"there is no shelf.yml in .*base"):
        read_shelf(tmp_path, None)


def test_a_shelf_holds_only_what_can_be_read(conf, tmp_path):
    (tmp_path / "notes.docx").touch()
    (tmp_path / "papers.JSONL.gz").touch()
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / ".hidden.epub").touch()
    assert list(read_shelf(conf(base=entry("a", file=tmp_path / "papers.JSONL.gz")), None)) == ["a"]
    with pytest.raises(UserError, match=r"a: notes\.docx is not of a known format: \.pdf, \.epub"):
        read_shelf(conf(base=entry("a", file=tmp_path / "notes.docx")), None)
    with pytest.raises(UserError, match=r"a: no file in the folder .*papers of a known format"):
        read_shelf(conf(base=entry("a", file=tmp_path / "papers")), None)
    (tmp_path / "papers" / "page.html").touch()
    assert list(read_shelf(conf(base=entry("a", file=tmp_path / "papers")), None)) == ["a"]


def test_entries_become_datasets(conf):
    books = read_shelf(conf(base=entry("a", title="A", password="a_key", language="de")), None)
    exams = read_exams(PROJECT / "conf", "own_books")
    made = catalog_entries(books, exams, {}, {})
    pdf = made["ingest_textbooks.a.pdf"]
    assert (pdf["filepath"], pdf["credentials"], pdf["title"], pdf["language"]) == (
        str(PROJECT / BOOK),
        "a_key",
        "A",
        "de",
    )
    exam = {"evaluate.pocket_exam.questions", "generate_questions.pocket_exam.faults"}
    assert set(made) == {"ingest_textbooks.a.pdf", *exam}
    assert not exams["pocket_exam"].scored


@pytest.fixture
def exams(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "medqa").mkdir()
    item = {"question": "Which?", "options": {key: key for key in "ABCD"}, "answer": "A", "answer_idx": "A"}
    (tmp_path / "medqa" / "test.jsonl").write_text(json.dumps(item) + "\n")

    def read(text: str) -> dict:
        (tmp_path / "base" / "benchmarks.yml").write_text(text.replace("FOLDER", str(tmp_path)))
        return read_exams(tmp_path, None)

    return read


def test_a_known_benchmark_becomes_a_dataset_that_reads_its_release(exams, tmp_path):
    found = exams(
        "mine: {task: medqa, file: FOLDER/medqa, scored: false}\nfile: {task: medqa, file: FOLDER/medqa/test.jsonl}"
    )
    made = catalog_entries({}, found, {}, {})
    for name, path in (("mine", tmp_path / "medqa"), ("file", tmp_path / "medqa/test.jsonl")):
        values = {
            key: value for key, value in made[f"evaluate.{name}.questions"].items() if key not in ("type", "validator")
        }
        assert values["filepath"] == str(path) and values["task"] == "medqa"
        (line,) = BenchmarkDataset(**values).load().to_dict("records")
        assert (line["question_id"], line["method"], line["split"]) == (f"{name}-test-00001", "medqa", "test")
        assert len(BenchmarkFaultsDataset(**values).load()) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine: {task: medqua, file: FOLDER/medqa}", r"mine\.task: there is no known benchmark 'medqua' \(did"),
        ("mine: {task: medqa, file: FOLDER/gone}", r"mine: there is no file .*gone"),
        ("mine: {task: medqa}", r"mine\.file: Field required"),
        ("mine: {task: medqa, file: FOLDER/medqa, hub: a/b}", r"mine: it has a `file` and a `hub`"),
        ("mine: {task: medqa, file: FOLDER/medqa, fields: {id: q}}", r"mine\.fields\.id: .*medqa needs none"),
        ("mine: {task: ecn_qa, file: FOLDER/medqa/test.jsonl, fields: {propositions: choix}}",
         r"mine\.fields\.propositions: test.jsonl has no field 'choix' .*it has question, options, answer, answer_idx"),
        ("mine: {task: medqa, file: FOLDER/medqa, splits: [train]}", r"mine\.splits: .* has test alone, and train"),
        ("mine: {task: medqa, file: FOLDER/medqa, splits: [exam]}", r"mine\.splits\.0: Input should be 'test'"),
        ("mine: {task: k_qa, file: FOLDER/medqa}", r"mine: test.jsonl has no field 'Question' for `task: k_qa`"),
        ("mine: {task: liveqa, file: FOLDER/medqa}", r"mine: nothing in .*medqa that `task: liveqa` takes"),
        ("mine: {file: FOLDER/medqa}", r"mine: .*medqa is no file of questions as JSON Lines"),
        ("mine: {file: FOLDER/medqa/test.jsonl, fields: {id: x}}", r"mine\.fields: it goes with a `task`"),
        ("mine: {task: medqa, hub: nobody/nothing}", r"mine\.hub: nobody/nothing of the hub is not in the local cache"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_benchmark_is_said(exams, text, said):
    with pytest.raises(UserError, match=said):
        exams(text)


def test_a_benchmark_of_the_hub_is_read_from_the_cache(exams, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    folder = cache / "datasets--own--exam"
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0" * 40)
    (snapshot / "test.jsonl").write_bytes((tmp_path / "medqa" / "test.jsonl").read_bytes())
    real = hub.snapshot_download
    monkeypatch.setattr(hub, "snapshot_download", lambda *told, **more: real(*told, **more, cache_dir=cache))
    found = exams("mine: {task: medqa, hub: own/exam}")
    made = catalog_entries({}, found, {}, {})["evaluate.mine.questions"]
    assert "filepath" not in made and made["hub"] == "own/exam"
    values = {key: value for key, value in made.items() if key not in ("type", "validator")}
    assert BenchmarkDataset(**values).load()["question_id"].tolist() == ["mine-test-00001"]


def test_a_benchmark_that_may_be_fetched_is_not_fetched_before_it_is_read(exams, monkeypatch):
    monkeypatch.setattr(hub, "snapshot_download", lambda *_told, **_more: pytest.fail("asked the hub"))
    assert exams("mine: {task: medqa, hub: own/exam, allow_download: true}")["mine"].hub == "own/exam"
    with pytest.raises(UserError, match=r"mine\.fields\.answer: .* \(did you mean answers\?\)"):
        exams("mine: {task: ecn_qa, hub: own/exam, allow_download: true, fields: {answer: x}}")


@pytest.fixture
def sets(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "chats.jsonl").write_text("{}\n")
    (tmp_path / "medquad").mkdir()
    (tmp_path / "medquad" / "a.xml").write_text("<a/>")

    def read(text: str) -> dict:
        (tmp_path / "base" / "instructions.yml").write_text(text.replace("FOLDER", str(tmp_path)))
        return read_instruction_sets(tmp_path, None)

    return read


def test_no_instruction_set_is_shipped():
    assert read_instruction_sets(PROJECT / "conf", "counterfactual") == {}


def test_a_known_set_needs_its_file_alone_and_what_is_given_holds(sets):
    found = sets("medquad: {file: FOLDER/medquad}\nmine: {file: FOLDER/medquad, set: medquad, licence: own, cap: 7}\n")
    known, mine = found.values()
    assert (known.reader, known.licence, known.cap, known.published) == ("medquad", "CC BY 4.0", 0, 47_457)
    assert (mine.name, mine.reader, mine.licence, mine.cap, mine.chats) == ("mine", "medquad", "own", 7, False)
    assert sets("mts_dialog: {file: FOLDER/chats.jsonl, chats: false}\n")["mts_dialog"].chats is False


def test_sets_become_datasets_that_load_what_the_table_says(sets):
    from med_small_lm.datasets.instructions import InstructionsDataset

    found = sets("medc_i_umls: {file: FOLDER/chats.jsonl, rewrite: clean}\n")
    entry = catalog_entries({}, {}, found, {})["synthesize_cot.medc_i_umls.records"]
    values = {key: value for key, value in entry.items() if key not in ("type", "metadata")}
    assert InstructionsDataset(**values).load() == found["medc_i_umls"] and found["medc_i_umls"].rewrite == "clean"
    assert InstructionsDataset(**values).preview()["columns"] == ["place", "conversation"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine: {file: FOLDER/chats.jsonl}", r"mine: no known set.*`reader: messages`"),
        ("medquat: {file: FOLDER/medquad}", r"did you mean medquad\?"),
        ("liveqa: {file: FOLDER/medquad}", r"liveqa: nobody tells its licence"),
        ("medquad: {file: FOLDER/medquad, rewrite: polish}", r"medquad\.rewrite: .*'clean'"),
        ("mine: {file: FOLDER/chats.jsonl, set: alpace}", r"no known set 'alpace' \(did you mean alpaca"),
        ("medquad: {file: FOLDER/chats.jsonl}", r"nothing in .*chats.jsonl that `reader: medquad` takes: \.xml"),
        ("alpaca: {file: FOLDER/medquad}", r"nothing in .*medquad that `reader: alpaca` takes: \.jsonl"),
        ("alpaca: {file: FOLDER/gone.json}", r"there is no file .*gone\.json"),
        ("alpaca: {file: FOLDER/chats.jsonl, caps: 3}", r"alpaca\.caps: there is no such key \(did you mean cap"),
        ("alpaca: {file: FOLDER/chats.jsonl, reader: chat}", r"alpaca\.reader: Input should be 'messages'"),
    ],
)
def test_what_is_wrong_with_a_set_is_said(sets, text, said):
    with pytest.raises(UserError, match=said):
        sets(text)


def test_the_environment_is_the_options_else_the_variables(monkeypatch):
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    assert current_env() is None
    monkeypatch.setenv("KEDRO_ENV", "own_books")
    assert current_env() == "own_books"


def test_a_knowledge_graph_is_an_entry_and_what_it_lacks_is_said(conf, tmp_path):
    table = tmp_path / "edges.tsv"
    table.write_text("a\tb\n1\t2\n")

    def graphs(text):
        (conf(base="") / "base" / "graphs.yml").write_text(text)
        return read_graphs(tmp_path, None)

    good = f"g: {{file: {table}, kind: tsv, licence: own, relation: is a, columns: {{head: a, tail: b}}}}"
    made = catalog_entries({}, {}, {}, graphs(good))["generate_questions.g.graph"]
    source = GraphDataset(**{key: made[key] for key in made.keys() - {"type"}}).load()
    assert source == graphs(good)["g"]
    assert (source.cap, source.path, dict(source.columns)) == (99_000, table, {"head": "a", "tail": "b"})
    assert graphs("# none") == {}
    with pytest.raises(UserError, match="g: there is no MRCONSO.RRF in"):
        graphs(f"g: {{folder: {tmp_path}, kind: rrf, licence: own}}")
    with pytest.raises(UserError, match=r"g\.licence: Field required"):
        graphs(f"g: {{file: {table}, kind: obo}}")
    with pytest.raises(UserError, match=r"g\.capp: there is no such key \(did you mean cap\?\)"):
        graphs(f"g: {{file: {table}, kind: obo, licence: own, capp: 3}}")
    with pytest.raises(UserError, match="there is no file .*gone"):
        graphs(f"g: {{folder: {tmp_path}/gone, kind: rrf, licence: own}}")
