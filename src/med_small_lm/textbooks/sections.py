"""Where each paragraph belongs: its path of headings, and what is no part of the book's teaching.

Levels of headings come from the outline where it names them, else from their numbers (``3.2`` is a section of chapter
3) and their type. Front matter, contents, indexes, references and questions with their keys are told by heading, place
and form, and kept apart with their reason.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.footnotes import FOOTNOTE, link_footnotes
from med_small_lm.textbooks.notices import mark_notices
from med_small_lm.textbooks.pages import Entry
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.quizzes import mark_quizzes, stems_as_items

_APART = {
    "contents": r"(table of )?contents|contents in brief|brief contents|list of (figures|tables|illustrations|boxes)",
    "front matter": r"(preface|foreword|dedication|copyright|about the authors?|contributors|acknowledge?ments?)\b.*",
    "authors": r"(author|authors?[’']) (contributions?|details|information)( statement)?"
    r"|funding (sources?|statement|information)|ethics (statement|approval)( .*)?"
    r"|((declarations? of|statement of) )?(conflicts? of|competing) interests?( statement)?"
    r"|data availability( statement)?|availability of data and materials?|consent (for publication|to participate)",
    "index": r"((subject|author|drug|name|general|alphabetical) )?index",
    "references": r"((selected |key |chapter |works? )?(references?|bibliography|cited|literature)( cited| list)?"
    r"|(suggested |further |additional |recommended )readings?( list)?|end ?notes|(photo |image |figure )?credits)",
    "answer key": r"(correct |chapter |section |review )*answers?( keys?)?( and (explanations?|rationales?))?"
    r"|answers? (to|for) .*|answer keys?\b.*|(key|solutions) to .*(answers|questions|exercises|problems|quiz|test)",
    "review questions": r"((chapter|section|unit|lesson|end.of.(chapter|unit|section)|critical|clinical|multiple.choice"
    r"|single best|answer|practice|sample|self|usmle|nclex|board|exam(ination)?|test your|check your|interactive link"
    r"|knowledge|style|format|type|review|study|discussion|thinking|choice|assessment)[ -])*"
    r"(questions|quiz|quizzes|mcqs?|exercises|self.?test|self.?assessment|problems|pre.?test|post.?test)( and answers)?"
    r"|(check|test) (your|yourself|for)( (knowledge|understanding|learning|recall))?|practice (test|exam)"
    r"|knowledge check|multiple.choice|true (or|/) ?false|fill.in.the.blanks?|short answers?",
}
_APART_RES = {reason: re.compile(pattern, re.IGNORECASE) for reason, pattern in _APART.items()}
_CHAPTER = re.compile(
    r"(?:chapter|lesson|module|appendix)\s+(?:\d+|[a-z]\b|[ivxlc]+\b"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten)\b)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:(?:chapter|unit|part|lesson|module)\s+)?"
    r"(?:\d{1,3}|[IVXLC]+|(?<=\s)(?:one|two|three|four|five|six|seven|eight|nine|ten))[.:]?",
    re.IGNORECASE,
)
_LABELLED = re.compile(rf"{_LABEL.pattern}\s+(?=\S)", re.IGNORECASE)
_COUNTED = re.compile(r"\(?(\d{1,2})(?:[.)]|(?=\s))\s+(?=\S)")  # the number of a list's item
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3})*)[.:]?\s+\S")
_NO_LETTER = re.compile(r"[\W_]+")
HEADING = "heading"  # the reason of a heading that the section path shows
_LABEL_WORDS = 6  # a note below a figure that is shorter and no sentence labels its parts
_TITLE_WORDS = 50  # a title page has fewer
_ITEM_WORDS = 20  # an item that is longer has several lines
_UNNAMED = 99  # level of a heading below all that the path shows


@dataclass(slots=True)
class Placed:
    """A paragraph with its section path; ``reason`` says why it is kept apart, and is empty if it is not."""

    paragraph: Paragraph
    section: str
    reason: str = ""


def place(
    paragraphs: list[Paragraph],
    outline: list[Entry],
    pages: int,
    reading: Reading,
    contents: int = 0,
    has_front: bool = True,
) -> list[Placed]:
    """Every paragraph with its section path, and the reason if it is kept apart.

    Args:
        paragraphs: The book's paragraphs in reading order.
        outline: The file's bookmarks.
        pages: How many pages the book has.
        reading: The thresholds.
        contents: The last page of the table of contents; 0 if there is none.
        has_front: Whether what stands before the first chapter is front matter.
    """
    stems_as_items(paragraphs)
    link_footnotes(paragraphs)
    paragraphs = _join_labels(paragraphs)
    levels, lost, depth = _levels(paragraphs, outline)
    chapter = _first_chapter(paragraphs, levels, pages, reading) if has_front else 0
    front = {i for i, p in enumerate(paragraphs) if i < chapter or p.page < contents}
    placed: list[Placed] = []
    path: dict[int, str] = {}
    apart: tuple[str, int] | None = None  # the reason, and the level of the heading that gave it
    for index, paragraph in enumerate(paragraphs):
        while lost and (lost[0].page, paragraph.kind == "heading") < (paragraph.page, True):
            entry = lost.pop(0)
            if apart_by_title(entry.title):
                continue
            _enter(path, entry.level, entry.title)
            apart = None if apart and entry.level <= apart[1] else apart
        if level := levels.get(index, 0):
            apart = _apart_from(paragraph.text, level, apart)
            if level <= depth and not apart and index not in front:
                _enter(path, level, paragraph.text)
        reason = "front matter" if index in front else apart[0] if apart else FOOTNOTE * (paragraph.kind == FOOTNOTE)
        shown = 0 < level <= depth  # the path shows it, so the passage need not
        placed.append(Placed(paragraph, " > ".join(path[key] for key in sorted(path)), reason or HEADING * shown))
    return _unnumbered(_labels(mark_notices(mark_quizzes(placed))))


def _apart_from(title: str, level: int, apart: tuple[str, int] | None) -> tuple[str, int] | None:
    """What is kept apart from this heading on: an inner heading changes the reason, an outer one ends it."""
    reason = apart_by_title(title)
    if apart and level > apart[1]:
        return (reason or apart[0], apart[1])
    return (reason, level) if reason else None


def apart_by_title(title: str) -> str:
    """The reason to keep a section of this title apart, or an empty string."""
    bare = re.sub(r"^[\dIVX.]+[.:)]?\s+|[\s:.]+$", "", title.strip())
    return next((reason for reason, pattern in _APART_RES.items() if pattern.fullmatch(bare)), "")


def _enter(path: dict[int, str], level: int, title: str) -> None:
    for deeper in [key for key in path if key >= level]:
        del path[deeper]
    path[level] = title


def _join_labels(paragraphs: list[Paragraph]) -> list[Paragraph]:
    """A line that is only a label (``Chapter 3``) becomes one with the heading under it."""
    joined: list[Paragraph] = []
    for paragraph in paragraphs:
        last = joined[-1] if joined else None
        label = last is not None and paragraph.kind == "heading" and _is_label(last)
        if last and label and last.page == paragraph.page and not _LABEL.fullmatch(paragraph.text):
            last.text = f"{last.text.rstrip('.: ')}: {paragraph.text}"
            last.size, last.bold, last.kind = max(last.size, paragraph.size), paragraph.bold, "heading"
        else:
            joined.append(paragraph)
    return joined


def _is_label(paragraph: Paragraph) -> bool:
    """Whether it is only a label: as a heading ``3`` is one too, else the word for chapter has to stand there."""
    named = paragraph.kind in ("text", "note") and _CHAPTER.fullmatch(paragraph.text)
    return bool((paragraph.kind == "heading" or named) and _LABEL.fullmatch(paragraph.text.strip()))


def _squeeze(title: str) -> str:
    return _NO_LETTER.sub("", title.casefold())


def _levels(paragraphs: list[Paragraph], outline: list[Entry]) -> tuple[dict[int, int], list[Entry], int]:
    """Levels of the headings by index, the entries of the outline that no heading shows, and the path's depth."""
    headings = [i for i, p in enumerate(paragraphs) if p.kind == "heading"]
    if any(paragraphs[i].level for i in headings):  # the source gives them
        given = [Entry(p.level, p.text, p.page) for p in paragraphs if p.level]
        return {i: paragraphs[i].level or _UNNAMED for i in headings}, [], _chapter_level(given) + 1
    wanted: dict[tuple[str, int], list[Entry]] = defaultdict(list)  # by title, and page give or take one
    for entry in outline:
        for key in {_squeeze(entry.title), _squeeze(_LABELLED.sub("", entry.title))}:
            for page in (entry.page - 1, entry.page, entry.page + 1):
                wanted[key, page].append(entry)
    begins = {key[:3] for key, _ in wanted}
    levels: dict[int, int] = {}
    met: set[int] = set()
    candidates = [i for i, p in enumerate(paragraphs) if p.kind in ("heading", "text", "item") and len(p.text) < 250]
    for index in candidates:
        paragraph = paragraphs[index]
        begin = paragraph.text[:3]
        if paragraph.kind != "heading" and begin.isalnum() and begin.casefold()[:3] not in begins:
            continue  # most paragraphs: nothing to squeeze
        near = wanted.get((_squeeze(paragraph.text), paragraph.page), [])
        if not near and paragraph.kind == "heading":
            near = wanted.get((_squeeze(_LABELLED.sub("", paragraph.text)), paragraph.page), [])
        near = [e for e in near if id(e) not in met] or near
        if near:
            met.add(id(near[0]))
            levels[index] = near[0].level
            paragraph.kind = "heading"
    if len(met) < 3 or 2 * len(met) < len(outline):
        return _typographic(paragraphs, headings), [], 2
    depth = _chapter_level(outline) + 1
    lost = [e for e in outline if id(e) not in met and e.level <= depth]
    return {**dict.fromkeys(headings, _UNNAMED), **levels}, lost, depth


