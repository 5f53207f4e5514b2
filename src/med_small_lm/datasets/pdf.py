"""A textbook on the shelf, as the ingestion pipeline takes it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Never

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview

from med_small_lm.textbooks.documents import SourceFile


class PdfDataset(AbstractDataset[Never, SourceFile]):
    """A PDF, or a folder of PDFs. Entries are made from ``shelf.yml``; kedro-viz shows the title page."""

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
        """The first page as a PNG."""
        import pymupdf

        path = self._file.path
        first = next(path.rglob("*.pdf")) if path.is_dir() else path
        with pymupdf.open(first) as document:
            png = document[0].get_pixmap(dpi=50).tobytes("png")
        return ImagePreview(base64.b64encode(png).decode())
