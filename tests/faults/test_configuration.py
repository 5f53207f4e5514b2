"""What the user wrote wrongly: one line that names the place and the cure, exit code 1, and nothing is written."""

import pytest

BOOK = "data/01_raw/textbooks/anatomy.pdf"
SHELVES = {
    "empty": ("", "conf/local/shelf.yml: the shelf is empty; add an entry such as"),
    "missing file": (
        "a: {file: gone.pdf, licence: own}",
        "shelf.yml: a: there is no file",
        "gone.pdf",
        "take the entry",
    ),
    "unknown key": (
        f"a: {{file: {BOOK}, licence: own, titel: A}}",
        "a.titel: there is no such key (did you mean title?)",
    ),
    "no licence": (f"a: {{file: {BOOK}}}", "shelf.yml: a.licence: Field required"),
    "bad name": (
        f"My-Book: {{file: {BOOK}, licence: own}}",
        "'My-Book' is no name: use lower case letters, digits and _",
    ),
    "not a mapping": (f"a: {BOOK}", "shelf.yml: expected entries of the form"),
    "invalid YAML": (f"a: {{file: {BOOK}", "shelf.yml: not valid YAML: ", "line 1"),
    "folder without a book": ("a: {file: conf/base, licence: own}", "shelf.yml: a: no file in the folder"),
    "unknown credentials": (
        f"a: {{file: {BOOK}, licence: own, password: a_pdf}}",
        "'a_pdf'",
        "conf/local/credentials.yml",
    ),
}
PARAMETERS = {
    "invalid YAML": ("evaluate: {seed: 1", "Invalid YAML", "conf/local/parameters.yml", "line 1"),
    "unknown pipeline": (
        "evaluat: {seed: 1}",
        "parameters.yml: evaluat: there is no such parameter (did you mean evaluate?)",
    ),
    "unknown key": (
        "evaluate: {mods: [likelihood]}",
        "evaluate.mods: there is no such parameter (did you mean modes?)",
    ),
    "wrong type": ("evaluate: {modes: quickly}", "evaluate.modes is 'quickly': Input should be a valid tuple"),
    "exam that is not scored": (
        "evaluate: {candidates: {open_book: {exams: [book_exams]}}}",
        "evaluate.candidates.open_book.exams: no exam 'book_exams' is scored (did you mean book_exam?); there are ",
    ),
    "deep": (
        "knowledge_injection: {injection: {optimiser: {clp: 1}}}",
        "injection.optimiser.clp",
        "did you mean clip?",
    ),
    "together": (
        "knowledge_injection: {injection: {epochs: 1}}",
        "knowledge_injection.injection: ",
        "either tokens or epochs",
    ),
}
COMMANDS = {
    "unknown pipeline": (
        ["--pipelines", "evaluatee"],
        "no pipeline 'evaluatee' (did you mean evaluate?)",
        "ingest_textbooks",
    ),
    "unknown pipeline, old option": (["--pipeline", "evaluatee"], "no pipeline 'evaluatee' (did you mean evaluate?)"),
    "unknown parameter": (
        ["--params", "generate_questions.held_out_shar=0.1"],
        "generate_questions.held_out_shar: there is no such parameter (did you mean held_out_share?)",
    ),
    "unknown root": (["--params", "sed=1"], "--params: sed: there is no such parameter (did you mean seed?)"),
    "out of range": (["--params", "evaluate.max_new_tokens=0"], "evaluate.max_new_tokens is 0: ", "than or equal to 1"),
    "wrong type": (
        ["--params", "evaluate.max_new_tokens=many"],
        "evaluate.max_new_tokens is 'many': ",
        "valid integer",
    ),
    "unknown environment": (["--env", "own_book"], "--env own_book: ", "no such folder (did you mean own_books?)"),
    "unknown node": (["--nodes", "tune"], "does not contain nodes named ['tune']"),
    "no input yet": (["--pipelines", "knowledge_injection"], "this run reads passages, which is not there yet"),
    "no base model": (
        ["--params", "knowledge_injection.base.source=./gone"],
        "knowledge_injection.base.source './gone': ",
    ),
}


def refused(project, *args):
    """The one line of a refusal; nothing but the tracker's empty database and the locks lies in ``data`` after it."""
    code, said = project.forked("run", *args)
    assert code == 1, said
    assert said.startswith("Error: ") and said.count("\n") == 1, said
    assert project.made() == set()
    return said


@pytest.mark.parametrize(("shelf", "parts"), [(text, parts) for text, *parts in SHELVES.values()], ids=list(SHELVES))
def test_shelf(bare, shelf, parts):
    bare.configure(shelf=shelf)
    said = refused(bare)
    assert all(part in said for part in parts), said


@pytest.mark.parametrize(("text", "parts"), [(t, p) for t, *p in PARAMETERS.values()], ids=list(PARAMETERS))
def test_parameters_file(bare, text, parts):
    bare.configure(parameters=text)
    said = refused(bare)
    assert all(part in said for part in parts), said


@pytest.mark.parametrize(("args", "parts"), [(a, p) for a, *p in COMMANDS.values()], ids=list(COMMANDS))
def test_command_line(bare, args, parts):
    said = refused(bare, *args)
    assert all(part in said for part in parts), said


def test_other_commands_say_it_in_one_line_too(bare):
    bare.configure(shelf="")
    for command in (["registry", "list"], ["catalog", "describe-datasets"], ["trace", "x"]):
        code, said = bare.forked(*command)
        assert code == 1 and said.startswith("Error: ") and said.count("\n") == 1, said


def test_too_little_disk_is_said_before_anything_runs(bare):
    books = bare.data / "01_raw/big"
    books.mkdir(exist_ok=True)
    with (books / "big.pdf").open("wb") as file:
        file.truncate(1 << 42)  # sparse: it takes no room
    bare.configure(shelf="big: {file: data/01_raw/big, licence: own}")
    said = bare.forked("run", "--pipelines", "ingest_textbooks")[1]
    (books / "big.pdf").unlink()
    assert "GiB of disk under" in said and "are free: make room" in said
    assert bare.made() == set()
