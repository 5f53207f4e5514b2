"""Tables become one line a row."""

from __future__ import annotations

from itertools import product

import pymupdf
import pytest
from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.colors import black, grey, lightgrey, white
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Spacer, Table

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


DRUGS = [
    ("Drug", "Class", "Usual dose", "Main adverse effects"),
    ("Aspirin", "NSAID", "81 mg daily", "Bleeding, gastric ulcer"),
    ("Heparin", "Anticoagulant", "5000 units", "Thrombocytopenia and bleeding from any site of the body"),
    ("Metoprolol", "Beta blocker that acts on the heart", "25 mg twice daily", "Bradycardia, fatigue and cold hands"),
    ("Lisinopril", "ACE inhibitor", "10 mg", "Cough"),
    ("Furosemide", "Loop diuretic", "40 mg", "Low potassium, dehydration"),
    ("Warfarin", "Vitamin K antagonist", "5 mg", "Bleeding"),
]
FOOD = [
    ("Food", "Energy (kcal)", "Protein (g)"),
    ("Apple", "52", "0.3"),
    ("Salmon", "208", "20.4"),
    ("Lentils", "1116", "9.0"),
]
CAPTION = "Table 1.1 What is in common use."
ALL, HEAD, FOOT = ((0, 0), (-1, -1)), ((0, 0), (-1, 0)), ((0, -1), (-1, -1))
GRID = [("GRID", *ALL, 0.5, black)]
BOOKTABS = [("LINEABOVE", *HEAD, 1, black), ("LINEBELOW", *HEAD, 0.5, black), ("LINEBELOW", *FOOT, 1, black)]
LOW_NECK = [BOOKTABS[0], ("LINEBELOW", (0, 1), (-1, 1), 0.5, black), BOOKTABS[2]]
UNDER_ROWS = [("LINEBELOW", *ALL, 0.5, black)]
STRIPES = [("ROWBACKGROUNDS", *ALL, [lightgrey, white])]
TIGHT = [("TOPPADDING", *ALL, 0), ("BOTTOMPADDING", *ALL, 0)]
TOP, MIDDLE = [("VALIGN", *ALL, "TOP")], [("VALIGN", *ALL, "MIDDLE")]
SMALL = ParagraphStyle("small", fontName="Times-Roman", fontSize=9, leading=10.5)
TEXT = ParagraphStyle("text", fontName="Times-Roman", fontSize=10, leading=12, spaceAfter=8)
LABEL = ParagraphStyle("label", fontName="Times-Bold", fontSize=9, leading=11, spaceAfter=4)


def said(rows) -> list[str]:
    """The rows as passages tell them."""
    return [" | ".join(row).strip(" |") for row in rows]


def wrapped(rows) -> list[list[Paragraph]]:
    """The rows with cells that break into lines."""
    return [[Paragraph(cell, SMALL) for cell in row] for row in rows]


@pytest.fixture
def tell(tmp_path, read, prose):
    """The lines of the passages of a text with a table in it, without the text around it."""

    def teller(*table, frames=((72, 72, 468, 648),), before=8) -> list[str]:
        path = tmp_path / "table.pdf"
        document = BaseDocTemplate(str(path), pagesize=letter)
        document.addPageTemplates([PageTemplate(frames=[Frame(*frame) for frame in frames])])
        text = [Paragraph(prose(before), TEXT), Paragraph(CAPTION, LABEL)]
        document.build([*text, *table, Spacer(1, 14), Paragraph(prose(8, "nerve"), TEXT)])
        return [line for line in lines_of(read(path, words=100_000)[0]) if "exchange" not in line]

    return teller


@pytest.mark.parametrize(
    "style",
    [
        GRID + TOP,
        GRID + MIDDLE,
        BOOKTABS + TOP,
        BOOKTABS + TIGHT + TOP,
        UNDER_ROWS + TOP,
        UNDER_ROWS + MIDDLE,
        TOP,
        STRIPES + TOP,
        STRIPES + MIDDLE,
        [("BACKGROUND", *HEAD, grey), *TOP],
        [("LINEBEFORE", (1, 0), (-1, -1), 0.5, black), *BOOKTABS, *TOP],
        [("BOX", *ALL, 0.5, black), ("LINEBELOW", *HEAD, 0.5, black), *TOP],
    ],
    ids=["grid", "grid, cells in the middle", "booktabs", "booktabs without white", "rules under rows",
         "rules under rows, cells in the middle", "no rules", "stripes", "stripes, cells in the middle", "shaded head",
         "bars", "frame"],
)  # fmt: skip
def test_cells_of_several_lines_stand_in_their_row(tell, style):
    """However the rows are parted, and the caption stands before them."""
    assert tell(Table(wrapped(DRUGS), [80, 110, 90, 150], style=style)) == [CAPTION, *said(DRUGS)]


