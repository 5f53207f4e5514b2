"""The shelf: which layer's holds, what an entry becomes, who says the environment."""

from pathlib import Path

import pytest

from med_small_lm.errors import UserError
from med_small_lm.shelf import PROJECT, catalog_entries, current_env, read_exams, read_shelf

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
    made = catalog_entries(books, exams)
    pdf = made["ingest_textbooks.a.pdf"]
    assert (pdf["filepath"], pdf["credentials"], pdf["title"], pdf["language"]) == (
        str(PROJECT / BOOK),
        "a_key",
        "A",
        "de",
    )
    assert set(made) == {"ingest_textbooks.a.pdf", "evaluate.pocket_exam.questions"}
    assert not exams["pocket_exam"].scored


def test_the_environment_is_the_options_else_the_variables(monkeypatch):
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    assert current_env() is None
    monkeypatch.setenv("KEDRO_ENV", "own_books")
    assert current_env() == "own_books"
