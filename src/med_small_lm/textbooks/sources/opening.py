"""A file's bytes and characters: unpacked up to a limit, decoded, and looked at for what they are."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from charset_normalizer import from_bytes

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.pages import Unreadable

HEAD = 4096
"""Bytes that tell what a file is."""
MEGABYTE = 1_000_000
_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"\x1f\x8b": "packed with gzip",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"{\\rtf": "RTF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
}
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BOM_NAMES = ("utf-8-sig", "utf-32", "utf-16", "utf-16")
_WEB = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html)\b", re.I | re.S)
_SAMPLE = 65536  # what the guess of an encoding reads


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes to read on, unpacked if gzip packed them.

    Raises:
        Unreadable: It is badly packed.
        FileNotFoundError: There is no such file.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Unreadable("quarantined", f"it cannot be unpacked: {error}") from error


def content(path: Path, reading: Reading) -> bytes:
    """All bytes of a file, unpacked.

    Raises:
        Unreadable: It cannot be unpacked, or unpacks to more than the limit.
    """
    with unpacked(path) as stream:
        return bounded(stream, reading)


def bounded(stream: BinaryIO, reading: Reading) -> bytes:
    """The rest of a stream, which may not be longer than the limit."""
    limit = reading.megabytes_max * MEGABYTE
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise too_large(reading)
    return data


def too_large(reading: Reading) -> Unreadable:
    """What is said of a file that is larger than the limit."""
    return Unreadable("quarantined", f"it holds more than {reading.megabytes_max} MB; split it or raise megabytes_max")


def nature(head: bytes) -> str:
    """What the first bytes of a file are, in words: a PDF, an image, a web page, XML, binary, or text."""
    if any(head.startswith(bom) for bom in _BOMS):
        return "text"
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    if b"\0" in head or len(re.findall(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]", head)) > len(head) / 50:
        return "binary"
    if _WEB.match(head):
        return "a web page"
    return "XML" if head.lstrip().startswith(b"<?xml") else "text"


def decoded(data: bytes, declared: str = "") -> str:
    """The characters of a file: by its mark, as UTF-8 if it is that, else as declared, else as they look."""
    for bom, name in zip(_BOMS, _BOM_NAMES, strict=True):
        if data.startswith(bom):
            return data.decode(name, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        start = max(0, error.start - _SAMPLE // 2)
    for name in (declared, _guess(data[start : start + _SAMPLE])):
        try:
            return data.decode("cp1252" if name.lower() in ("latin-1", "iso-8859-1") else name)
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("cp1252", errors="replace")


def _guess(sample: bytes) -> str:
    """The encoding that a text looks like; Western European where that reads as well as any."""
    found = from_bytes(sample)
    least = min((match.chaos for match in found), default=0.0)
    alike = {name for match in found if match.chaos <= least for name in match.could_be_from_charset + [match.encoding]}
    best = found.best()
    return "cp1252" if best is None or "cp1252" in alike else best.encoding
