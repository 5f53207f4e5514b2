"""What a page prints twice is read once, and what it prints askew is counted."""

from __future__ import annotations

import pymupdf


def test_a_line_printed_twice_to_look_bold_is_read_once(sheet, read, prose):
    """Also where only some words in the midst of a line are printed again."""
    for off in (0.0, 0.3):
        sheet.line(72 + off, 100, "The liver")
    y = sheet.block(72, 130, prose(8), 460)
    sheet.line(72, y, "It is the largest gland")
    sheet.line(72.3 + pymupdf.get_text_length("It is the ", "helv", 10), y, "largest gland of all.")
    (passage,) = read(sheet.save(), words=10_000)[0]
    assert passage.section == "The liver"
    assert passage.text == f"{prose(8)}\nIt is the largest gland of all."


def test_words_that_recur_in_a_line_stay(sheet, read, prose):
    """The same word beside itself is no second print, nor is a line that says what the one above it says."""
    y = sheet.block(72, 100, prose(8), 460)
    for x, word in ((72, "No"), (92, "no"), (112, "no")):
        sheet.line(x, y, word)
    sheet.line(72, y + 12, "no")
    (passage,) = read(sheet.save(), words=10_000)[0]
    assert passage.text.endswith("No no no no")


def test_lines_in_another_direction_are_counted(sheet, read, prose):
    """A note that runs up the margin, and a watermark across the page."""
    sheet.block(72, 100, prose(12), 460)
    page = sheet.document[-1]
    page.insert_text((40, 400), "licensed to one reader", fontsize=8, rotate=90)
    at = pymupdf.Point(page.rect.width / 3, page.rect.height / 2)
    page.insert_text(at, "do not copy", fontsize=40, morph=(at, pymupdf.Matrix(45)))
    passages, report = read(sheet.save(), words=10_000)
    assert [p.text for p in passages] == [prose(12)]
    assert {d.reason: d.count for d in report.dropped} == {"turned lines": 7}
