"""Sources other than PDF: what reads a file, by its suffix and by what it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.pages import Unreadable
from med_small_lm.textbooks.sources.epub import epub_document
from med_small_lm.textbooks.sources.html import html_document
from med_small_lm.textbooks.sources.jats import jats_document
from med_small_lm.textbooks.sources.markdown import markdown_document
from med_small_lm.textbooks.sources.opening import HEAD, nature, unpacked
from med_small_lm.textbooks.sources.plain import plain_document
from med_small_lm.textbooks.sources.s2orc import s2orc_document

Reader = Callable[[SourceFile, Reading], Document]

_FORMATS: dict[str, tuple[Reader, set[str], tuple[str, ...]]] = {
    "EPUB": (epub_document, {"a zip archive"}, (".epub",)),
    "web page": (html_document, {"a web page", "text"}, (".html", ".htm", ".xhtml")),
    "Markdown": (markdown_document, {"text"}, (".md", ".markdown")),
    "plain text": (plain_document, {"text"}, (".txt", ".txt.gz")),
    "JATS XML": (jats_document, {"XML", "text"}, (".xml", ".nxml", ".xml.gz", ".nxml.gz")),
    "JSON Lines": (s2orc_document, {"text"}, (".jsonl", ".jsonl.gz")),
}
"""Of each format its reader, what its files may begin like, and their suffixes."""
_BY_SUFFIX = {suffix: name for name, (_, _, suffixes) in _FORMATS.items() for suffix in suffixes}

SUFFIXES = (".pdf", *_BY_SUFFIX)
"""The suffixes of files that can be read, in lower case."""


def suffix_of(path: Path) -> str:
    """A file's suffix in lower case; of a file that gzip packed both."""
    suffixes = path.suffixes[-2:] if path.suffix.lower() == ".gz" else path.suffixes[-1:]
    return "".join(suffixes).lower()


def is_source(path: Path) -> bool:
    """Whether a path is a file that can be read, as far as its name says."""
    return suffix_of(path) in SUFFIXES and not path.name.startswith(".") and path.is_file()


def reader_of(path: Path) -> Reader | None:
    """What reads a file; None for a PDF.

    Raises:
        Unreadable: The file is empty, badly packed, of an unknown suffix, or not what its name says.
        FileNotFoundError: There is no such file.
    """
    suffix = suffix_of(path)
    if suffix == ".pdf":
        return None
    if suffix not in _BY_SUFFIX:
        raise Unreadable("quarantined", f"no format is known by the suffix {suffix[:20]!r}")
    reader, natures, _ = _FORMATS[_BY_SUFFIX[suffix]]
    with unpacked(path) as stream:
        head = stream.read(HEAD)
    if not head.strip():
        raise Unreadable("quarantined", "the file is empty")
    if nature(head) not in natures:
        raise Unreadable("quarantined", f"it is no {_BY_SUFFIX[suffix]}, whatever its name says")
    return reader
