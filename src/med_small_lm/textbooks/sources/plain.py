"""Plain text to paragraphs: what blank lines part, closed up over line ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.cleaning import Speller, tidy
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sources.blocks import Blocks, paragraph
from med_small_lm.textbooks.sources.opening import content, decoded

_GUTENBERG = re.compile(r"^\s*\*\*\* ?(START|END) OF TH(?:E|IS) PROJECT GUTENBERG.*$", re.MULTILINE)
_WITHIN = re.compile(r"(?<=[^\W\d_]|[,;-])[^\S\f]*\f\s*(?=[^\W\dA-Z_])")  # a page ends within a sentence
_MARK = re.compile(r"\s*(?:[•◦▪●○‣∙*–—-]\s+(?=\S)|(?=\(?(?:\d{1,3}|[A-Za-z])[.)]\s+\S))")
_CHAPTER = re.compile(r"(?:chapter|lesson|module)\s+(?:\d+|[ivxlc]+)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\d{1,3}(?:\.\d{1,3})*\.?\s")
_FORMULA = re.compile(r"[|=<>×÷≤≥]|\d/\d")  # in a row of a table or a sum, not in a heading
_SMALL = set("a an and as at but by for from in into nor of on or the to upon versus vs with without".split())
_LINE_MAX = 100  # characters: a file of longer lines is not set by hand, and each of its lines is a paragraph
_HEADING_WORDS = 12  # words of the longest heading
_TITLED, _CAPITALS = 1.0, 2.0  # what stands for the size of their type


def plain_document(file: SourceFile, reading: Reading) -> Document:
    """The paragraphs of a file of plain text. It is one page.

    A short line of its own, without a stop, that is numbered, in capitals or in title case is a heading.

    Raises:
        Unreadable: The file is too large.
    """
    text = decoded(content(file.path, reading)).replace("\r\n", "\n").replace("\r", "\n")
    text = _WITHIN.sub("\n", text).replace("\f", "\n\n")
    blocks = Blocks()
    marks = list(_GUTENBERG.finditer(text))
    for mark in reversed(marks):
        ends = mark.group(1) == "END"
        blocks.leave_out("front matter", text[mark.start() :] if ends else text[: mark.end()])
        text = text[: mark.start()] if ends else text[mark.end() :]
    return Document(1, list(paragraphs_of(text, 1)), left_out=blocks.left_out)


def paragraphs_of(text: str, page: int) -> Iterator[Paragraph]:
    """The paragraphs of a text, headings and items among them."""
    lines = text.split("\n")
    filled = sorted(len(line) for line in lines if line.strip())
    wrapped = bool(filled) and filled[int(0.95 * (len(filled) - 1))] <= _LINE_MAX
    speller = Speller.of(lines if wrapped else ())
    for stretch in re.split(r"\n[^\S\n]*\n\s*?(?=\S|\Z)", text):
        rows = [line for line in stretch.split("\n") if line.strip()]
        line = tidy(" ".join(rows)) if len(rows) < 3 else ""
        style = _heading(line)
        if style and (len(rows) == 1 or style > _TITLED):
            yield Paragraph("heading", line, [(0, page)], style, True)
            continue
        for piece in _pieces(rows, speller) if wrapped else rows:
            mark = _MARK.match(piece)
            if said := tidy(piece[mark.end() :] if mark else piece):
                yield paragraph("item" if mark else "text", said, page)


def _pieces(rows: list[str], speller: Speller) -> Iterator[str]:
    """The paragraphs of a stretch without blank lines: one, and one for each mark of an item."""
    done: list[str] = []  # of the open paragraph, all but its end: a long one is not copied for every line
    end = ""
    for row in rows:
        within = _MARK.match(done[0] if done else end) or end.rstrip().endswith((":", ".", "?", ";"))
        if end and within and _MARK.match(row):
            yield "".join([*done, end])
            done, end = [], row
        else:
            end = speller.join(end, row) if end else row
        if len(end) > 10 * _LINE_MAX:
            done.append(end[: -2 * _LINE_MAX])
            end = end[-2 * _LINE_MAX :]
    if end:
        yield "".join([*done, end])


def _heading(line: str) -> float:
    """What stands for a heading's size of type: chapters, then capitals, then others; 0 for what is no heading."""
    words = line.split()
    if not any(len(word) > 2 and word[-2].isalpha() for word in words) or _FORMULA.search(line):
        return 0.0
    if _CHAPTER.match(line) and len(words) < 2 * _HEADING_WORDS and not line.endswith((".", ",", ";")):
        return _CAPITALS + 1
    if len(words) > _HEADING_WORDS or len(line) > _LINE_MAX or line.endswith((".", ",", ";", ":", "?", "!", "-", "…")):
        return 0.0
    if line.isupper():
        return _CAPITALS
    telling = [word for word in words if word.lower().strip("()'\",") not in _SMALL]
    titled = telling and all(not word[0].isalpha() or word[0].isupper() for word in telling)
    return _TITLED if titled or (_NUMBERED.match(line) and len(words) > 1) else 0.0
