"""Tables become one line a row."""

from __future__ import annotations

LEADING = 12.0  # points, as the sheets are set


ROWS = [("Drug", "Class", "Use"), ("Aspirin", "NSAID", "pain"), ("Heparin", "anticoagulant", "clots")]


def cells(sheet, y: float, x: float = 80, width: float = 120) -> None:
    """The table's text."""
    for row, line in enumerate(ROWS):
        for column, cell in enumerate(line):
            sheet.line(x + width * column, y + 20 * row, cell)


def lines_of(passages) -> list[str]:
    """All lines of all passages."""
    return [line for p in passages for line in p.text.splitlines()]


def test_a_grid_gives_its_rows_after_its_caption(sheet, read, prose):
    """Cells joined by a bar, in a line of their own, and the paragraph around stays whole."""
    y = sheet.block(72, 100, prose(6), 460)
    sheet.line(72, y + 20, "Table 1.1 Drugs in use.", 8, "hebo")
    for row in range(4):
        sheet.rule(75, y + 36 + 20 * row, 435, y + 36 + 20 * row)
    for column in range(4):
        sheet.rule(75 + 120 * column, y + 36, 75 + 120 * column, y + 96)
    cells(sheet, y + 50)
    sheet.block(72, y + 130, prose(6, "nerve"), 460)
    told = lines_of(read(sheet.save(), words=10_000)[0])
    assert told == [prose(6), "Table 1.1 Drugs in use.", *(" | ".join(row) for row in ROWS), prose(6, "nerve")]


def test_rules_at_head_and_foot_are_enough(sheet, read, prose):
    """White parts the columns; a cell of two lines stays one cell."""
    sheet.block(72, 100, prose(6), 460)
    for y in (250, 270, 350):
        sheet.rule(75, y, 435, y)
    cells(sheet, 264)
    sheet.line(80, 324, "Warfarin")
    sheet.line(80, 324 + LEADING, "sodium")
    sheet.line(200, 324, "anticoagulant")
    sheet.line(320, 324, "clots")
    told = lines_of(read(sheet.save(), words=10_000)[0])
    assert told[1:] == [*(" | ".join(row) for row in ROWS), "Warfarin sodium | anticoagulant | clots"]


def test_a_table_over_two_pages_is_one(sheet, read, prose):
    """The head that the next page repeats is told once."""
    sheet.block(72, 100, prose(6), 460)
    for page in range(2):
        top = 640 if page == 0 else 80
        if page:
            sheet.page()
        for row in range(4):
            sheet.rule(75, top + 20 * row, 435, top + 20 * row)
        for column in range(4):
            sheet.rule(75 + 120 * column, top, 75 + 120 * column, top + 60)
        cells(sheet, top + 14)
    passages, _ = read(sheet.save(), words=10_000)
    assert lines_of(passages)[1:] == [" | ".join(row) for row in [*ROWS, *ROWS[1:]]]
    assert (passages[-1].page_first, passages[-1].page_last) == (1, 2)


def test_a_box_around_text_is_no_table(sheet, read, prose):
    """One cell is a box, and its text is read as text."""
    for x0, y0, x1, y1 in ((60, 90, 552, 90), (60, 300, 552, 300), (60, 90, 60, 300), (552, 90, 552, 300)):
        sheet.rule(x0, y0, x1, y1)
    sheet.block(72, 110, prose(6), 460)
    assert lines_of(read(sheet.save(), words=10_000)[0]) == [prose(6)]


def test_aligned_cells_are_a_table_without_any_rule(sheet, read, prose):
    """Also where a cell goes on in the next line."""
    sheet.block(72, 100, prose(6), 460)
    cells(sheet, 264)
    sheet.line(80, 324, "Warfarin")
    sheet.line(200, 324, "anticoagulant of")
    sheet.line(200, 324 + LEADING, "long action")
    sheet.line(320, 324, "clots")
    told = lines_of(read(sheet.save(), words=10_000)[0])
    assert told[1:] == [*(" | ".join(row) for row in ROWS), "Warfarin | anticoagulant of long action | clots"]
