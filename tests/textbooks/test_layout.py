"""Reading order, running heads and paragraphs on pages that are set line by line."""

from __future__ import annotations

LEADING = 12.0  # points, as the sheets are set


LEFT, RIGHT, WIDTH = 60.0, 320.0, 240.0


def text_of(passages) -> str:
    """The passages' text in one line."""
    return " ".join(" ".join(p.text.split()) for p in passages)


def two_columns(sheet, rows: int) -> None:
    """A page of two columns whose content stream goes row by row, across both."""
    for row in range(rows):
        sheet.line(LEFT, 100 + LEADING * row, f"Left column carries word number {row} of it and goes")
        sheet.line(RIGHT, 100 + LEADING * row, f"right column carries word number {row} of it and goes")


def test_columns_are_read_one_after_the_other(sheet, read):
    """Also where the content stream jumps from column to column."""
    two_columns(sheet, 20)
    text = text_of(read(sheet.save(), words=10_000)[0])
    assert text.index("Left column carries word number 19") < text.index("right column carries word number 0")


def test_a_line_across_both_columns_parts_the_page(sheet, read):
    """Title, then both columns above the wide line, then it, then both below."""
    for band, y in (("upper", 100), ("lower", 420)):
        for row in range(15):
            sheet.line(LEFT, y + LEADING * row, f"The {band} left column has line {row} and so goes")
            sheet.line(RIGHT, y + LEADING * row, f"the {band} right column has line {row} and so goes")
    sheet.line(
        LEFT, 340, "This sentence in the middle of the page crosses the gutter between its two columns and is long."
    )
    text = text_of(read(sheet.save(), words=10_000)[0])
    order = ["upper left column has line 14", "upper right column has line 0", "crosses the gutter",
             "lower left column has line 0", "lower right column has line 14"]  # fmt: skip
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_a_few_lines_in_the_last_column_are_not_read_across(sheet, read, prose):
    """The page that ends a chapter has two lines in its right column."""
    two_columns(sheet, 40)
    sheet.page()
    sheet.block(LEFT, 100, prose(30, "membrane"), WIDTH)
    sheet.block(RIGHT, 100, "Here the chapter ends with words that stand alone.", WIDTH)
    text = text_of(read(sheet.save(), words=10_000)[0])
    assert prose(30, "membrane") in text
    assert "Here the chapter ends with words that stand alone." in text


def test_a_paragraph_goes_on_over_columns_and_pages_around_a_figure(sheet, read, prose):
    """The caption waits until the paragraph is over."""
    told = prose(60, "duct").split()
    page = 0
    while told:
        for x in (LEFT, RIGHT):
            y = 100.0
            if page == 0 and x == RIGHT:
                sheet.line(x, y, "Figure 1.1 A duct, seen from the side.", 8)
                y += 3 * LEADING
            while y < 700 and told:
                row = [told.pop(0)]
                while told and len(" ".join([*row, told[0]])) < 48:
                    row.append(told.pop(0))
                sheet.line(x, y, " ".join(row))
                y += LEADING
        page += 1
        if told:
            sheet.page()
    passages, _ = read(sheet.save(), words=10_000)
    assert passages[0].text == f"{prose(60, 'duct')}\nFigure 1.1 A duct, seen from the side."
    assert (passages[0].page_first, passages[0].page_last) == (1, page)


def test_running_heads_and_folios_go_and_first_lines_stay(sheet, read, prose):
    """A head that names the section changes, a line of text at the same height stays."""
    for number in range(8):
        if number:
            sheet.page()
        if number != 5:
            sheet.line(LEFT, 60, f"Chapter {number // 3}: Vessels", 8)
            sheet.line(500, 60, str(number + 1), 8)
        sheet.block(LEFT, 60 if number == 5 else 100, prose(30, f"vessel{number}"), 480)
    passages, report = read(sheet.save())
    text = text_of(passages)
    assert "Vessels" not in text
    assert all(prose(30, f"vessel{number}") in text for number in range(8))
    assert report.dropped[0].count == 7 * 4


def test_hyphens_and_list_marks(sheet, read):
    """Words broken at line ends close up, list items stand on lines of their own without their mark."""
    lines = [
        "The therapeutic use of oxygen is old, and thera-",
        "peutic gases are many. A well-known ex-",
        "ample of an example is air.",
    ]
    for row, line in enumerate(lines):
        sheet.line(LEFT, 100 + LEADING * row, line)
    for row, item in enumerate(("nitrogen in the air", "oxygen in the air", "argon in the air")):
        sheet.line(LEFT + 10, 150 + LEADING * row, f"\u2022 {item}")
    (passage,), _ = read(sheet.save())
    assert passage.text.splitlines() == [
        "The therapeutic use of oxygen is old, and therapeutic gases are many. "
        "A well-known example of an example is air.",
        "nitrogen in the air",
        "oxygen in the air",
        "argon in the air",
    ]


def test_first_line_indents_part_paragraphs(sheet, read, prose):
    """In a book without white between paragraphs."""
    y = 100.0
    for subject in ("artery", "vein", "nerve"):
        y = sheet.block(LEFT, y, prose(5, subject), WIDTH, indent=12)
    (passage,), _ = read(sheet.save(), words=10_000)
    assert passage.text.splitlines() == [prose(5, subject) for subject in ("artery", "vein", "nerve")]


def test_raised_and_lowered_figures_keep_their_sense(sheet, read, prose):
    """Ten to the sixth is not a hundred and six."""
    sheet.block(LEFT, 100, prose(4), 400)
    sheet.line(LEFT, 172, "There are 10")
    sheet.line(LEFT + 58, 168, "6", 6)
    sheet.line(LEFT + 62, 172, " cells in it.")
    assert "10⁶ cells" in text_of(read(sheet.save())[0])


def test_a_drop_cap_begins_its_word(sheet, read):
    """The large initial is no heading."""
    sheet.line(LEFT, 122, "T", 30)
    for row, line in enumerate(("he heart is a muscle that beats all day,", "and it rests between any two beats.")):
        sheet.line(LEFT + 20, 110 + LEADING * row, line)
    sheet.line(LEFT, 110 + 2 * LEADING, "No other muscle of the body works for so long without a break.")
    text = text_of(read(sheet.save())[0])
    assert text.startswith("The heart is a muscle that beats all day, and it rests between any two beats. No other")


def test_labels_inside_a_figure_are_left_out(sheet, read, prose):
    """Its caption stays."""
    y = sheet.block(LEFT, 100, prose(6), 460)
    for row, label in enumerate(("left atrium", "aorta", "valve")):
        sheet.line(LEFT + 100 * row, y + 40 + 30 * row, label, 7)
    sheet.line(LEFT, y + 150, "Figure 2.1 The heart, cut open.", 8)
    passages, report = read(sheet.save())
    assert passages[0].text.splitlines() == [prose(6), "Figure 2.1 The heart, cut open."]
    assert [(d.reason, d.count) for d in report.dropped] == [("figure labels", 4)]
