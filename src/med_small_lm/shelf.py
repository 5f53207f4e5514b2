"""The shelf: which textbooks, exams, instruction sets and knowledge graphs there are.

Adding one is adding an entry to ``shelf.yml``, ``benchmarks.yml``, ``instructions.yml`` or ``graphs.yml``. Each file is
taken whole from the last of ``conf/base``, the run's environment and ``conf/local`` that has one. They shape the
pipeline (a lane for each entry), so they are read without Kedro.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import click
from pydantic import AliasChoices, Field

from med_small_lm.entries import Entry, entries_of, layer
from med_small_lm.errors import UserError, nearest
from med_small_lm.exams import Exam, fault_in, faults_dataset, questions_dataset
from med_small_lm.synthesis.graphs.model import GraphSource
from med_small_lm.synthesis.graphs.reading import fault_of
from med_small_lm.textbooks.sources import SUFFIXES, is_source, suffix_of
from med_small_lm.tuning.instructions.sources import InstructionSource, Reader, Rewrite, known_sets, suffixes_of

_TOLD = ("reader", "licence", "cap", "where", "chats", "published", "published_by", "manifest", "rewrite")
_TOLD_OF_GRAPH = ("kind", "licence", "cap", "language", "vocabularies", "columns", "relation", "relations")


class Book(Entry):
    """One entry of the shelf: a file of any format that can be read, or a folder of them that is read as one lane."""

    title: str = ""
    licence: str = Field(min_length=1, description="under which terms the text may be used; carried by every record")
    password: str = Field("", description="name of the entry in credentials.yml that holds the password")
    language: str = "en"
    source: Literal["book", "paper", "general"] = Field(
        "book", description="book, or what is mixed into the corpus beside the books: paper, general"
    )


class InstructionSet(Entry):
    """One entry of ``instructions.yml``: conversations from outside, in a file or a folder of files.

    What is not given is taken from the table of known sets, under ``set`` or else under the entry's own name.
    """

    set: str = Field("", description="a set of the table of known ones, where the entry has another name")
    reader: Reader | None = Field(None, description="the form of its records")
    licence: str = Field("", description="under which terms the text may be used; carried by every record")
    cap: int | None = Field(None, ge=0, description="most records, drawn by seed; 0: all")
    chats: bool | None = Field(None, description="whether people write about themselves: what may identify them stops")
    rewrite: Rewrite = Field("", description="how the teacher rewrites its records first: clean, flashcard, heading")


class Graph(Entry):
    """One entry of ``graphs.yml``: a knowledge graph, in a file or, of UMLS, the folder of a release (its META)."""

    file: Path = Field(validation_alias=AliasChoices("file", "folder"), description="absolute, or from the root")
    kind: Literal["rrf", "obo", "tsv"] = Field(description="rrf: UMLS, a folder; obo: an ontology; tsv: a table")
    licence: str = Field(min_length=1, description="under which terms it may be used; carried by every record")
    cap: int = Field(99_000, ge=0, description="most examples, half a kind, drawn by seed; 0: all (MedC-I 99,000)")
    language: str = Field("ENG", min_length=1, description="rrf: LAT of the names")
    vocabularies: tuple[str, ...] = Field((), description="rrf: SABs that are used, the best first; none: all")
    columns: dict[Literal["head", "tail", "relation", "description", "head_id", "tail_id"], str] = Field(
        {}, description="tsv: which column holds what"
    )
    relation: str = Field("", description="tsv: what relates head and tail, where no column says so")
    relations: dict[str, str] = Field({}, description="other words for what the file calls a relation: {DM: treats}")


def current_env() -> str | None:
    """The environment that this command runs in: ``--env``, else ``KEDRO_ENV``, else none."""
    context = click.get_current_context(silent=True)
    return (context.params.get("env") if context else None) or os.getenv("KEDRO_ENV")


def read_shelf(conf: Path, env: str | None) -> dict[str, Book]:
    """The books by name, each checked: a path that exists, known keys, a name that Kedro can use.

    Raises:
        UserError: The shelf says something wrong; the message names the file and the entry.
    """
    file = layer(conf, env, "shelf.yml")
    books = entries_of(file, Book)
    if not books:
        raise UserError(f"{file}: the shelf is empty; add an entry such as `my_book: {{file: my.pdf, licence: own}}`")
    for name, book in books.items():
        if not _readable(book.path):
            lacks = f"no file in the folder {book.path}" if book.path.is_dir() else f"{book.path.name} is not"
            raise UserError(f"{file}: {name}: {lacks} of a known format: {', '.join(SUFFIXES)}")
    return books


def _readable(path: Path) -> bool:
    return any(map(is_source, path.rglob("*"))) if path.is_dir() else suffix_of(path) in SUFFIXES


def read_exams(conf: Path, env: str | None) -> dict[str, Exam]:
    """The exams by name; there may be none.

    Raises:
        UserError: ``benchmarks.yml`` says something wrong; the message names the file and the entry.
    """
    file = layer(conf, env, "benchmarks.yml")
    exams = entries_of(file, Exam)
    for name, exam in exams.items():
        if fault := fault_in(name, exam):
            raise UserError(f"{file}: {name}{fault}")
    return exams


def read_instruction_sets(conf: Path, env: str | None) -> dict[str, InstructionSource]:
    """The instruction sets by name, each whole: with the table's values where the entry gives none.

    Raises:
        UserError: ``instructions.yml`` says something wrong; the message names the file and the entry.
    """
    file = layer(conf, env, "instructions.yml")
    return {name: _source(file, name, entry) for name, entry in entries_of(file, InstructionSet).items()}


def read_graphs(conf: Path, env: str | None) -> dict[str, GraphSource]:
    """The knowledge graphs by name; there may be none.

    Raises:
        UserError: ``graphs.yml`` says something wrong; the message names the file and the entry.
    """
    file = layer(conf, env, "graphs.yml")
    graphs = {name: _graph(name, entry) for name, entry in entries_of(file, Graph).items()}
    for name, graph in graphs.items():
        if fault := fault_of(graph):
            raise UserError(f"{file}: {name}: {fault}")
    return graphs


def _graph(name: str, entry: Graph) -> GraphSource:
    told = {key: getattr(entry, key) for key in _TOLD_OF_GRAPH}
    return GraphSource(name, entry.path, **told)


def _source(file: Path, name: str, entry: InstructionSet) -> InstructionSource:
    known = known_sets()
    listed = known.sets.get(entry.set or name)
    if entry.set and listed is None:
        raise UserError(f"{file}: {name}: there is no known set {entry.set!r}{nearest(entry.set, known.sets)}")
    reader = entry.reader or (listed.reader if listed else None)
    licence = entry.licence or (listed.licence if listed else "")
    if reader is None:
        hint = nearest(name, known.sets)
        raise UserError(
            f"{file}: {name}: no known set{hint}, so say how it is read, `reader: messages`, and its licence"
        )
    if not licence:
        raise UserError(
            f"{file}: {name}: nobody tells its licence, so name the terms that you use it under: `licence: ...`"
        )
    source = InstructionSource(
        name, entry.path, reader, licence, entry.cap or 0, chats=bool(entry.chats), manifest=known.version,
        rewrite=entry.rewrite,
    )  # fmt: skip
    if listed:
        cap = listed.cap if entry.cap is None else entry.cap
        chats = listed.chats if entry.chats is None else entry.chats
        source = replace(
            source,
            cap=cap,
            chats=chats,
            where=listed.where,
            published=listed.published,
            published_by=listed.published_by,
        )
    suffixes = suffixes_of(reader)
    if not source.files() or source.files()[0].suffix.lower() not in suffixes:
        raise UserError(f"{file}: {name}: nothing in {entry.path} that `reader: {reader}` takes: {', '.join(suffixes)}")
    return source


def catalog_entries(
    books: Mapping[str, Book],
    exams: Mapping[str, Exam],
    sets: Mapping[str, InstructionSource],
    graphs: Mapping[str, GraphSource],
) -> dict[str, dict[str, Any]]:
    """A catalog entry for each book's PDF, each exam's questions, each instruction set and each knowledge graph."""
    shelf = {f"ingest_textbooks.{name}.pdf": _pdf(name, book) for name, book in books.items()}
    shelf |= {f"evaluate.{name}.questions": questions_dataset(name, exam) for name, exam in exams.items()}
    shelf |= {f"generate_questions.{name}.faults": faults_dataset(name, exam) for name, exam in exams.items()}
    shelf |= {f"synthesize_cot.{name}.records": _records(source) for name, source in sets.items()}
    return shelf | {f"generate_questions.{name}.graph": _graph_entry(graph) for name, graph in graphs.items()}


def _pdf(name: str, book: Book) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "med_small_lm.datasets.pdf.PdfDataset",
        "filepath": str(book.path),
        "book": name,
        "title": book.title,
        "licence": book.licence,
        "source": book.source,
        "language": book.language,
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }
    return entry | ({"credentials": book.password} if book.password else {})


def _records(source: InstructionSource) -> dict[str, Any]:
    told = {"source": source.name, **{key: getattr(source, key) for key in _TOLD}}
    return {
        "type": "med_small_lm.datasets.instructions.InstructionsDataset",
        "filepath": str(source.path),
        **told,
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }


def _graph_entry(graph: GraphSource) -> dict[str, Any]:
    told = {"graph": graph.name, **{key: getattr(graph, key) for key in _TOLD_OF_GRAPH}}
    return {
        "type": "med_small_lm.datasets.graphs.GraphDataset",
        "filepath": str(graph.path),
        **told,
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }
