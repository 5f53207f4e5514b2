"""Web pages to paragraphs; Markdown and the documents of an EPUB take this road too."""

from __future__ import annotations

import re

from lxml import etree

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.pages import Unreadable
from med_small_lm.textbooks.sources.blocks import Blocks
from med_small_lm.textbooks.sources.markup import (
    End,
    html_tree,
    is_denominator,
    local,
    nothing,
    script_of,
    text_of,
    walk,
    xhtml_tree,
)
from med_small_lm.textbooks.sources.opening import content
from med_small_lm.textbooks.sources.tabular import Counter, Tables

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_UNSEEN = set(
    "head script style noscript template svg iframe object embed audio video canvas button select textarea input map "
    "dialog menu annotation annotation-xml rp rt img".split()
)
_BLOCKS = set(
    "p div section article main aside header footer blockquote address center figure details summary dl hr pre "
    "fieldset form body".split()
)
# What `role` and `epub:type` say of a part of a document that is no teaching.
_APART = {
    "navigation": "navigation",
    "banner": "navigation",
    "contentinfo": "navigation",
    "search": "navigation",
    "landmarks": "navigation",
    "page-list": "navigation",
    "toc": "contents",
    "loi": "contents",
    "lot": "contents",
    "index": "index",
    "bibliography": "references",
    "cover": "front matter",
    "titlepage": "front matter",
    "halftitlepage": "front matter",
    "copyright-page": "front matter",
    "dedication": "front matter",
    "colophon": "front matter",
}
# What the classes of Project Gutenberg and Word say, which name no role, in the words of `epub:type`.
_CLASSES = {
    "pg-boilerplate": "copyright-page",
    "pagenum": "pagebreak",
    "footnote": "footnote",
    "msofootnotetext": "footnote",
    "footnote-back": "backlink",
}
_NOTES = {"footnote", "endnote", "rearnote", "note"}
_LINKS = {"noteref", "backlink"}  # lead to a note and back
_NUMBERED_LINK = re.compile(r"\[\w{1,4}\]|[*†‡§↩↑^]\ufe0e?")
_TYPE = "{http://www.idpf.org/2007/ops}type"


def html_document(file: SourceFile, reading: Reading) -> Document:
    """A web page's paragraphs. It is one page; its title heads the path where it has no heading of the first level.

    Raises:
        Unreadable: It has no markup, is too large or nested too deep.
    """
    data = content(file.path, reading)
    if b"<" not in data and b"<\0" not in data:
        raise Unreadable("quarantined", "it is no web page, whatever its name says")
    xml = file.path.suffix.lower() == ".xhtml" or data.lstrip().startswith(b"<?xml")
    return document_of_tree(xhtml_tree(data) if xml else html_tree(data))


def document_of_tree(root: etree._Element) -> Document:
    """The document of a web page's tree."""
    blocks = Blocks()
    title = next((text_of(node) for node in root.iter("{*}title")), "")
    if title and not any(text_of(node) for node in root.iter("{*}h1")):
        blocks.open("heading", 1)
        blocks.write(title)
        blocks.close()
    write_tree(_main(root), blocks)
    return Document(1, blocks.paragraphs(), left_out=blocks.left_out)


def _main(root: etree._Element) -> etree._Element:
    """The one element that says that it holds the page's content, or the page."""
    found = [node for node in root.iter("{*}main") if "hidden" not in node.attrib]
    return found[0] if len(found) == 1 and text_of(found[0]) else root


def write_tree(root: etree._Element, blocks: Blocks) -> None:
    """Writes what a tree of HTML shows to the blocks."""
    walk(root, blocks, _Writer(blocks).start)


class _Writer:
    """Turns HTML's elements into blocks: what begins one, and what is called at its end."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._tables = Tables(blocks)
        self._lists: list[Counter] = []

    def start(self, node: etree._Element, name: str) -> End | None:
        blocks, kinds = self._blocks, _kinds(node)
        if name in _UNSEEN or _hidden(node) or self._apart(node, name, kinds):
            return None
        if name in HEADINGS:
            blocks.open("heading", int(name[1]))
            return blocks.close
        if name in ("table", "tr", "td", "th"):
            return self._tables.begin(node, name)
        if name in ("figcaption", "caption") or (kinds & _NOTES and name in ("aside", "div", "section", "p", "li")):
            blocks.hold("note" if kinds & _NOTES else "caption")
            return blocks.release
        if name in ("ul", "ol", "li", "dt", "dd"):
            return self._list(node, name)
        if name in _BLOCKS:
            blocks.open()
            return self._end_pre() if name == "pre" else blocks.close
        return self._inline(node, name)

    def _list(self, node: etree._Element, name: str) -> End:
        blocks = self._blocks
        if name in ("ul", "ol"):
            blocks.close()
            self._lists.append(Counter(node.get("type", "1") if name == "ol" else "", node.get("start", "1")))
            return self._lists.pop
        if name == "dd":
            blocks.glue(": ")
            return blocks.close
        blocks.open("item", mark=self._lists[-1].mark(node.get("value", "")) if self._lists and name == "li" else "")
        return blocks.close if name == "li" else nothing

    def _inline(self, node: etree._Element, name: str) -> End:
        blocks = self._blocks
        if name == "br":
            blocks.break_line()
        elif script := script_of(node, name):
            blocks.begin_script()
            return lambda: blocks.end_script(script)
        elif is_denominator(node):
            blocks.write("/")
        return nothing

    def _end_pre(self) -> End:
        blocks = self._blocks
        blocks.preformatted += 1

        def end() -> None:
            blocks.preformatted -= 1
            blocks.close()

        return end

    def _apart(self, node: etree._Element, name: str, kinds: set[str]) -> bool:
        """Whether the element is no part of the text; its words are counted."""
        if name == "a" and (kinds & _LINKS or _refers(node)):
            return True
        if "biblioref" in kinds:
            self._blocks.cite(text_of(node))
            return True
        reason = next((_APART[kind] for kind in kinds if kind in _APART), "")
        if name in ("nav", "footer") or (name in ("header", "aside", "form") and _holds_no_text(node, name)):
            reason = reason or "navigation"
        if reason:
            self._blocks.leave_out(reason, text_of(node))
        return bool(reason) or "pagebreak" in kinds


def _kinds(node: etree._Element) -> set[str]:
    """What ``role``, ``epub:type`` and the classes of well-known makers say of an element."""
    said = f"{node.get('role', '')} {node.get(_TYPE, '')} {node.get('epub:type', '')}"
    classes = node.get("class", "").lower().split()
    return {kind.removeprefix("doc-") for kind in said.lower().split()} | {
        _CLASSES[name] for name in classes if name in _CLASSES
    }


def _hidden(node: etree._Element) -> bool:
    style = node.get("style", "").replace(" ", "").lower()
    return "hidden" in node.attrib or node.get("aria-hidden") == "true" or "display:none" in style


def _refers(link: etree._Element) -> bool:
    """Whether a link is a number, raised or in brackets, or a sign that leads to a note or back."""
    above = link.getparent()
    raised = above is not None and local(above) == "sup"
    return "#" in link.get("href", "") and (raised or _NUMBERED_LINK.fullmatch(text_of(link)) is not None)


def _holds_no_text(node: etree._Element, name: str) -> bool:
    """Whether a header has no heading, an aside is for navigation, or a form asks and tells nothing."""
    if name == "header":
        return next(node.iterdescendants(*(f"{{*}}{heading}" for heading in HEADINGS)), None) is None
    if name == "aside":
        return next(node.iterdescendants("{*}nav"), None) is not None
    return next(node.iterdescendants("{*}p"), None) is None
