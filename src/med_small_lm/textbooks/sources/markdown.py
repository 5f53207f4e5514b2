"""Markdown to paragraphs, by way of HTML."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.sources.html import document_of_tree
from med_small_lm.textbooks.sources.markup import html_tree
from med_small_lm.textbooks.sources.opening import content, decoded

_FRONT = re.compile(r"\A\ufeff?---\s*\n(.*?\n)(?:---|\.\.\.)\s*\n", re.DOTALL)
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)


def markdown_document(file: SourceFile, reading: Reading) -> Document:
    """The paragraphs of a file in CommonMark, tables included. It is one page.

    A title in the metadata at its front (between lines of ``---``) heads the path where no heading does.

    Raises:
        Unreadable: The file is too large or holds nothing.
    """
    text = decoded(content(file.path, reading)).replace("\r\n", "\n")
    front = _FRONT.match(text)
    title = _TITLE.search(front.group(1)) if front else None
    body = MarkdownIt("commonmark").enable("table").render(text[front.end() :] if front else text)
    head = f"<title>{title.group(1)}</title>" if title else ""
    return document_of_tree(html_tree(f'<meta charset="utf-8">{head}{body}'.encode(errors="replace")))
