"""Pocket books as PDF: title page, contents, chapters in one or two columns, running heads, folios, bookmarks.

Only the standard fonts, no dates, no compression (whose output differs between builds of zlib): the same book gives
the same bytes on every machine.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from reportlab import platypus as rl
from reportlab.platypus.tableofcontents import TableOfContents

from med_small_lm.pocket.chapters import Book, Chapter, Section, Table
from med_small_lm.pocket.dress import Dress, dress

SERIES = "The Pocket Library"
WARNING = "For testing software, not for clinical use"
MAX_PASSES = 5
RULES = [
    ("LINEABOVE", (0, 0), (-1, 0), 0.9, "black"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.4, "black"),
    ("LINEBELOW", (0, -1), (-1, -1), 0.9, "black"),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
]


def typeset(book: Book) -> bytes:
    """The book as the bytes of a PDF."""
    worn = dress(book.design)
    buffer = io.BytesIO()
    document = rl.BaseDocTemplate(
        buffer, pagesize=worn.page, title=book.title, author=SERIES, subject=WARNING, invariant=1, pageCompression=0
    )
    heads = {"chapter": "", "section": ""}
    plain = rl.PageTemplate("plain", [_frame(*worn.whole)])
    text = rl.PageTemplate("text", [_frame(*f) for f in worn.frames], onPageEnd=_furniture(book, worn, heads))
    document.addPageTemplates([plain, text])
    document.afterFlowable = lambda flowable: _announce(document, flowable, heads)
    document.multiBuild(list(_story(book, worn)), maxPasses=MAX_PASSES)
    return buffer.getvalue()


def _frame(left: float, bottom: float, width: float, height: float) -> Any:
    """A column without padding."""
    return rl.Frame(left, bottom, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)


def _furniture(book: Book, worn: Dress, heads: dict[str, str]) -> Any:
    """A page callback that draws running head, folio and warning: book title on even pages, section on odd ones."""

    def draw(canvas: Any, document: Any) -> None:
        (width, height), (side, foot) = worn.page, worn.margin
        even = document.page % 2 == 0
        canvas.saveState()
        canvas.setFont(worn.italic, 8.5)
        if even:
            canvas.drawString(side, height - foot + 14, book.title)
        else:
            canvas.drawRightString(width - side, height - foot + 14, heads["section"] or heads["chapter"])
        canvas.setLineWidth(0.4)
        canvas.line(side, height - foot + 9, width - side, height - foot + 9)
        canvas.drawCentredString(width / 2, foot - 24, WARNING)
        canvas.setFont(worn.bold, 9)
        if even:
            canvas.drawString(side, foot - 24, str(document.page))
        else:
            canvas.drawRightString(width - side, foot - 24, str(document.page))
        canvas.restoreState()

    return draw


def _announce(document: Any, flowable: Any, heads: dict[str, str]) -> None:
    """Enters a heading that was just set in the contents, the bookmarks and the running head."""
    level = {"chapter": 0, "section": 1}.get(getattr(getattr(flowable, "style", None), "name", ""))
    if level is None:
        return
    text = flowable.getPlainText()
    key = f"heading-{text.split()[0]}"
    document.canv.bookmarkPage(key)
    document.canv.addOutlineEntry(text, key, level, closed=level == 0)
    document.notify("TOCEntry", (level, text, document.page, key))
    heads["section"] = text if level else ""
    if level == 0:
        heads["chapter"] = text


def _story(book: Book, worn: Dress) -> Iterator[Any]:
    """The book as flowables, from title page to colophon."""
    yield from _front(book, worn)
    yield rl.NextPageTemplate("text")
    yield rl.PageBreak()
    for number, chapter in enumerate(book.chapters, start=1):
        yield from _chapter(number, chapter, worn)
    facts = sum(len(e.sentences) for chapter in book.chapters for s in chapter.sections for e in s.entries)
    colophon = f"{book.title} belongs to {SERIES}. It states {facts} facts. {WARNING}."
    yield rl.Paragraph(colophon, worn.styles["colophon"])


def _front(book: Book, worn: Dress) -> Iterator[Any]:
    """The title page and the page of contents."""
    styles = worn.styles
    yield rl.Spacer(1, 0.1 * worn.page[1])
    yield rl.Paragraph(SERIES, styles["series"])
    yield rl.Spacer(1, 0.14 * worn.page[1])
    yield rl.Paragraph(book.title, styles["title"])
    yield rl.HRFlowable(width="40%", thickness=0.8, color="black", spaceAfter=14)
    yield rl.Paragraph(book.subtitle, styles["subtitle"])
    yield rl.Spacer(1, 0.3 * worn.page[1])
    yield rl.Paragraph(WARNING, styles["warning"])
    yield rl.PageBreak()
    yield rl.Paragraph("Contents", styles["contents"])
    contents = TableOfContents(dotsMinLevel=1, levelStyles=[styles["toc0"], styles["toc1"]])
    yield contents


def _chapter(number: int, chapter: Chapter, worn: Dress) -> Iterator[Any]:
    """A chapter's heading, its lead and its sections."""
    yield rl.Paragraph(f"{number} {chapter.title}", worn.styles["chapter"])
    yield rl.Paragraph(chapter.lead, worn.styles["lead"])
    for place, section in enumerate(chapter.sections, start=1):
        yield rl.Paragraph(f"{number}.{place} {section.title}", worn.styles["section"])
        yield from _section(section, worn)


def _section(section: Section, worn: Dress) -> Iterator[Any]:
    """A section's entries, a paragraph each, and its table."""
    for place, entry in enumerate(section.entries):
        text = " ".join(sentence.text for sentence in entry.sentences)
        if entry.run_in:
            name = entry.subject[:1].upper() + entry.subject[1:]
            yield rl.Paragraph(f'<font name="{worn.bold}">{name}.</font> {text}', worn.styles["run_in"])
        else:
            yield rl.Paragraph(text, worn.styles["text" if place else "first"])
    if section.table:
        yield _table(section.table, worn)


def _table(table: Table, worn: Dress) -> Any:
    """A ruled table under its caption, as wide as the column."""
    label, _, caption = table.caption.partition(" ")[2].partition(" ")
    style = worn.styles["cell"]
    head = [rl.Paragraph(f'<font name="{worn.bold}">{text}</font>', style) for text in table.head]
    rows = [[rl.Paragraph(cell, style) for cell in row] for row in table.rows]
    grid = rl.Table([head, *rows], colWidths=[0.42 * worn.column, 0.58 * worn.column], style=RULES)
    title = f'<font name="{worn.bold}">Table {label}</font> {caption}'
    return rl.KeepTogether([rl.Spacer(1, 7), rl.Paragraph(title, worn.styles["caption"]), grid, rl.Spacer(1, 9)])
