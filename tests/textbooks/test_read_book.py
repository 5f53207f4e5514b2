"""From file to passages: what is kept, what is dropped, and that no file stops the run."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.textbooks import SourceFile, ocr, read_file

LEADING = 12.0  # points, as the sheets are set


def book(sheet, prose) -> Path:
    """A small book: title, contents, two chapters with sections, references, running heads and folios."""
    sheet.line(200, 300, "Small Physiology", 30, "hebo")
    sheet.page()
    sheet.line(72, 100, "Contents", 18, "hebo")
    rows = [("1 Blood", 3), ("1.1 Cells", 3), ("1.2 Plasma", 4), ("2 Heart", 5), ("2.1 Valves", 5), ("References", 6)]
    for number, (title, page) in enumerate(rows):
        sheet.line(72, 140 + 14 * number, f"{title} " + ". " * 40 + str(page))
    chapters = [("1 Blood", "1.1 Cells", "red cell"), ("", "1.2 Plasma", "plasma"), ("2 Heart", "2.1 Valves", "valve")]
    for number, (chapter, section, subject) in enumerate(chapters):
        sheet.page()
        sheet.line(72, 50, "Small Physiology", 8)
        sheet.line(300, 760, str(number + 3), 8)
        y = 100.0
        if chapter:
            sheet.line(72, y, chapter, 18, "hebo")
            y += 40
        sheet.line(72, y, section, 12, "hebo")
        sheet.block(72, y + 20, prose(12, subject), 460)
    sheet.page()
    sheet.line(72, 50, "Small Physiology", 8)
    sheet.line(72, 100, "References", 18, "hebo")
    sheet.block(72, 130, "Miller A. On cells. Journal of Old Things 1999. " * 4, 460)
    return sheet.save()


def test_a_book_becomes_passages_with_sections_and_pages(sheet, read, prose):
    """Only the chapters' prose is left; every passage knows its chapter, section and page."""
    passages, report = read(book(sheet, prose))
    assert report.status == "ok"
    assert [p.section for p in passages if "Observation 0 " in p.text] == [
        "1 Blood > 1.1 Cells", "1 Blood > 1.2 Plasma", "2 Heart > 2.1 Valves",
    ]  # fmt: skip
    assert {p.page_first for p in passages} == {3, 4, 5}
    text = " ".join(p.text for p in passages)
    assert prose(12, "valve") in text.replace("\n", " ")
    assert not any(word in text for word in ("Small", "Contents", "Miller", ". . ."))
    assert {d.reason for d in report.dropped} == {"contents", "front matter", "references", "running heads and folios"}
    assert (report.pages, report.pages_kept, report.words) == (6, 3, sum(p.n_words for p in passages))


def test_the_outline_gives_levels_where_there_is_one(sheet, read, prose):
    """Headings that typography cannot rank are ranked by the bookmarks."""
    path = book(sheet, prose)
    toc = [[1, "1 Blood", 3], [2, "1.1 Cells", 3], [2, "1.2 Plasma", 4], [1, "2 Heart", 5], [2, "2.1 Valves", 5]]
    sheet.document.set_toc(toc)
    sheet.document.save(path.with_name("outlined.pdf"))
    passages, _ = read(path.with_name("outlined.pdf"))
    assert {p.section for p in passages} == {"1 Blood > 1.1 Cells", "1 Blood > 1.2 Plasma", "2 Heart > 2.1 Valves"}


def test_reading_twice_gives_the_same(sheet, read, prose):
    """Ids and texts do not depend on the run."""
    path = book(sheet, prose)
    assert read(path)[0] == read(path)[0]


def test_review_questions_and_their_key_are_kept_apart(sheet, read, prose):
    """Under their heading, and also where no heading announces them."""
    y = sheet.block(72, 80, prose(8), 460)
    for line in ("1. Which organ makes bile?", "a. heart", "b. liver", "c. lung", "d. skin"):
        sheet.line(72, y, line)
        y += LEADING
    sheet.line(72, y + 20, "Answer Key", 14, "hebo")
    sheet.line(72, y + 40, "1. B; 2. C; 3. D; 4. A")
    passages, report = read(sheet.save())
    assert "bile" not in " ".join(p.text for p in passages)
    assert {d.reason for d in report.dropped} == {"review questions", "answer key"}


def test_a_locked_file_opens_with_its_password_only(sheet, read, prose):
    """Without or with a wrong one the report says so."""
    sheet.block(72, 80, prose(5), 460)
    path = sheet.save(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="key", owner_pw="owner")
    assert read(path)[1].status == "needs_password"
    assert "does not open" in read(path, password="no")[1].reason
    passages, report = read(path, password="key")
    assert report.status == "ok" and passages


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"not a pdf at all", "cannot be opened"),
        (b"%PDF-1.7\n" + b"\x00\xff" * 300, "cannot be opened"),
        (b"PK\x03\x04" + b"zip" * 99, "cannot be opened"),
    ],
)
def test_what_is_no_pdf_is_quarantined_with_a_reason(tmp_path, read, content, reason):
    """One line says why; nothing is raised."""
    path = tmp_path / "x.pdf"
    path.write_bytes(content)
    passages, report = read(path)
    assert not passages and report.status == "quarantined"
    assert reason in report.reason or "pages" in report.reason
    assert "\n" not in report.reason


def test_pages_without_text_need_ocr_only_if_they_show_something(sheet, read, monkeypatch):
    """A blank file is quarantined, a scanned one waits for a reader where there is none."""
    monkeypatch.setattr(ocr, "data_folder", lambda: None)
    assert read(sheet.save())[1].status == "quarantined"
    pixels = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 40, 40))
    pixels.clear_with(90)
    sheet.document[-1].insert_image((72, 72, 300, 300), pixmap=pixels)
    sheet.path = sheet.path.with_name("scan.pdf")
    assert read(sheet.save())[1].status == "needs_ocr"


def test_a_missing_file_is_the_callers_error(tmp_path, read):
    """A path on the shelf that does not exist is not the book's fault."""
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere.pdf")


def test_a_folder_is_quarantined(tmp_path, read):
    """A folder is no file."""
    assert read(tmp_path)[1].status == "quarantined"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_bytes_never_raise(tmp_path, sheet, prose, data):
    """A file cut off or overwritten anywhere gives a report."""
    path = tmp_path / "damaged.pdf"
    source = tmp_path / "source.pdf"
    if not source.exists():
        sheet.block(72, 80, prose(6), 460)
        sheet.path = source
        sheet.save()
    content = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    report = read_file(SourceFile("b", path, "CC0"), IngestTextbooks()).report
    assert report.status in ("ok", "quarantined", "needs_ocr", "needs_password")