def _chapter_level(outline: list[Entry]) -> int:
    """The outline's level of chapters: 1, or below parts and units."""
    counts = Counter(entry.level for entry in outline if _CHAPTER.match(entry.title))
    return min(3, counts.most_common(1)[0][0]) if counts else 1


def _typographic(paragraphs: list[Paragraph], headings: list[int]) -> dict[int, int]:
    """Levels by number, and for headings without one by what their type stands for or ranks."""
    explicit = {index: level for index in headings if (level := _numbered(paragraphs[index].text))}
    votes: dict[tuple[float, bool], Counter[int]] = defaultdict(Counter)
    sizes: Counter[tuple[float, bool]] = Counter()
    for index in headings:
        style = (paragraphs[index].size, paragraphs[index].bold)
        sizes[style] += 1
        if index in explicit:
            votes[style][explicit[index]] += 1
    if headings and _is_title(paragraphs, headings[0]):
        sizes[paragraphs[headings[0]].size, paragraphs[headings[0]].bold] += 1
    ranked = sorted((style for style in sizes if sizes[style] > 1), reverse=True)
    known = {style: count.most_common(1)[0][0] for style, count in votes.items()}
    levels = {}
    for index in headings:
        style = (paragraphs[index].size, paragraphs[index].bold)
        above = [known[other] for other in known if other > style]
        rank = 1 + sum(other > style for other in ranked)
        levels[index] = explicit.get(index) or known.get(style) or (max(above) + 1 if above else rank)
    return levels


