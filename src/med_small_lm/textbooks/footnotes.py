"""Footnotes told from other small type by the raised mark that a sentence of the same page carries."""

from __future__ import annotations

import re
from collections import defaultdict

from med_small_lm.textbooks.paragraphs import SUPERSCRIPTS, Paragraph, note_mark

_RAISE = str.maketrans("0123456789", SUPERSCRIPTS)
FOOTNOTE = "footnotes"  # the kind, and the reason to keep them apart


def link_footnotes(paragraphs: list[Paragraph]) -> None:
    """Names the footnotes of every page so, in place, and takes their marks out of the text.

    A note whose mark no sentence of its page carries stays what it is: the legend of a table, say.
    """
    notes: dict[int, dict[str, Paragraph]] = defaultdict(dict)
    for paragraph in paragraphs:
        if paragraph.kind == "note" and (mark := note_mark(paragraph.text)):
            notes[paragraph.page].setdefault(mark, paragraph)
    for paragraph in paragraphs if notes else ():
        if paragraph.kind in ("text", "item"):
            pages = {page for _, page in paragraph.marks}
            for page in sorted(pages | {max(pages) + 1}):  # a note that found no room stands on the next page
                for mark, note in notes.get(page, {}).items():
                    glued = note.text[: len(mark)] == mark and note.text[len(mark) : len(mark) + 1].isalpha()
                    if note.kind == "note" and _unmark(paragraph, mark, glued):
                        note.kind = FOOTNOTE


def _unmark(paragraph: Paragraph, mark: str, glued: bool) -> bool:
    """Whether the text carries the mark behind a word or a stop; then it is taken out.

    Fonts with raised figures of their own leave them plain in the file, in the text (``joint1 is``) as in the note,
    where the mark is ``glued`` to the first word then.
    """
    raised = re.escape(mark.translate(_RAISE))
    behind = r"(?:(?<=[^\W\d_]{2})|(?<=\s[aAI])|(?<=[.,;:!?%)\]”’\"']))"
    found = re.search(rf"{behind} ?{raised}(?![{SUPERSCRIPTS}⁺⁻*†‡§¶])", paragraph.text)
    if not found and glued:
        found = re.search(rf"(?:(?<=[^\W\d_]{{2}})|(?<=\sa)|(?<=[^\W\d_)][.,;:!?)])){mark}(?=\s|$)", paragraph.text)
    if not found:
        return False
    start, end = found.span()
    paragraph.text = paragraph.text[:start] + paragraph.text[end:]
    paragraph.marks = [(at - (end - start) if at >= end else at, page) for at, page in paragraph.marks]
    return True