@pytest.mark.parametrize("side", ["LEFT", "CENTER", "RIGHT"])
@pytest.mark.parametrize("style", [GRID, BOOKTABS, []], ids=["grid", "booktabs", "no rules"])
def test_figures_stand_in_their_column_wherever_they_are_aligned(tell, style, side):
    """Also where no two of a column begin at the same abscissa."""
    table = Table(FOOD, [90, 90, 90], style=[*style, ("FONT", *ALL, "Times-Roman", 9), ("ALIGN", *ALL, side)])
    assert tell(table) == [CAPTION, *said(FOOD)]


def test_cells_that_almost_touch_are_parted_by_the_ruling_between_them(tell):
    """MuPDF takes them for one line."""
    rows = [("Sodium", "135 to 145 mEq", "mmol"), ("Potassium", "3.5 to 5.0 mEq", "mmol"), ("Chloride", "98", "mmol")]
    pad = [("LEFTPADDING", *ALL, 2), ("RIGHTPADDING", *ALL, 2), ("FONT", *ALL, "Times-Roman", 9)]
    assert tell(Table(rows, [40, 63, 40], style=GRID + pad)) == [CAPTION, *said(rows)]


@pytest.mark.parametrize("style", [GRID, LOW_NECK], ids=["grid", "rules"])
def test_a_head_over_several_columns_leaves_cells_empty(tell, style):
    """So that what stands below it keeps its column; a title between the rows has a line of its own."""
    rows = [
        ("Nutrient", "Intake a day", "", "Sources"),
        ("", "Men", "Women", ""),
        ("Iron", "8 mg", "18 mg", "Red meat, beans"),
        ("Zinc", "11 mg", "8 mg", "Oysters, beef"),
        ("Iodine", "150 mcg", "150 mcg", "Seaweed"),
        ("Copper", "900 mcg", "900 mcg", "Nuts"),
    ]
    spans = [("SPAN", (1, 0), (2, 0)), ("LINEBELOW", (1, 0), (2, 0), 0.5, black), ("ALIGN", (1, 0), (2, 0), "CENTER")]
    spans += [("SPAN", (0, 0), (0, 1)), ("SPAN", (3, 0), (3, 1))] if style is GRID else []
    told = tell(Table(rows, [90, 80, 80, 100], style=[*style, *spans, ("FONT", *ALL, "Times-Roman", 9)]))
    assert told[1:3] == ["Nutrient | Intake a day |  | Sources", "| Men | Women"]
    assert told[3:] == said(rows[2:])


def test_empty_cells_and_groups_of_rows(tell):
    """A class that is named once for several rows does not join them, a title between rows stays alone."""
    rows = [
        ("Class", "Drug", "Dose"),
        ("Drugs that are given for pain", "", ""),
        ("Opioid", "Morphine", "10 mg"),
        ("", "Fentanyl", "50 mcg"),
        ("NSAID", "Ibuprofen", ""),
        ("", "Naproxen", "250 mg"),
    ]
    style = [*BOOKTABS, *TIGHT, ("SPAN", (0, 1), (-1, 1)), ("FONT", *ALL, "Times-Roman", 9)]
    assert [line.strip("| ") for line in tell(Table(rows, [70, 90, 90], style=style))[1:]] == said(rows)


def test_lists_and_raised_figures_inside_cells(tell):
    """A list is one cell; ions keep their charge."""
    heart = [Paragraph(item, SMALL, bulletText="\u2022") for item in ("Edema of both legs", "Murmur")]
    rows = [
        [Paragraph(cell, SMALL) for cell in ("System", "Findings", "Ion")],
        [Paragraph("Heart", SMALL), heart, Paragraph("Ca<super>2+</super>", SMALL)],
        [Paragraph("Lung", SMALL), Paragraph("Crackles", SMALL), Paragraph("H<sub>2</sub>O", SMALL)],
    ]
    told = tell(Table(rows, [80, 150, 80], style=GRID + TOP))
    assert told[1:] == [
        "System | Findings | Ion",
        "Heart | • Edema of both legs • Murmur | Ca²⁺",
        "Lung | Crackles | H₂O",
    ]


