"""Papers as JSON Lines, in the forms of S2ORC and of what was made from it, to paragraphs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.cleaning import tidy
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.pages import Unreadable
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sources.blocks import paragraph
from med_small_lm.textbooks.sources.citations import CITED, drop_citations
from med_small_lm.textbooks.sources.opening import MEGABYTE, too_large, unpacked
from med_small_lm.textbooks.sources.plain import paragraphs_of

_LINE_MAX = 20 * MEGABYTE  # a paper has 0.1 MB, a book in one line has a few
_IDS = ("paper_id", "corpusid", "corpus_id", "id", "pmid", "doi")


def s2orc_document(file: SourceFile, reading: Reading) -> Document:
    """The paragraphs of a file of papers, one a line. A paper's page is its line; its title is the top of its path.

    Read are ``{title, abstract, body_text: [{section, text}]}`` (S2ORC's first form, CORD-19), ``{content: {text,
    annotations}}`` (its second) and ``{id, text}`` (peS2o). A line that is none of these is left out and counted.
    The file is read line by line; what it says is held until it is placed, at most ``megabytes_max`` of it.

    Raises:
        Unreadable: None of its lines is a paper, or it holds more than the limit.
    """
    document = Document(0, [], papers=True)
    first = ""
    with unpacked(file.path) as stream:
        for number, line in enumerate(_lines(stream, reading), 1):
            document.pages = number
            try:
                record = _record(line)
                document.paragraphs += _paper(record, number)
                if words := sum(len(text.split()) for text in _texts(record.get("back_matter"))):
                    document.left_out["authors", number] += words
            except (ValueError, RecursionError) as error:
                reason = str(error) if isinstance(error, _NoPaper) else "no JSON"
                first = first or f"line {number}: {reason}"
                document.left_out[reason, number] += max(1, len(line.split()))
    if not document.paragraphs:
        raise Unreadable("quarantined", f"none of its {document.pages} lines is a paper; {first or 'all are empty'}")
    return document


class _NoPaper(ValueError):
    """What is wrong with a line."""


def _lines(stream: BinaryIO, reading: Reading) -> Iterator[bytes]:
    """The lines; of one that is too long for a paper only the beginning, which is no JSON."""
    held = 0
    while line := stream.readline(_LINE_MAX):
        held += len(line)
        rest = line
        while len(rest) == _LINE_MAX and not rest.endswith(b"\n"):
            rest = stream.readline(_LINE_MAX)
            held += len(rest)
            line = line[:1000]
            if held > reading.megabytes_max * MEGABYTE:
                break
        if held > reading.megabytes_max * MEGABYTE:
            raise too_large(reading)
        yield line


def _record(line: bytes) -> dict[str, Any]:
    """A line's object; an empty one for an empty line."""
    record = json.loads(line) if line.strip() else {}
    if not isinstance(record, dict):
        raise _NoPaper("no JSON object")
    return record


