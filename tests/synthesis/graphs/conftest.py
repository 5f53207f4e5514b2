"""Small made-up graphs."""

import pytest

from med_small_lm.synthesis.graphs.model import GraphSource
from med_small_lm.synthesis.graphs.prompts import examples_of
from med_small_lm.synthesis.graphs.reading import read_graph
from med_small_lm.synthesis.graphs.store import GraphStore


def name(cui, text, lat="ENG", ts="P", stt="PF", best="Y", sab="MSH", suppress="N"):
    return f"{cui}|{lat}|{ts}|L1|{stt}|S1|{best}|A1||M1|D1|{sab}|PT|D1|{text}|0|{suppress}||"


def definition(cui, text, sab="MSH", suppress="N"):
    return f"{cui}|A1|AT1||{sab}|{text}|{suppress}||"


def relation(first, rela, second, direction="", sab="MSH", suppress="N"):
    return f"{first}|A1|AUI|RO|{second}|A2|AUI|{rela}|R1||{sab}|{sab}||{direction}|{suppress}||"


@pytest.fixture
def rrf():
    """The makers of rows."""
    return name, definition, relation


@pytest.fixture
def umls(tmp_path):
    """A function that writes a release: lines by file."""

    def write(**files):
        folder = tmp_path / "META"
        folder.mkdir(exist_ok=True)
        for file, lines in files.items():
            (folder / f"{file.upper()}.RRF").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return write


@pytest.fixture
def read():
    """A function from a path and a kind to the reports by file and the examples."""

    def made(path, kind, seed=0, cap=0, **told):
        source = GraphSource("toy", path, kind, "CC0-1.0", cap, **told)
        with GraphStore() as store:
            files = read_graph(source, store)
            return {file.file: file for file in files}, list(examples_of(source, store, seed))

    return made