def test_rulings_that_part_groups_of_rows(tell):
    """Each line between them is a row of its own, in a grid too."""
    for style in (BOOKTABS, [*BOOKTABS, ("LINEBEFORE", *ALL, 0.5, black), ("LINEAFTER", *ALL, 0.5, black)]):
        style = [*style, *TIGHT, ("FONT", *ALL, "Times-Roman", 9), ("LINEBELOW", (0, 3), (-1, 3), 0.5, black)]
        rows = [("Drug", "Dose", "Route", "Class"), *((f"Drug {n}", f"{n} mg", "oral", "NSAID") for n in range(6))]
        assert tell(Table(rows, [90, 90, 90, 90], style=style))[1:] == said(rows)


@pytest.mark.parametrize("style", [GRID, BOOKTABS, UNDER_ROWS], ids=["grid", "booktabs", "rules under rows"])
def test_a_long_table_goes_on_over_pages(tell, style):
    """Its head is told once."""
    signs = ("Cough", "Fever and chills", "Pain", "Rash", "Headache that wraps into a second line", "Thirst", "Nausea")
    rows = [DRUGS[0], *((f"Drug{n}ol", f"Class of {signs[n % 5]}", f"{n} mg", signs[n % 7]) for n in range(50))]
    table = Table(wrapped(rows), [80, 110, 90, 150], style=style + TOP, repeatRows=1)
    assert tell(table) == [CAPTION, *said(rows)]


def test_a_row_that_the_page_break_cuts_is_one(tell):
    """Its rulings are left open at the foot of the page."""
    long = " ".join(f"Effect number {n} is described here." for n in range(30))
    rows = [("Drug", "Class", "Effects"), ("Alphaol", "First class", long), ("Betaol", "Second class", long)]
    table = Table(wrapped(rows), [80, 110, 200], style=GRID + TOP, splitInRow=1)
    assert tell(table, before=60) == [CAPTION, *said(rows)]


@pytest.mark.parametrize("style", [GRID, BOOKTABS, []], ids=["grid", "booktabs", "no rules"])
def test_a_table_inside_one_of_two_columns(tell, style):
    """What stands beside it is not drawn in."""
    rows = [row[:3] for row in DRUGS]
    table = Table(wrapped(rows), [70, 90, 70], style=style + TOP)
    assert tell(table, frames=((54, 54, 246, 684), (312, 54, 246, 684)), before=30) == [CAPTION, *said(rows)]


def test_a_table_across_two_columns_of_text(tell):
    """Its columns are not taken for the page's."""
    frames = ((54, 420, 504, 318), (54, 54, 246, 356), (312, 54, 246, 356))
    assert tell(Table(wrapped(DRUGS), [80, 110, 90, 150], style=GRID + TOP), frames=frames) == [CAPTION, *said(DRUGS)]


def test_a_table_on_a_turned_page(tell, tmp_path, read):
    """Wide tables are often set sideways."""
    tell(Table(wrapped(DRUGS), [80, 110, 90, 150], style=GRID + TOP))
    turned = pymupdf.open()
    page = turned.new_page(width=792, height=612)
    page.show_pdf_page(page.rect, pymupdf.open(tmp_path / "table.pdf"), 0, rotate=90)
    turned.save(tmp_path / "turned.pdf")
    told = lines_of(read(tmp_path / "turned.pdf", words=100_000)[0])
    assert [line for line in told if "|" in line] == said(DRUGS)


@pytest.mark.parametrize("mark", ["\u2022", "1."])
def test_a_framed_list_is_no_table(tell, mark):
    """The bullets are no column."""
    items = [Paragraph(f"Explain what part {n} of the cell does", SMALL, bulletText=mark) for n in range(6)]
    for style in ([("BOX", *ALL, 1, black)], [("BACKGROUND", *ALL, lightgrey)], BOOKTABS):
        assert not [line for line in tell(Table([["Aims"], [items]], [400], style=style)) if "|" in line]


