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
from med_small_lm.textbooks.pages import Entry
from med_small_lm.textbooks.paragraphs import Paragraph

_APART = {
    "contents": r"(table of )?contents|contents in brief|brief contents|list of (figures|tables|illustrations|boxes)",
    "front matter": r"(preface|foreword|dedication|copyright|about the authors?|contributors|acknowledge?ments?)\b.*",
    "index": r"((subject|author|drug|name|general|alphabetical) )?index",
    "references": r"((selected |key |chapter |works? )?(references?|bibliography|cited|literature)( cited| list)?"
    r"|(suggested |further |additional |recommended )readings?( list)?|end ?notes|(photo |image |figure )?credits)",
    "answer key": r"(answers?( key)?( to .*| for .*)?|answer keys?.*|key to .*)",
    "review questions": r"((chapter |section |unit |end.of.chapter |self.?|critical thinking |multiple.choice "
    r"|practice |study |discussion |test your |check your )*(review |study |practice |thinking |choice |assessment )?"
    r"(questions|quiz|quizzes|exercises|self.?test|self.?assessment|problems)( and answers)?)",
}
_APART_RES = {reason: re.compile(pattern, re.IGNORECASE) for reason, pattern in _APART.items()}
_CHAPTER = re.compile(
    r"(?:chapter|lesson|module|appendix)\s+(?:\d+|[a-z]\b|[ivxlc]+\b"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten)\b)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:(?:chapter|unit|part|lesson|module)\s+)?(?:\d{1,3}|[IVXLC]+)[.:]?", re.IGNORECASE)
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3})*)[.:]?\s+\S")
_KEY = re.compile(r"(?:\d{1,3}\s*[.):]?\s*[A-Ea-e]\b[\s;,.]*){3,}")
_OPTION = re.compile(r"\(?[A-Ea-e][.)]\s")
HEADING = "heading"  # the reason of a heading that the section path shows
_LABEL_WORDS = 6  # a note below a figure that is shorter and no sentence labels its parts
_UNNAMED = 99  # level of a heading below all that the path shows


@dataclass(slots=True)
class Placed:
    """A paragraph with its section path; ``reason`` says why it is kept apart, and is empty if it is not."""

    paragraph: Paragraph
    section: str
    reason: str = ""


def place(
    paragraphs: list[Paragraph], outline: list[Entry], pages: int, reading: Reading, contents: int = 0
) -> list[Placed]:
    """Every paragraph with its section path, and the reason if it is kept apart.

    Args:
        paragraphs: The book's paragraphs in reading order.
        outline: The file's bookmarks.
        pages: How many pages the book has.
        reading: The thresholds.
        contents: The last page of the table of contents; 0 if there is none.
    """
    paragraphs = _join_labels(paragraphs)
    levels, lost, depth = _levels(paragraphs, outline)
    chapter = _first_chapter(paragraphs, levels, pages, reading)
    front = {i for i, p in enumerate(paragraphs) if i < chapter or p.page < contents}
    placed: list[Placed] = []
    path: dict[int, str] = {}
    apart: tuple[str, int] | None = None  # the reason, and the level of the heading that gave it
    for index, paragraph in enumerate(paragraphs):
        while lost and lost[0].page <= paragraph.page and paragraph.kind != "heading":
            entry = lost.pop(0)
            _enter(path, entry.level, entry.title)
            apart = None if apart and entry.level <= apart[1] else apart
        if level := levels.get(index, 0):
            apart = _apart_from(paragraph.text, level, apart)
            if level <= depth and not apart and index not in front:
                _enter(path, level, paragraph.text)
        reason = "front matter" if index in front else apart[0] if apart else ""
        shown = 0 < level <= depth  # the path shows it, so the passage need not
        placed.append(Placed(paragraph, " > ".join(path[key] for key in sorted(path)), reason or HEADING * shown))
    return _labels(_questions(placed))


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
    """A heading that is only a label (``Chapter 3``) becomes one with the title under it."""
    joined: list[Paragraph] = []
    for paragraph in paragraphs:
        last = joined[-1] if joined else None
        label = last and last.kind == paragraph.kind == "heading" and _LABEL.fullmatch(last.text.strip())
        if last and label and last.page == paragraph.page and not _LABEL.fullmatch(paragraph.text):
            last.text = f"{last.text.rstrip('.: ')}: {paragraph.text}"
            last.size = max(last.size, paragraph.size)
        else:
            joined.append(paragraph)
    return joined


