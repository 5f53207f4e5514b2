"""Pages read from their picture, and what is said of them where nothing can read them."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Reading
from med_small_lm.textbooks import SourceFile, ocr, read_file

needs_tesseract = pytest.mark.skipif(
    bool(ocr.missing("en", Reading())), reason=f"no OCR: {ocr.missing('en', Reading())}"
)


@pytest.fixture
def no_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where it is not installed."""
    monkeypatch.setattr(ocr, "data_folder", lambda: None)


def scan(sheet, pages: int = 1) -> None:
    """Turns the last pages of the sheet into pictures of themselves."""
    document = sheet.document
    for number in range(len(document) - pages, len(document)):
        picture = document[number].get_pixmap(dpi=150, colorspace=pymupdf.csGRAY)
        document.delete_page(number)
        page = document.new_page(number, width=612, height=792)
        page.insert_image(page.rect, pixmap=picture)


def report_of(path: Path, language: str = "en", **reading: object):
    """The file's report and text."""
    params = IngestTextbooks(reading=Reading(**reading))
    read = read_file(SourceFile("b", path, "CC0", language=language), params)
    return read.report, " ".join(passage.text for passage in read.passages)


@needs_tesseract
def test_a_scanned_book_is_read(sheet, prose):
    """Its words come whole, as text and not as headings or notes, whatever sizes Tesseract measures."""
    sheet.line(72, 60, "Chapter 1 Blood", 20, "hebo")
    sheet.block(72, 100, prose(8), 460)
    scan(sheet)
    report, text = report_of(sheet.save(), ocr_dpi=150)
    assert (report.status, report.pages_kept) == ("ocr", 1)
    assert sum(word in text.split() for word in prose(8).split()) >= 0.95 * len(prose(8).split())


@needs_tesseract
def test_a_single_scanned_page_goes_on_with_the_text_before_it(sheet, prose):
    """The scale of recognised type is that of the book: nothing on the page is a note or a heading."""
    text = prose(60).split()
    y = sheet.block(72, 80, " ".join(text[:300]), 460)
    assert y < 760
    sheet.page()
    sheet.block(72, 80, " ".join(text[300:600]), 460)
    scan(sheet)
    report, found = report_of(sheet.save(), ocr_dpi=150)
    assert (report.status, report.pages_kept) == ("ocr", 2)
    assert sum(a == b for a, b in zip(found.split(), text, strict=False)) > 0.9 * min(600, len(text))


def test_without_tesseract_a_scanned_book_waits(no_tesseract, sheet, prose):
    """The report says what is missing."""
    sheet.block(72, 80, prose(8), 460)
    scan(sheet)
    report, _ = report_of(sheet.save())
    assert report.status == "needs_ocr" and "Tesseract is not installed" in report.reason


def test_without_tesseract_a_single_scanned_page_is_counted(no_tesseract, sheet, prose):
    """The rest of the book is read."""
    sheet.block(72, 80, prose(8), 460)
    sheet.page()
    sheet.block(72, 80, prose(8), 460)
    scan(sheet)
    report, text = report_of(sheet.save())
    assert (report.status, report.pages_kept, bool(text)) == ("ok", 1, True)
    assert [(entry.reason, entry.pages) for entry in report.dropped] == [("needs OCR", 1)]


@pytest.mark.parametrize(
    ("language", "setting", "reason"), [("en", "never", "switched off"), ("xx", "auto", "no data for xx")]
)
def test_the_reason_for_not_recognising_is_told(tmp_path, monkeypatch, sheet, prose, language, setting, reason):
    """Switched off, or no data for the language."""
    monkeypatch.setattr(ocr, "data_folder", lambda: tmp_path)
    sheet.block(72, 80, prose(8), 460)
    scan(sheet)
    report, _ = report_of(sheet.save(), language, ocr=setting)
    assert report.status == "needs_ocr" and reason in report.reason


@pytest.mark.parametrize(("language", "name"), [("en", "eng"), ("de-AT", "deu"), ("zh", "chi_sim"), ("frk", "frk")])
def test_languages_have_tesseracts_names(language, name):
    assert ocr.tesseract_name(language) == name


def test_a_damaged_page_is_counted(sheet, prose, tmp_path):
    """It does not vanish from the report."""
    sheet.block(72, 80, prose(8), 460)
    sheet.page()
    sheet.save()
    document = pymupdf.open(sheet.path)
    document.xref_set_key(document.page_xref(1), "Type", "/Font")
    document.xref_set_key(document.page_xref(1), "MediaBox", "null")
    document.xref_set_key(document.page_xref(1), "Parent", "null")
    document.save(tmp_path / "damaged.pdf")
    report, _ = report_of(tmp_path / "damaged.pdf")
    assert report.pages == report.pages_kept + sum(entry.pages for entry in report.dropped) == 2


def test_a_page_that_raises_is_damaged_and_not_without_text(sheet, prose, monkeypatch):
    """The reason tells them apart."""
    from med_small_lm.textbooks import pages

    sheet.block(72, 80, prose(8), 460)
    sheet.page()
    laid_out = pages._laid_out

    def broken(*values):
        if 2 in values:
            raise RuntimeError("code=7: no such thing")
        return laid_out(*values)

    monkeypatch.setattr(pages, "_laid_out", broken)
    report, _ = report_of(sheet.save())
    assert [(entry.reason, entry.pages) for entry in report.dropped] == [("damaged", 1)]