def test_boxes_of_a_figure_are_no_table(tell):
    """A chart's steps are framed, and lines join them."""
    drawing = Drawing(400, 160)
    for x, y in product(range(3), range(2)):
        drawing.add(Rect(20 + 130 * x, 20 + 60 * y, 100, 40, fillColor=white))
        drawing.add(String(40 + 130 * x, 40 + 60 * y, f"Step {x}{y} of it", fontSize=9))
    assert not [line for line in tell(drawing) if "|" in line]


def test_columns_of_text_between_rulings_are_no_table(sheet, read, prose):
    """Rulings at head and foot of a page, and one between its columns."""
    for y in (80, 740):
        sheet.rule(54, y, 558, y)
    sheet.rule(306, 80, 306, 740)
    for x, subject in ((60, "cell"), (320, "nerve")):
        sheet.block(x, 100, prose(20, subject), 230)
    assert " ".join(lines_of(read(sheet.save(), words=10_000)[0])) == f"{prose(20)} {prose(20, 'nerve')}"


def test_columns_between_two_pictures_stay_text(sheet, read, prose):
    """Two shaded areas without text are pictures, no rows; few lines beside each other between rulings stay columns."""
    page = sheet.document[-1]
    for y in (60, 420):
        page.draw_rect((72, y, 540, y + 40), color=None, fill=(0.7, 0.7, 0.7))
    sheet.line(72, 115, "Figure 1.1 The cell and all that lies around it, of which the text below tells.", 8, "hebo")
    for x, subject in ((72, "cell"), (316, "nerve")):
        sheet.block(x, 140, prose(12, subject), 224)
    told = lines_of(read(sheet.save(), words=10_000)[0])
    assert [line for line in told if not line.startswith("Figure")] == [prose(12), prose(12, "nerve")]


def test_few_full_lines_between_boxes_stay_columns(sheet, read, prose):
    """Framed boxes above and below two columns of eight lines make no table of them."""
    for y in (70, 240):
        sheet.document[-1].draw_rect((72, y, 540, y + 30), width=0.5)
        sheet.line(80, y + 18, "Clinical tip: look twice, and ask the patient what he thinks of it.")
    for x, subject in ((72, "cell"), (316, "nerve")):
        sheet.block(x, 120, prose(4, subject), 224)
    sheet.block(72, 290, prose(8, "bone"), 468)
    assert "|" not in "".join(lines_of(read(sheet.save(), words=10_000)[0]))


def test_a_justified_cell_in_pieces_ends_no_table(sheet, read, prose):
    """Where no ruling marks a table, wide gaps between the words of a cell part no cells."""
    y = sheet.block(72, 100, prose(8), 460)
    drugs = [("Drug", "Use"), ("Aspirin", "pain"), ("Trazodone", "sleep"), ("Heparin", "clots"), ("Warfarin", "clot")]
    for row, (drug, use) in enumerate(drugs, 1):
        sheet.line(80, y + 20 * row, drug)
        sheet.line(250, y + 20 * row, use)
    sheet.line(160, y + 60, "hydrochloride")
    sheet.block(72, y + 130, prose(8, "nerve"), 460)
    assert len(lines_of(read(sheet.save(), words=10_000)[0])) == 7


def test_shaded_rows_with_cells_in_their_middle(sheet, read, prose):
    """Every other row is shaded, and no two cells of a row stand on one baseline."""
    page = sheet.document[-1]
    y = sheet.block(72, 80, prose(6), 460)
    for top in (y, y + 78):
        page.draw_rect((72, top, 540, top + 26), color=None, fill=(0.85, 0.9, 0.95))
    for row, (top, sign) in enumerate([(y, "Fever"), (y + 26, "Cough"), (y + 78, "Pallor")]):
        lines = 4 if row == 1 else 2
        for number in range(lines):
            sheet.line(300, top + 10 + LEADING * number, f"what it means, line {number}")
        sheet.line(80, top + 4 + LEADING * lines / 2, sign)
    sheet.block(72, y + 130, prose(6, "nerve"), 460)
    told = lines_of(read(sheet.save(), words=10_000)[0])
    assert [line.split(" | ")[0] for line in told[1:-1]] == ["Fever", "Cough", "Pallor"]
