"""JATS XML, the form of PubMed Central's articles, to paragraphs."""

from __future__ import annotations

from lxml import etree

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.pages import Unreadable
from med_small_lm.textbooks.sources.blocks import Blocks
from med_small_lm.textbooks.sources.markup import (
    End,
    is_denominator,
    local,
    nothing,
    script_of,
    text_of,
    walk,
    xml_tree,
)
from med_small_lm.textbooks.sources.opening import content
from med_small_lm.textbooks.sources.tabular import Counter, Tables

_BLOCKS = set(
    "p disp-quote verse-group statement speech sec abstract body back app app-group glossary attrib preformat".split()
)
_FLOATS = {
    "fig": "caption",
    "fig-group": "caption",
    "table-wrap": "caption",
    "boxed-text": "text",
    "fn": "note",
    "table-wrap-foot": "note",
}
_UNSEEN = set("graphic inline-graphic media tex-math annotation annotation-xml object-id alt-text long-desc".split())
# What is no teaching: counted and left out.
_APART = {
    "ref-list": "references",
    "ack": "acknowledgements",
    "bio": "authors",
    "notes": "authors",
    "sub-article": "reviews and replies",
    "response": "reviews and replies",
    "supplementary-material": "supplements",
    "inline-supplementary-material": "supplements",
    "trans-abstract": "translations",
    "trans-title-group": "translations",
    "trans-title": "translations",
    "alt-title": "front matter",
    "subtitle": "front matter",
    "permissions": "notices",
}
_SECTIONS = ("sec", "app", "abstract", "glossary")
_STYLES = {"order": "1", "alpha-lower": "a", "alpha-upper": "A", "roman-lower": "i", "roman-upper": "I"}
_ROOTS = {"article", "book-part-wrapper", "book-part", "book", "pmc-articleset"}


def jats_document(file: SourceFile, reading: Reading) -> Document:
    """The paragraphs of an article, or of a set of them: each article is a page, its title the top of its path.

    Raises:
        Unreadable: It is no JATS XML, not well formed, or larger than the limit.
    """
    root = xml_tree(content(file.path, reading))
    if local(root) not in _ROOTS:
        raise Unreadable("quarantined", f"it is no JATS XML but of the kind {local(root)[:40]!r}")
    articles = list(root.iterchildren("{*}article")) if local(root) == "pmc-articleset" else [root]
    document = Document(max(1, len(articles)), [], papers=True)
    for page, article in enumerate(articles, 1):
        blocks = Blocks(page)
        walk(article, blocks, _Writer(blocks).start)
        document.paragraphs += blocks.paragraphs()
        document.left_out += blocks.left_out
    return document


class _Writer:
    """Turns JATS's elements into blocks: what begins one, and what is called at its end."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._tables = Tables(blocks)
        self._lists: list[Counter] = []
        self._depth = 1  # the level of the heading that is open
        self._backs = 0

    def start(self, node: etree._Element, name: str) -> End | None:
        blocks = self._blocks
        if name in _UNSEEN or self._apart(node, name):
            return None
        if name in ("article-title", "title", "label"):
            return self._titled(node, name)
        if name in ("table", "tr", "td", "th"):
            return self._tables.begin(node, name)
        if name in ("list", "list-item", "def-item", "def"):
            return self._list(node, name)
        if name in _FLOATS:
            blocks.hold(_FLOATS[name])
            return blocks.release
        if name == "caption":
            return blocks.close
        if name in _BLOCKS:
            return self._block(node, name)
        return self._inline(node, name)

    def _block(self, node: etree._Element, name: str) -> End:
        blocks = self._blocks
        if name in _SECTIONS:
            self._depth += 1
            blocks.close()
            if name == "abstract" and node.find("{*}title") is None:
                self._heading("Abstract")
            return self._leave
        if name == "body":
            self._leave_abstract(node)
        blocks.open()
        return blocks.stop if name == "p" and _above(node) == "caption" else blocks.close

    def _leave(self) -> None:
        self._depth -= 1
        self._blocks.close()

    def _leave_abstract(self, body: etree._Element) -> None:
        """Writes the article's title again over a text that no section's title parts from the abstract."""
        title = body.find("../{*}front//{*}article-title")
        first = next(body.iterchildren(), None)
        after = first is not None and local(first) != "sec" and body.find("../{*}front//{*}abstract") is not None
        if title is not None and after:
            self._heading("".join(title.xpath(".//text()[not(ancestor::*[local-name() = 'xref'])]")))

    def _heading(self, title: str) -> None:
        self._blocks.open("heading", self._depth)
        self._blocks.write(title)
        self._blocks.close()

    def _titled(self, node: etree._Element, name: str) -> End | None:
        """A title or label: of a section a heading, of a figure, table or box the beginning of its text."""
        blocks, above = self._blocks, _above(node)
        if name == "label" and above in ("sec", "app", "fig", "fig-group", "table-wrap", "boxed-text"):
            following = node.getnext()
            titled = following is not None and local(following) == "title"
            if above in ("sec", "app"):
                blocks.open("heading", self._depth)
                return blocks.glue if titled else blocks.close
            return blocks.stop
        if name == "label":
            return None  # of an affiliation, an equation, a footnote, an item: the list counts its own
        if name == "article-title" or above in (*_SECTIONS, "body", "title-group", "book-title-group"):
            before = node.getprevious()
            if before is None or local(before) != "label":
                blocks.open("heading", 1 if above in ("title-group", "book-title-group") else self._depth)
            return blocks.close
        blocks.open()
        return blocks.stop

    def _list(self, node: etree._Element, name: str) -> End:
        blocks = self._blocks
        if name == "list":
            blocks.close()
            self._lists.append(Counter(_STYLES.get(node.get("list-type", ""), "")))
            return self._lists.pop
        if name == "def":
            blocks.glue(": ")
            return blocks.close
        label = node.find("{*}label")
        counted = self._lists[-1].mark() if self._lists and name == "list-item" else ""
        blocks.open("item", mark=counted if label is None else text_of(label))
        return blocks.close

    def _inline(self, node: etree._Element, name: str) -> End:
        blocks = self._blocks
        if name == "break":
            blocks.break_line()
        elif script := script_of(node, name):
            blocks.begin_script()
            return lambda: blocks.end_script(script)
        elif is_denominator(node):
            blocks.write("/")
        return nothing

    def _apart(self, node: etree._Element, name: str) -> bool:
        """Whether the element is no part of the text; its words are counted."""
        blocks = self._blocks
        if name == "xref" and node.get("ref-type") in ("bibr", "fn", "table-fn", "aff", "corresp"):
            blocks.cite(text_of(node))
            return True
        above = _above(node)
        reason = _APART.get(name, "")
        if above in ("article-meta", "book-part-meta", "book-meta", "front"):
            if not reason and name not in ("title-group", "book-title-group", "abstract", "article-meta"):
                reason = "authors" if name in ("contrib-group", "aff", "author-notes") else "front matter"
        elif above == "back" and name in ("fn-group", "sec"):
            reason = "authors"  # who paid, who did what, whose interests compete
        elif name in ("disp-formula", "inline-formula") and next(node.iter("{*}math"), None) is None:
            reason = "formulas"
        if reason:
            blocks.leave_out(reason, text_of(node))
        return bool(reason)


def _above(node: etree._Element) -> str:
    parent = node.getparent()
    return local(parent) if parent is not None else ""
