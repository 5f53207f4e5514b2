"""A book or a collection of papers on the shelf, as the ingestion pipeline takes it."""

from __future__ import annotations

import base64
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, Never

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Workers
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.sources import is_source, suffix_of
from med_small_lm.textbooks.workers import read_isolated

_PREVIEW_MAX = 5_000_000  # bytes of a file that is read for its preview


class PdfDataset(AbstractDataset[Never, SourceFile]):
    """A file of the shelf, of whatever format, or a folder. Entries are made from ``shelf.yml``.

    kedro-viz shows the title page of a PDF, and of other formats how they begin.
    """

    def __init__(
        self,
        *,
        filepath: str,
        book: str,
        licence: str,
        source: str = "book",
        title: str = "",
        language: str = "en",
        credentials: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Keep what the shelf says; ``credentials`` holds the ``password`` of an encrypted file."""
        password = (credentials or {}).get("password")
        self._file = SourceFile(book, Path(filepath), licence, source, title, language, password)
        self.metadata = metadata

    def load(self) -> SourceFile:
        """The file and what is known of it; its pages are read by the domain.

        Raises:
            DatasetError: The file is gone since the shelf was read.
        """
        if not self._file.path.exists():
            raise DatasetError(f"{self._file.book}: there is no file {self._file.path}")
        return self._file

    def save(self, data: Never) -> None:
        """Books are read, never written."""
        raise DatasetError(f"{self._file.path}: a book of the shelf is read-only")

    def _exists(self) -> bool:
        return self._file.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._file.path), "book": self._file.book, "licence": self._file.licence}

    def preview(self) -> ImagePreview:
        """The first page as a PNG; of what has none a page that says how the text begins, or why there is none."""
        path = self._file.path
        files = sorted(filter(is_source, path.rglob("*"))) if path.is_dir() else [path]
        png = (_title_page(files[0], self._file.password) if files else None) or _text_page(self._file, files)
        return ImagePreview(base64.b64encode(png).decode())


def _title_page(file: Path, password: str | None) -> bytes | None:
    """The first page of a PDF, or None of what cannot be shown."""
    import pymupdf

    if suffix_of(file) != ".pdf":
        return None
    try:
        with pymupdf.open(file) as document:
            document.authenticate(password or "")
            png: bytes = document[0].get_pixmap(dpi=50).tobytes("png")
            return png
    except Exception:  # MuPDF raises many types on damaged files
        return None


def _text_page(source: SourceFile, files: list[Path]) -> bytes:
    """A page with the title, and the beginning of the first file or why it cannot be read."""
    import pymupdf

    said = "there is no file that can be read"
    if files and files[0].stat().st_size > _PREVIEW_MAX:
        said = f"{files[0].name}: {files[0].stat().st_size / 1e6:.0f} MB"
    elif files:
        alone = IngestTextbooks(workers=Workers(processes=1))
        read = read_isolated(replace(source, path=files[0]), alone)
        said = "\n\n".join(f"{p.section}\n{p.text}" for p in read.passages[:4]) or read.report.reason
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=560)
        page.insert_htmlbox(
            page.rect + (36, 36, -36, -36),
            f"<h3>{escape(source.title or source.book)}</h3><p>{escape(said[:1500])}</p>".replace("\n", "<br>"),
        )
        png: bytes = page.get_pixmap(dpi=75).tobytes("png")
        return png
