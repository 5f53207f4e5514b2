"""XML files as elements, one after another, and the text of an element."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from med_small_lm.record_files import Row


def elements(file: Path, roots: tuple[str, ...], *names: str) -> Iterator[Any]:
    """Yields the elements of these names, each forgotten when the next is read; malformed XML is a row with a fault.

    A file without one has a fault unless its root is one of ``roots``. Nothing is fetched and no entity that the file
    declares is put in.
    """
    parts = etree.iterparse(file, tag=names, resolve_entities=False, no_network=True, load_dtd=False)
    held = False
    try:
        for _, element in parts:
            held = True
            yield element
            element.clear()
        if not held and parts.root.tag not in roots:
            yield Row(1, fault=f"the file holds no record: it is XML of <{parts.root.tag}>")
    except etree.XMLSyntaxError as error:
        why = (error.msg or "").partition(",")[0]
        yield Row(error.lineno or 1, fault=f"malformed XML, the rest of the file is not read: {why}")


def text_of(element: Any) -> str | None:
    """Returns the text of an element and all below it, its lines without their indents; None where it lacks."""
    if element is None:
        return None
    lines = (" ".join(line.split()) for line in "".join(element.itertext()).splitlines())
    return "\n".join(line for line in lines if line)
