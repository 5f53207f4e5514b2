"""OBO ontologies: terms with their names, definitions, parents and relationships."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from med_small_lm.synthesis.graphs.lines import lines_of
from med_small_lm.synthesis.graphs.model import Described, Fact, GraphSource, Named, NotAGraph, Related, Tally

_STANZA = re.compile(r"\[(\w+)\]\s*(?:!.*)?")
_TAG = re.compile(r"([\w-]+):\s*(.*)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TARGET = re.compile(r"(?:(?P<relation>\S+)\s+)?(?P<key>[^\s!{]+)\s*(?:\{[^}]*\}\s*)?(?:!\s*(?P<name>.*))?")
_TAGS = ("id", "name", "def", "is_a", "relationship", "is_obsolete")

Line = tuple[int, str, str]
"""Number, tag, value."""


def terms(path: Path, source: GraphSource, tally: Tally) -> Iterator[Fact]:
    """Yield what the terms that are not obsolete say, and the names of the relationships.

    Raises:
        NotAGraph: There is no stanza of a term.
    """
    found = False
    for kind, start, lines in _stanzas(path, tally):
        found = found or kind == "Term"
        if kind not in ("Term", "Typedef"):
            tally.left_out[f"stanza {kind}" if kind else "header"] += len(lines) + bool(kind)
            continue
        yield from _stanza(kind, start, lines, tally)
    if not found:
        raise NotAGraph("no OBO ontology: there is no [Term]")


def _stanzas(path: Path, tally: Tally) -> Iterator[tuple[str, int, list[Line]]]:
    """Yield each stanza's kind, the number of its first line, and its tags; the header's kind is empty."""
    kind, start, lines = "", 1, list[Line]()
    for number, text in lines_of(path, tally):
        if text.startswith("!"):
            tally.left_out["comment"] += 1
        elif head := _STANZA.fullmatch(text.strip()):
            yield kind, start, lines
            kind, start, lines = head[1], number, []
        elif tag := _TAG.match(text):
            lines.append((number, tag[1], tag[2].strip()))
        else:
            tally.fault(number, "no tag and value", text)
    yield kind, start, lines


def _stanza(kind: str, start: int, lines: list[Line], tally: Tally) -> Iterator[Fact]:
    """Yield what one term or one type of relationship says."""
    values = {tag: value for _, tag, value in lines}
    if values.get("is_obsolete") == "true":
        tally.left_out["obsolete"] += len(lines) + 1
        return
    key, name, ids = values.get("id", ""), values.get("name", ""), sum(tag == "id" for _, tag, _ in lines)
    if not key or not name or ids > 1:  # of two ids: the heading between them is malformed
        lacks = f"with {ids} ids" if ids > 1 else f"without {'name' if key else 'id'}"
        tally.fault(start, f"a {kind} {lacks}", f"[{kind}] {key}{name}")
        tally.left_out["of a malformed stanza"] += len(lines)
        return
    tally.left_out["heading of a stanza"] += 1
    yield Named(key, _unescaped(name))
    for number, tag, value in lines:
        if tag not in _TAGS or (kind == "Typedef" and tag not in ("id", "name")):
            tally.left_out["another tag"] += 1
            continue
        facts = _said(key, number, tag, value)
        if facts is None:
            tally.fault(number, f"{tag} is malformed", f"{tag}: {value}")
        else:
            tally.used += 1
            yield from facts


def _said(key: str, number: int, tag: str, value: str) -> list[Fact] | None:
    """Return what one line says of the term, None where it is malformed."""
    if tag == "def":
        quoted = _QUOTED.match(value)
        return [Described(key, _unescaped(quoted[1]), number)] if quoted and quoted[1].strip() else None
    if tag not in ("is_a", "relationship"):
        return []
    target = _TARGET.fullmatch(value)
    if target is None or bool(target["relation"]) != (tag == "relationship"):
        return None
    # A part of an ontology names terms that it does not hold, in a comment.
    named: list[Fact] = [Named(target["key"], _unescaped(target["name"]), 1)] if target["name"] else []
    return [*named, Related(key, target["key"], target["relation"] or "is_a", number)]


def _unescaped(text: str) -> str:
    """Return a text without OBO's backslashes."""
    return re.sub(r"\\(.)", lambda found: " " if found[1] in "nWt" else found[1], text)
