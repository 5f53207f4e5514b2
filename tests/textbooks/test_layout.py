"""Reading order, running heads and paragraphs on pages that are set line by line."""

from __future__ import annotations

import pymupdf

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


def test_rows_of_a_table_at_the_foot_are_no_running_heads(sheet, read, prose):
    """They differ only in digits, but what these count are not the pages."""
    totals = ["12", "90", "45", "33", "71", "64"]
    for number, total in enumerate(totals):
        if number:
            sheet.page()
        sheet.block(LEFT, 100, prose(20, f"vessel{number}"), 480)
        sheet.line(LEFT, 740, f"Patients seen in all: {total}")
        sheet.line(300, 760, f"Page {number + 1}", 8)
    text = text_of(read(sheet.save())[0])
    assert all(f"Patients seen in all: {total}" in text for total in totals)
    assert "Page" not in text


def test_a_table_of_growing_numbers_is_no_contents(sheet, read, prose):
    """Its numbers grow by more than the book has pages."""
    for row in range(12):
        sheet.line(LEFT, 80 + 14 * row, f"Height at the age of {row} years {50 + 7 * row}")
    for number in range(5):
        sheet.page()
        sheet.block(LEFT, 100, prose(30, f"vessel{number}"), 480)
    _, report = read(sheet.save())
    assert "contents" not in {d.reason for d in report.dropped}


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


def test_side_notes_are_read_when_the_text_beside_them_is(sheet, read, prose):
    """Small type in the outer margin stands beside the text's lines and in none of them."""
    sheet.block(LEFT, 100, prose(12), 340)
    for row, line in enumerate(("Figure 3.1 The vessel", "that goes through all", "of the organs.")):
        sheet.line(430, 130 + 9 * row, line, 7.5)
    (passage,), _ = read(sheet.save(), words=10_000)
    assert passage.text == f"{prose(12)}\nFigure 3.1 The vessel that goes through all of the organs."


def test_a_short_title_parts_the_page_where_both_columns_end_above_it(sheet, read):
    """The second chapter begins half way down a page; its title does not reach the gutter."""
    for band, y in (("first", 100), ("second", 400)):
        sheet.line(LEFT, y, f"The {band} title", 18, "hebo")
        for row in range(12):
            sheet.line(LEFT, y + 30 + LEADING * row, f"The {band} left column has line {row} of it and goes")
            sheet.line(RIGHT, y + 30 + LEADING * row, f"the {band} right column has line {row} of it and goes")
    text = text_of(read(sheet.save(), words=10_000)[0])
    order = ["first left column has line 11", "first right column has line 11", "second left", "second right"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_a_raised_mark_that_pushes_its_line_down_parts_no_paragraph(sheet, read):
    """The line below stands deeper than lines do, in the middle of a sentence."""
    lines = ("The kidney keeps the volume of the blood in its bounds, and with it the pres-",
             "sure of the blood, which it does by taking up water and salts.")  # fmt: skip
    for row in range(8):
        sheet.line(LEFT, 100 + LEADING * row, f"Line {row} of the text above tells of the kidney and its blood and")
    for row, line in enumerate(lines):
        sheet.line(LEFT, 100 + LEADING * 8 + 1.12 * LEADING * row, line)
    assert "the pressure of the blood" in text_of(read(sheet.save())[0])


def test_an_index_is_told_by_its_form(sheet, read, prose):
    """Words by the alphabet with pages, and no heading above them."""
    for number in range(4):
        if number:
            sheet.page()
        sheet.block(LEFT, 100, prose(30, f"vessel{number}"), 480)
    sheet.page()
    words = [f"{letter}{end}" for letter in "abcdefghijklmnop" for end in ("denoma", "therosclerosis")]
    for row, word in enumerate(words):
        sheet.line(LEFT if row < 16 else RIGHT, 100 + LEADING * (row % 16), f"{word}, {row + 1}, {row + 30}-{row + 31}")
    passages, report = read(sheet.save())
    assert "adenoma" not in text_of(passages)
    assert [(d.reason, d.pages) for d in report.dropped] == [("index", 1)]


def test_the_numbers_of_a_list_go_as_its_bullets_do(sheet, read, prose):
    """A number that the author typed before a paragraph stays."""
    y = sheet.block(LEFT, 100, prose(3), 480) + 6
    for row, item in enumerate(("Wash the hands.", "Dry them with a towel.", "Put on gloves.")):
        sheet.line(LEFT + 10, y + LEADING * row, f"{row + 1}.")
        sheet.line(LEFT + 24, y + LEADING * row, item)
    y = sheet.block(LEFT, y + 4 * LEADING, f"1) {prose(4, 'nerve')}", 480)
    sheet.block(LEFT, y + 6, f"2) {prose(4, 'bone')}", 480)
    (passage,), _ = read(sheet.save(), words=10_000)
    told = [prose(3), "Wash the hands.", "Dry them with a towel.", "Put on gloves."]
    assert passage.text.splitlines() == [*told, f"1) {prose(4, 'nerve')}", f"2) {prose(4, 'bone')}"]


def test_a_paragraph_after_a_list_is_no_part_of_its_last_item(sheet, read, prose):
    """Without white between them, the paragraph's indent is near the items': the item's line had room left."""
    y = sheet.block(LEFT, 100, prose(3), 480) + 6
    for item in ("nitrogen in the air", "oxygen in the air"):
        sheet.line(LEFT, y, "\u2022")
        sheet.line(LEFT + 16, y, item)
        y += LEADING
    sheet.block(LEFT, y, prose(4, "nerve"), 480, indent=12)
    (passage,), _ = read(sheet.save(), words=10_000)
    assert passage.text.splitlines() == [prose(3), "nitrogen in the air", "oxygen in the air", prose(4, "nerve")]


def test_columns_stand_close(sheet, read):
    """Half a letter of white parts two columns of full lines."""
    for number in range(2):
        if number:
            sheet.page()
        for side, x in enumerate((60.0, 298.0)):
            for row in range(40):
                said = f"Side {side}, line {row:02} of page {number} runs on to its very last word"
                sheet.line(x, 80 + LEADING * row, said)
    first = read(sheet.save(), words=10_000)[0][0].text
    width = pymupdf.get_text_length("Side 0, line 00 of page 0 runs on to its very last word", "helv", 10)
    assert 5.0 < 238 - width < 6.0
    assert first.index("Side 0, line 39 of page 0") < first.index("Side 1, line 00 of page 0")


def test_a_heading_in_small_capitals_goes_on_in_its_second_line(sheet, read, prose):
    """Most of its letters are smaller than the heading that they are set in."""
    for y, words in ((100, ("THE", "HEART")), (126, ("AND", "VESSELS"))):
        x = 72.0
        for word in words:
            sheet.line(x, y, word[0], 21)
            x += pymupdf.get_text_length(word[0], "helv", 21)
            sheet.line(x, y, word[1:], 14.7)
            x += pymupdf.get_text_length(f"{word[1:]} ", "helv", 14.7)
    sheet.block(72, 160, prose(20), 460)
    assert read(sheet.save())[0][0].section == "THE HEART AND VESSELS"
