"""UMLS's Rich Release Format: concepts' names, definitions and relations, read as streams.

MRCONSO  CUI|LAT|TS|LUI|STT|SUI|ISPREF|AUI|SAUI|SCUI|SDUI|SAB|TTY|CODE|STR|SRL|SUPPRESS|CVF|
MRDEF    CUI|AUI|ATUI|SATUI|SAB|DEF|SUPPRESS|CVF|
MRREL    CUI1|AUI1|STYPE1|REL|CUI2|AUI2|STYPE2|RELA|RUI|SRUI|SAB|SL|RG|DIR|SUPPRESS|CVF|
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from med_small_lm.synthesis.graphs.lines import lines_of
from med_small_lm.synthesis.graphs.model import Described, Fact, GraphSource, Named, Related, Tally

NAMES, DEFINITIONS, RELATIONS = "MRCONSO.RRF", "MRDEF.RRF", "MRREL.RRF"

KEPT = "N"
"""SUPPRESS of a row that is not suppressed; O is obsolete, E and Y were suppressed by editors."""

_PREFERRED = ("P", "PF", "Y")  # TS, STT, ISPREF of the one preferred name that a concept has in a language


def file_of(folder: Path, name: str) -> Path | None:
    """Return the path of one of the release's files, plain or gzipped, or None where there is none."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def names(path: Path, source: GraphSource, tally: Tally) -> Iterator[Fact]:
    """Yield the concepts' names.

    Of a whole release these are the preferred names. Where ``vocabularies`` are chosen, the best name that these give
    a concept is wanted, which the preferred one need not be.
    """
    for _, cells in _rows(path, 18, tally):
        if cells[1] != source.language:
            tally.left_out["another language"] += 1
        elif not _wanted(cells[16], cells[11], source, tally):
            continue
        elif not source.vocabularies and (cells[2], cells[4], cells[6]) != _PREFERRED:
            tally.left_out["not the preferred name"] += 1
        else:
            tally.used += 1
            rank = sum(cell != best for cell, best in zip((cells[2], cells[4], cells[6]), _PREFERRED, strict=True))
            yield Named(cells[0], cells[14], rank)


def definitions(path: Path, source: GraphSource, tally: Tally) -> Iterator[Fact]:
    """Yield the concepts' definitions; of several that of the vocabulary that is named first is the best."""
    order = {name: rank for rank, name in enumerate(source.vocabularies)}
    for line, cells in _rows(path, 8, tally):
        if not _wanted(cells[6], cells[4], source, tally):
            continue
        if not cells[5].strip():
            tally.left_out["empty"] += 1
        else:
            tally.used += 1
            yield Described(cells[0], cells[5], line, order.get(cells[4], 0))


def relations(path: Path, source: GraphSource, tally: Tally) -> Iterator[Fact]:
    """Yield the named relations between different concepts, in the direction of their source.

    A row says what its second concept is to its first: ``C0006826|...|CHD|C0007097|...|isa`` that carcinoma is a
    malignant neoplasm. Each relation stands in the file in both directions.
    """
    for line, cells in _rows(path, 16, tally):
        if not _wanted(cells[14], cells[10], source, tally):
            continue
        if not cells[7]:
            tally.left_out["no name of the relation (RELA)"] += 1
        elif cells[0] == cells[4]:
            tally.left_out["within one concept"] += 1
        elif cells[13] == "N":
            tally.left_out["against its source's direction"] += 1
        else:
            tally.used += 1
            yield Related(cells[4], cells[0], cells[7], line)


Reader = Callable[[Path, GraphSource, Tally], Iterator[Fact]]
READERS: dict[str, Reader] = {NAMES: names, DEFINITIONS: definitions, RELATIONS: relations}


def _rows(path: Path, fields: int, tally: Tally) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have so many fields, each closed by a bar, and a concept in the first."""
    for number, line in lines_of(path, tally):
        cells = line.split("|")
        if len(cells) != fields + 1 or cells[-1]:
            tally.fault(number, f"{len(cells) - 1} fields, not {fields}", line)
        elif not (cells[0][:1] == "C" and cells[0][1:].isdigit()):
            tally.fault(number, f"{cells[0]!r} is no concept (CUI)", line)
        else:
            yield number, cells


def _wanted(suppress: str, vocabulary: str, source: GraphSource, tally: Tally) -> bool:
    """Return whether a row is of a wanted vocabulary and not suppressed; count it where it is not."""
    if source.vocabularies and vocabulary not in source.vocabularies:
        tally.left_out["another vocabulary"] += 1
    elif suppress != KEPT:
        tally.left_out["suppressed"] += 1
    else:
        return True
    return False