def _texts(parts: Any) -> Iterator[str]:
    """The texts of a list, or of an object's values, of which each says ``text``."""
    parts = parts.values() if isinstance(parts, dict) else parts if isinstance(parts, list) else []
    return (part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _paper(record: dict[str, Any], page: int) -> list[Paragraph]:
    """A paper's paragraphs under its title, or its number where it has none; none of an empty line."""
    if not record:
        return []
    name = next((str(record[key]) for key in _IDS if record.get(key)), f"line {page}")
    found = list(_body(record, page))
    if not any(part.kind != "heading" for part in found):
        raise _NoPaper("no text in it")
    title = _title(record) or name
    if found[0].kind == "heading" and found[0].text == title:
        found = found[1:]
    return [paragraph("heading", title, page, 1), *found]


def _title(record: dict[str, Any]) -> str:
    metadata = record.get("metadata")
    title = record.get("title") or (metadata.get("title") if isinstance(metadata, dict) else "")
    if not title and (content := _content(record)):
        title = next((content[0][start:end] for start, end in _spans(content[1], "title")), "")
    return tidy(title) if isinstance(title, str) else ""


def _body(record: dict[str, Any], page: int) -> Iterator[Paragraph]:
    if isinstance(record.get("body_text"), list):
        yield from _sections(record.get("abstract"), "Abstract", page)
        yield from _sections(record["body_text"], "", page)
        captions = (tidy(text) for text in _texts(record.get("ref_entries")))
        yield from (paragraph("caption", text, page) for text in captions if text)
    elif (content := _content(record)) and (found := list(_annotated(*content, page))):
        yield from found
    elif isinstance(text := content[0] if content else record.get("text"), str):
        yield from (_below_title(part) for part in paragraphs_of(text, page))
    else:
        yield from _sections(record.get("abstract"), "Abstract", page)


def _below_title(part: Paragraph) -> Paragraph:
    """The same, and a heading that a line of plain text looks like one level below the paper's title."""
    part.level = 2 if part.kind == "heading" else 0
    return part


def _sections(parts: Any, section: str, page: int) -> Iterator[Paragraph]:
    """Paragraphs as ``{section, text, cite_spans}``, or one string; a heading where the section changes."""
    last = ""
    for part in [{"text": parts}] if isinstance(parts, str) else parts if isinstance(parts, list) else []:
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            continue
        title = str(part.get("section") or section)
        spans = part.get("cite_spans")
        text = _without(part["text"], _offsets(spans if isinstance(spans, list) else []))
        if title != last and text:
            yield paragraph("heading", tidy(title), page, 2)
            last = title
        if text:
            yield paragraph("text", text, page)


def _content(record: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Text and annotations of S2ORC's second form."""
    for content in (record.get("content"), record.get("body")):
        if isinstance(content, dict) and isinstance(content.get("text"), str):
            notes = content.get("annotations")
            return content["text"], notes if isinstance(notes, dict) else {}
    return None


def _annotated(text: str, notes: dict[str, Any], page: int) -> Iterator[Paragraph]:
    kinds = {"sectionheader": "heading", "section_header": "heading", "paragraph": "text", "figurecaption": "caption"}
    marked = sorted((start, end, kind) for name, kind in kinds.items() for start, end in _spans(notes, name))
    abstract = _spans(notes, "abstract")
    cited = _spans(notes, "bibref") or _spans(notes, "bib_ref")
    if abstract and not any(abstract[0][0] <= start < abstract[0][1] for start, _, _ in marked):
        marked = [(*abstract[0], "abstract"), *marked]
    at = 0
    for start, end, kind in marked:
        while at < len(cited) and cited[at][0] < start:
            at += 1
        inner = at
        while inner < len(cited) and cited[inner][1] <= end:
            inner += 1
        said = _without(text[start:end], [(first - start, last - start) for first, last in cited[at:inner]])
        if kind == "abstract":
            yield paragraph("heading", "Abstract", page, 2)
        if said:
            yield paragraph("text" if kind == "abstract" else kind, said, page, 2 * (kind == "heading"))


def _spans(notes: dict[str, Any], name: str) -> list[tuple[int, int]]:
    """Offsets of the annotations of a name, in order: they are a list, or one as a string of JSON."""
    spans = notes.get(name)
    spans = json.loads(spans) if isinstance(spans, str) and spans else spans
    return _offsets(spans if isinstance(spans, list) else [])


def _offsets(spans: list[Any]) -> list[tuple[int, int]]:
    found = []
    for span in spans:
        try:
            start, end = int(span["start"]), int(span["end"])
        except (KeyError, TypeError, ValueError):
            continue
        if 0 <= start < end:
            found.append((start, end))
    return sorted(found)


def _without(text: str, cited: list[tuple[int, int]]) -> str:
    """The text without its references to the literature, in single spaces."""
    pieces, at = [], 0
    for start, end in cited:
        if at <= start and end <= len(text):
            pieces += [text[at:start], CITED.format(text[start:end])]
            at = end
    return tidy(drop_citations("".join([*pieces, text[at:]])))
