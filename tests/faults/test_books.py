"""What a file contains: it is set aside with its reason and the run goes on, unless ``strict`` or nothing is left."""

import pytest


@pytest.fixture
def shelved(bare):
    """A shelf of one good book and three files that are none."""
    folder = bare.data / "01_raw/odd"
    folder.mkdir(exist_ok=True)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    (folder / "page.pdf").write_bytes(b"<html>Not found</html>")
    (folder / "empty.pdf").touch()
    odd = "".join(
        f"{name}: {{file: data/01_raw/odd/{name}.pdf, licence: own}}\n" for name in ("broken", "page", "empty")
    )
    good = "anatomy: {file: data/01_raw/textbooks/anatomy.pdf, licence: own}\n"
    return bare, good, odd


def ingest(project, *args):
    return project.forked("run", "--pipelines", "ingest_textbooks", *args)


def test_files_that_cannot_be_read_are_set_aside_and_the_run_goes_on(shelved):
    project, good, odd = shelved
    project.configure(shelf=good + odd)
    code, said = ingest(project)
    assert code == 0, said
    assert "3 of 4 files set aside: the reasons are in" in said.splitlines()[-1]
    report = project.read("03_primary/ingest_report").set_index("book")
    assert report.status["anatomy"] == "ok"
    for name in ("broken", "page", "empty"):
        assert report.status[name] == "quarantined" and report.reason[name]
    assert set(project.read("03_primary/passages").book) == {"anatomy"}
    quarantine = project.data / "03_primary/quarantine"
    assert {path.name for path in quarantine.iterdir()} == {"broken.pdf", "page.pdf", "empty.pdf", "reasons.csv"}
    assert (quarantine / "page.pdf").read_bytes() == b"<html>Not found</html>"
    project.configure(shelf=good)
    assert ingest(project)[0] == 0
    assert [path.name for path in quarantine.iterdir()] == ["reasons.csv"]


def test_strict_stops_at_one(shelved):
    project, good, odd = shelved
    project.configure(shelf=good + odd)
    code, said = ingest(project, "--params", "ingest_textbooks.strict=true")
    assert code == 1 and "Traceback" not in said
    error = said.splitlines()[-1]
    assert error.startswith("Error: strict: a file could not be read") and "broken: quarantined (" in error


def test_nothing_readable_at_all_stops(shelved):
    project, _, odd = shelved
    project.configure(shelf=odd)
    code, said = ingest(project)
    assert code == 1 and "Traceback" not in said
    assert said.splitlines()[-1].startswith("Error: nothing could be read; broken: quarantined (")


def test_an_exam_without_a_question_is_one_clear_line(bare):
    (bare.data / "01_raw/none.jsonl").write_text("{}\n")
    bare.configure(benchmarks="none: {file: data/01_raw/none.jsonl}")
    code, said = bare.forked("run", "--to-nodes", "gather_benchmarks")
    assert code == 1 and "Traceback" not in said and "holds no question" in said.splitlines()[-1]