def _is_title(paragraphs: list[Paragraph], index: int) -> bool:
    """Whether the text begins below this heading: one that stands once is a chapter's then, not a title page's."""
    page = paragraphs[index].page
    return (
        sum(p.n_words for p in paragraphs[index + 1 :] if p.page == page and p.kind in ("text", "item")) >= _TITLE_WORDS
    )


def _numbered(title: str) -> int:
    if _CHAPTER.match(title):
        return 1
    found = _NUMBERED.match(title)
    return found.group(1).count(".") + 1 if found else 0


def _first_chapter(paragraphs: list[Paragraph], levels: dict[int, int], pages: int, reading: Reading) -> int:
    """The index that the first chapter begins at; 0 where nothing tells."""
    top = min(levels.values(), default=0)
    titles = {i: paragraphs[i].text for i in sorted(levels)}
    starts = [i for i, title in titles.items() if _CHAPTER.match(title)]
    starts = starts or [i for i, title in titles.items() if levels[i] == 1 and _NUMBERED.match(title)]
    if not starts:
        starts = [i for i in sorted(levels) if levels[i] == top and not apart_by_title(paragraphs[i].text)]
    if not starts:
        return 0
    limit = max(3.0, reading.front_matter * pages)
    return starts[0] if 1 < paragraphs[starts[0]].page <= limit + 1 else 0


def _labels(placed: list[Placed]) -> list[Placed]:
    """The same, with the small words inside a figure (``aorta``, ``left atrium``) kept apart from its caption."""
    figures = {item.paragraph.page for item in placed if item.paragraph.text.startswith(("Fig", "FIG"))}
    for item in placed:
        note = item.paragraph
        if note.kind != "note" or item.reason or note.page not in figures:
            continue
        if note.size and note.n_words <= _LABEL_WORDS:  # without a size it is a footnote of marked-up text
            item.reason = "" if note.text.endswith((".", "?", "!", ":", ")")) else "figure labels"
    return placed


def _unnumbered(placed: list[Placed]) -> list[Placed]:
    """The same, with the running numbers of lists gone as their bullets are: only where they count 1, 2, 3 without gap.

    A number that the author typed before a paragraph stays: the paragraph's other lines do not hang behind it.
    """
    run: list[Paragraph] = []
    for item in [*placed, None]:
        found = (
            _COUNTED.match(item.paragraph.text) if item and item.paragraph.kind == "item" and not item.reason else None
        )
        if item and found and int(found.group(1)) == len(run) + 1:
            run.append(item.paragraph)
            continue
        typed = any(paragraph.n_words > _ITEM_WORDS and not paragraph.hanging for paragraph in run)
        for paragraph in run if len(run) > 1 and not typed else ():
            cut = _COUNTED.match(paragraph.text)
            start = cut.end() if cut else 0
            paragraph.text = paragraph.text[start:]
            paragraph.marks = [(max(0, at - start), page) for at, page in paragraph.marks]
        run = [item.paragraph] if item and found and found.group(1) == "1" else []
    return placed
