"""Pages read from their picture by Tesseract, through PyMuPDF, where it is installed."""

from __future__ import annotations

import os
import re
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import pymupdf

from med_small_lm.params.ingest_textbooks import Reading

SIZE = 10.0
"""The size in points that a recognised page's main text is given: Tesseract's own sizes differ from word to word."""

# ISO 639-1 to the names of Tesseract's data, where those are not the language's ISO 639-3 code.
_NAMES = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa",
    "et": "est", "eu": "eus", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun",
    "id": "ind", "is": "isl", "it": "ita", "ja": "jpn", "ko": "kor", "la": "lat", "lt": "lit", "lv": "lav", "nl": "nld",
    "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe",
    "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "chi_sim",
}  # fmt: skip
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE
_PIXELS_MAX = 40_000_000  # a poster is recognised at fewer dots an inch
_SAME = 1.2  # sizes that differ by less are one: Tesseract measures words, not type


def tesseract_name(language: str) -> str:
    """What Tesseract calls a language: ``eng`` for ``en`` or ``en-GB``; a name that it may know itself is left."""
    return _NAMES.get(re.split("[-_]", language.lower())[0], language)


def missing(language: str, reading: Reading) -> str:
    """Why no page of this language can be read from its picture; empty if it can."""
    if reading.ocr == "never":
        return "OCR is switched off"
    folder = data_folder()
    if folder is None:
        return "Tesseract is not installed"
    name = tesseract_name(language)
    absent = [part for part in name.split("+") if not (folder / f"{part}.traineddata").is_file()]
    return f"Tesseract has no data for {' and '.join(absent)}" if absent else ""


@lru_cache(maxsize=1)
def data_folder() -> Path | None:
    """The folder of Tesseract's languages, or None where it is not installed."""
    if not (os.environ.get("TESSDATA_PREFIX") or shutil.which("tesseract")):
        return None
    try:
        folder = pymupdf.get_tessdata()
    except Exception:
        return None
    return Path(folder) if folder and Path(folder).is_dir() else None


def recognise(page: pymupdf.Page, language: str, reading: Reading) -> dict[str, Any]:
    """What the page's picture says, in the form of ``get_text("dict")``, with sizes as multiples of ``SIZE``."""
    inches = max(1e-6, page.rect.width * page.rect.height / 72**2)
    dpi = max(72, min(reading.ocr_dpi, int((_PIXELS_MAX / inches) ** 0.5)))
    found = page.get_textpage_ocr(
        flags=_FLAGS, language=tesseract_name(language), dpi=dpi, full=True, tessdata=str(data_folder())
    )
    content: dict[str, Any] = found.extractDICT()
    lines = [line for block in content["blocks"] for line in block.get("lines", ())]
    for line in lines:
        line["spans"] = [_line_span(line["spans"])]
    _even([line["spans"][0] for line in lines])
    return content | {"width": page.rect.width, "height": page.rect.height}


def _line_span(words: list[dict[str, Any]]) -> dict[str, Any]:
    """A line's words as one span of their usual size."""
    sizes = sorted(word["size"] for word in words if word["text"].strip()) or [SIZE]
    bases = sorted(word["origin"][1] for word in words)
    text = "".join(word["text"] for word in words)
    origin = (words[0]["origin"][0], bases[len(bases) // 2])
    return {"text": text, "size": sizes[len(sizes) // 2], "origin": origin, "font": "", "flags": 0}


def _even(spans: list[dict[str, Any]]) -> None:
    """Gives the page's main text ``SIZE``, and what is clearly larger or smaller a rounded multiple of it."""
    letters = sorted((span["size"], len(span["text"])) for span in spans)
    middle, total = 0, sum(number for _, number in letters)
    usual = SIZE
    for size, number in letters:
        middle += number
        if 2 * middle >= total:
            usual = size or SIZE
            break
    for span in spans:
        ratio = span["size"] / usual
        span["size"] = SIZE if 1 / _SAME < ratio < _SAME else SIZE * max(0.25, round(4 * ratio) / 4)