def _squeeze(title: str) -> str:
    return "".join(letter for letter in title.casefold() if letter.isalnum())


def _levels(paragraphs: list[Paragraph], outline: list[Entry]) -> tuple[dict[int, int], list[Entry], int]:
    """Levels of the headings by index, the entries of the outline that no heading shows, and the path's depth."""
    headings = [i for i, p in enumerate(paragraphs) if p.kind == "heading"]
    wanted: dict[str, list[Entry]] = defaultdict(list)
    for entry in outline:
        wanted[_squeeze(entry.title)].append(entry)
    levels: dict[int, int] = {}
    met: set[int] = set()
    candidates = [i for i, p in enumerate(paragraphs) if p.kind in ("heading", "text", "item") and len(p.text) < 250]
    for index in candidates:
        paragraph = paragraphs[index]
        near = [e for e in wanted.get(_squeeze(paragraph.text), ()) if abs(e.page - paragraph.page) <= 1]
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
    ranked = sorted((style for style in sizes if sizes[style] > 1), reverse=True)
    known = {style: count.most_common(1)[0][0] for style, count in votes.items()}
    levels = {}
    for index in headings:
        style = (paragraphs[index].size, paragraphs[index].bold)
        above = [known[other] for other in known if other > style]
        rank = 1 + sum(other > style for other in ranked)
        levels[index] = explicit.get(index) or known.get(style) or (max(above) + 1 if above else rank)
    return levels


def _numbered(title: str) -> int:
    if _CHAPTER.match(title):
        return 1
    found = _NUMBERED.match(title)
    return found.group(1).count(".") + 1 if found else 0


def _first_chapter(paragraphs: list[Paragraph], levels: dict[int, int], pages: int, reading: Reading) -> int:
    """The index that the first chapter begins at; 0 where nothing tells."""
    top = min(levels.values(), default=0)
    starts = [i for i in sorted(levels) if _CHAPTER.match(paragraphs[i].text)]
    if not starts:
        starts = [i for i in sorted(levels) if levels[i] == top and not apart_by_title(paragraphs[i].text)]
    if not starts:
        return 0
    limit = max(3.0, reading.front_matter * pages)
    return starts[0] if 1 < paragraphs[starts[0]].page <= limit + 1 else 0


def _questions(placed: list[Placed]) -> list[Placed]:
    """The same, with questions that no heading announces (a stem and its options) and bare keys kept apart."""
    run: list[int] = []
    for index, item in enumerate(placed):
        if not item.reason and _OPTION.match(item.paragraph.text) and item.paragraph.n_words < 40:
            run.append(index)
            continue
        if len(run) > 2:
            stem = placed[max(0, run[0] - 1)]
            asks = not stem.reason and stem.paragraph.text.rstrip().endswith(("?", "_", "_."))
            for one in [*([stem] if asks else []), *(placed[i] for i in run)]:
                one.reason = "review questions"
        run = []
        if not item.reason and _KEY.fullmatch(item.paragraph.text):
            item.reason = "answer key"
    return placed


def _labels(placed: list[Placed]) -> list[Placed]:
    """The same, with the small words inside a figure (``aorta``, ``left atrium``) kept apart from its caption."""
    figures = {item.paragraph.page for item in placed if item.paragraph.text.startswith(("Fig", "FIG"))}
    for item in placed:
        note = item.paragraph
        if note.kind == "note" and not item.reason and note.page in figures and note.n_words <= _LABEL_WORDS:
            item.reason = "" if note.text.endswith((".", "?", "!", ":", ")")) else "figure labels"
    return placed
