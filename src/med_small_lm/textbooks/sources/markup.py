"""Trees of HTML and XML, read without the network, files beside them or entities that unfold, and walked in order."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable

from lxml import etree

from med_small_lm.textbooks.pages import Unreadable
from med_small_lm.textbooks.sources.blocks import Blocks
from med_small_lm.textbooks.sources.opening import decoded

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_EMPTY = re.compile(rb"<(title|script|style|textarea|a|i|b|em|span|p|div|td|th|li)\b([^<>]*)/>", re.IGNORECASE)
_ENTITY_MAX = 100  # characters that an entity of the document's own may stand for
_TOO_DEEP = "its elements are nested too deep"
_UNFOLDS = "its entities refer to each other or to files, or unfold"

End = Callable[[], object]
"""What is called at an element's end."""


class Malformed(Unreadable):
    """What is no well-formed XML, and may be HTML."""


def nothing() -> None:
    """The end of an element that begins and ends no block."""


def html_tree(data: bytes) -> etree._Element:
    """The tree of a web page, however badly it is written.

    Raises:
        Unreadable: There is nothing in it, or it is nested deeper than any page is.
    """
    declared = _CHARSET.search(data, 0, 4096)
    text = decoded(data, declared.group(1).decode() if declared else "").replace("\0", "")
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    root = etree.fromstring(text.encode("utf-8", errors="replace"), parser) if text.strip() else None
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        raise Unreadable("quarantined", _TOO_DEEP)
    if root is None:
        raise Unreadable("quarantined", "there is nothing in it")
    return root


def xhtml_tree(data: bytes) -> etree._Element:
    """The tree of a web page that says that it is XML, also if it is not."""
    try:
        return xml_tree(data)
    except Malformed:
        return html_tree(_EMPTY.sub(rb"<\1\2></\1>", data))


def xml_tree(data: bytes) -> etree._Element:
    """The tree of an XML document; entities stay as they are written.

    Raises:
        Unreadable: It is not well formed, nested too deep, or its entities refer to each other or to files.
    """
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        faults = {entry.type_name for entry in parser.error_log}
        if "ERR_ENTITY_LOOP" in faults or "amplification" in str(error):
            raise Unreadable("quarantined", _UNFOLDS) from error
        if "ERR_RESOURCE_LIMIT" in faults:
            raise Unreadable("quarantined", _TOO_DEEP) from error
        raise Malformed("quarantined", f"it is no well-formed XML: {' '.join(str(error.msg).split())[:120]}") from error
    for _, said in _declared(root):
        if said is None or "&" in said or len(said) > _ENTITY_MAX:
            raise Unreadable("quarantined", _UNFOLDS)
    return root


def _declared(root: etree._Element) -> Iterable[tuple[str, str | None]]:
    dtd = root.getroottree().docinfo.internalDTD
    return [(entity.name, entity.content) for entity in dtd.iterentities()] if dtd is not None else []


def walk(root: etree._Element, blocks: Blocks, start: Callable[[etree._Element, str], End | None]) -> None:
    """Writes a tree's text to the blocks.

    ``start`` is called with every element and its name without a namespace, and gives what is to be called at the
    element's end, or None to leave it out with all in it.
    """
    entities = {f"&{name};": said or "" for name, said in _declared(root)}
    events = etree.iterwalk(root, events=("start", "end"))
    ends: list[End] = []
    for event, node in events:
        if event == "end":
            ends.pop()()
            if node is not root:
                blocks.write(node.tail)
        elif name := local(node):
            end = start(node, name)
            if end is None:
                events.skip_subtree()
            else:
                blocks.write(node.text)
            ends.append(end or nothing)
        else:
            said = node.text or ""
            blocks.write(entities[said] if said in entities else html.unescape(said))
            ends.append(nothing)


def local(node: etree._Element) -> str:
    """An element's name without its namespace; empty for what is no element."""
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def text_of(node: etree._Element) -> str:
    """All text of an element, in single spaces."""
    return " ".join(html.unescape("".join(node.itertext())).split())


def script_of(node: etree._Element, name: str) -> str:
    """``sup`` or ``sub`` for what stands raised or lowered, in text and in MathML, else an empty string."""
    if name in ("sup", "sub"):
        return name
    parent = node.getparent()
    above = local(parent) if parent is not None else ""
    if parent is None or above not in ("msup", "msub", "msubsup") or node is parent[0]:
        return ""
    return "sup" if above == "msup" or (above == "msubsup" and node is parent[-1]) else "sub"


def is_denominator(node: etree._Element) -> bool:
    """Whether the element is the lower part of a fraction in MathML."""
    parent = node.getparent()
    return parent is not None and local(parent) == "mfrac" and node is not parent[0]
