"""Small files of every format, and what is read from them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Reading
from med_small_lm.textbooks import FileRead, SourceFile, read_file
from med_small_lm.textbooks.books import document_of
from med_small_lm.textbooks.documents import Document

CONTAINER = "<container><rootfiles><rootfile full-path='OPS/a.opf'/></rootfiles></container>"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file of that name."""

    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.fixture
def document() -> Callable[[Path], Document]:
    """The document of a file, with the settings that ship."""
    return lambda path: document_of(SourceFile("b", path, "CC0"), Reading())


@pytest.fixture
def reader() -> Callable[..., FileRead]:
    """``read_file`` with the settings that ship but for those named."""

    def read(path: Path, **reading: int) -> FileRead:
        return read_file(SourceFile("b", path, "CC0"), IngestTextbooks(reading=Reading(**reading)))

    return read


@pytest.fixture
def parts(write, document) -> Callable[[str, str | bytes], list[tuple[str, str]]]:
    """Kind and text of the paragraphs of a file of that name and content."""

    def of(name: str, content: str | bytes) -> list[tuple[str, str]]:
        return [(p.kind, p.text) for p in document(write(name, content)).paragraphs]

    return of


@pytest.fixture
def epub(tmp_path: Path) -> Callable[..., Path]:
    """An EPUB of documents (name to content), with more members, another spine or package if they are given."""

    def made(documents: dict[str, str], extra: dict[str, str] | None = None, spine: str = "", package=str) -> Path:
        path = tmp_path / "book.epub"
        kind = "application/xhtml+xml"
        items = "".join(f"<item id='{name}' href='{name}' media-type='{kind}'/>" for name in documents)
        items += "<item id='nav' href='nav.xhtml' properties='nav' media-type='application/xhtml+xml'/>"
        spine = spine or "".join(f"<itemref idref='{name}'/>" for name in documents)
        members = {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OPS/a.opf": package(f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>"),
            **{f"OPS/{name}": content for name, content in documents.items()},
            **(extra or {}),
        }
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    return made
