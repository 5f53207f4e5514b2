"""EPUBs to paragraphs: the documents of the spine, each by the road of a web page."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, cast
from urllib.parse import unquote

from lxml import etree

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.labels import squeeze
from med_small_lm.textbooks.pages import Entry, Unreadable
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sources.blocks import Blocks, paragraph
from med_small_lm.textbooks.sources.html import write_tree
from med_small_lm.textbooks.sources.markup import local, text_of, xhtml_tree, xml_tree
from med_small_lm.textbooks.sources.opening import MEGABYTE, bounded, too_large

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # fonts are scrambled, text is not
_DOCUMENTS = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, OSError, UnicodeDecodeError, NotImplementedError)
_NCX = "application/x-dtbncx+xml"


def epub_document(file: SourceFile, reading: Reading) -> Document:
    """An EPUB's paragraphs. A page is a document's number in the spine, counted from 1.

    The navigation gives the levels of the headings that it names, and a heading to a document that has none.
    Documents that the spine marks as no part of the reading order are left out and counted, as of page 0. Nothing is
    unpacked to disk.

    Raises:
        Unreadable: It is damaged, no EPUB, protected, or unpacks to more than the limit.
        FileNotFoundError: There is no such file.
    """
    try:
        with zipfile.ZipFile(file.path) as archive:
            return _document(_Book(archive, reading), reading)
    except FileNotFoundError:
        raise
    except _DAMAGES as error:
        raise Unreadable("quarantined", f"it cannot be unpacked: {error}") from error


def _document(book: _Book, reading: Reading) -> Document:
    spine = book.spine()
    if not 1 <= len(spine) <= reading.pages_max:
        raise Unreadable("quarantined", f"it has {len(spine)} documents")
    pages = {name: number for number, name in enumerate(spine, 1)}
    outline = [Entry(level, title, pages[name]) for level, title, name in book.navigation() if name in pages]
    document = Document(len(spine), [], outline)
    problems: list[str] = []
    shift = 0
    for name, page in pages.items():
        blocks = Blocks(page)
        try:
            write_tree(xhtml_tree(book.read(name)), blocks)
        except Unreadable as error:  # one damaged document does not cost the book
            problems.append(error.reason)
            document.left_out["damaged", page] = 0  # of how many words nobody knows
            continue
        found, shift = _levelled(blocks.paragraphs(), [entry for entry in outline if entry.page == page], page, shift)
        document.paragraphs += found
        document.left_out.update(blocks.left_out)
    for name in book.aside():
        with suppress(Unreadable):
            document.left_out["outside the reading order", 0] += len(text_of(xhtml_tree(book.read(name))).split())
    if not document.paragraphs and problems:
        raise Unreadable("quarantined", problems[0], len(spine))
    return document


def _levelled(found: list[Paragraph], entries: list[Entry], page: int, shift: int) -> tuple[list[Paragraph], int]:
    """A document's paragraphs with the levels that the navigation gives, and how far others stand from their own."""
    named = {squeeze(entry.title): entry for entry in entries}
    for part in found:
        if part.kind == "text" and len(part.text) < 250 and (entry := named.get(squeeze(part.text))):
            part.kind, part.level = "heading", entry.level
    headings = [part for part in found if part.kind == "heading"]
    if entries and not headings:
        return [paragraph("heading", entries[0].title, page, entries[0].level), *found], shift
    matched = [named.pop(squeeze(part.text), None) for part in headings]
    if entries and not any(matched):
        matched[0] = entries[0]
    for part, entry in zip(headings, matched, strict=True):
        shift = entry.level - part.level if entry else shift
        part.level = max(1, part.level + shift)
    return found, shift


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry of the manifest."""

    name: str
    kind: str
    properties: str


class _Book:
    """What an EPUB's package says: its documents in order, and its navigation."""

    def __init__(self, archive: zipfile.ZipFile, reading: Reading) -> None:
        self._archive, self._reading = archive, reading
        self._names = set(archive.namelist())
        if _CONTAINER not in self._names:
            raise Unreadable("quarantined", "it is no EPUB, whatever its name says")
        if self._protected():
            raise Unreadable("quarantined", "it is protected")
        container = xml_tree(self.read(_CONTAINER))
        path = next((node.get("full-path", "") for node in container.iter("{*}rootfile")), "")
        if path not in self._names:
            raise Unreadable("quarantined", "the package that it names is not in it")
        self._folder = posixpath.dirname(path)
        self._package = xml_tree(self.read(path))
        self._items = {node.get("id", ""): self._item(node) for node in self._package.iter("{*}item")}

    def _item(self, node: etree._Element) -> _Item:
        name = self._resolve(self._folder, node.get("href", ""))
        return _Item(name, node.get("media-type", ""), node.get("properties", ""))

    def spine(self) -> list[str]:
        """The names of the documents in reading order, each once.

        Raises:
            Unreadable: Together they are larger than the limit.
        """
        names = self._listed(linear=True)
        size = sum(self._archive.getinfo(name).file_size for name in [*names, *self.aside()])
        if size > self._reading.megabytes_max * MEGABYTE:
            raise too_large(self._reading)
        return names

    def aside(self) -> list[str]:
        """The names of the documents that are no part of the reading order, each once."""
        read = self._listed(linear=True)
        return [name for name in self._listed(linear=False) if name not in read]

    def _listed(self, linear: bool) -> list[str]:
        nodes = (node for node in self._package.iter("{*}itemref") if (node.get("linear", "yes") != "no") == linear)
        items = (self._items.get(node.get("idref", "")) for node in nodes)
        names = [item.name for item in items if item and item.kind in _DOCUMENTS and item.name in self._names]
        return list(dict.fromkeys(names))

    def navigation(self) -> Iterator[tuple[int, str, str]]:
        """Level, title and document of the entries of the table of contents; none where it cannot be read."""
        nav = next((item for item in self._items.values() if "nav" in item.properties.split()), None)
        ncx = next((item for item in self._items.values() if item.kind == _NCX), None)
        for item, tag, parent in ((nav, "a", "ol"), (ncx, "navPoint", "navPoint")):
            if item and item.name in self._names:
                try:
                    entries = list(self._entries(item.name, tag, parent))
                except Unreadable:
                    continue
                if entries:
                    yield from entries
                    return

    def _entries(self, name: str, tag: str, parent: str) -> Iterator[tuple[int, str, str]]:
        folder = posixpath.dirname(name)
        for node in _toc(xhtml_tree(self.read(name))).iter(f"{{*}}{tag}"):
            label = node if tag == "a" else node.find("{*}navLabel")
            target = node if tag == "a" else node.find("{*}content")
            if label is None or target is None or not text_of(label):
                continue
            level = sum(local(above) == parent.lower() for above in node.iterancestors()) + (tag != "a")
            link = target.get("href" if tag == "a" else "src", "")
            yield max(1, level), text_of(label), self._resolve(folder, link.partition("#")[0])

    def read(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            Unreadable: It is damaged, encrypted, or larger than the limit.
        """
        try:
            with self._archive.open(name) as member:
                return bounded(cast(BinaryIO, member), self._reading)
        except _DAMAGES as error:
            raise Unreadable("quarantined", f"it cannot be unpacked: {error}") from error
        except RuntimeError as error:  # what zipfile raises for a member with a password
            raise Unreadable("quarantined", "it is protected") from error

    def _protected(self) -> bool:
        """Whether more is encrypted than fonts."""
        if _ENCRYPTION not in self._names:
            return False
        methods = xml_tree(self.read(_ENCRYPTION)).iter("{*}EncryptionMethod")
        return any(method.get("Algorithm") not in _FONTS for method in methods)

    @staticmethod
    def _resolve(folder: str, link: str) -> str:
        return posixpath.normpath(posixpath.join(folder, unquote(link)))


def _toc(root: etree._Element) -> etree._Element:
    """The part of a navigation document that is the table of contents."""
    navs = list(root.iter("{*}nav"))
    told = (nav for nav in navs if any("toc" in value.split() for value in nav.attrib.values()))
    return next(told, navs[0] if navs else root)
