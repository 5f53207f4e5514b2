"""A release of UMLS's form and no content: as many rows as wanted, of which it is known what becomes of each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

WORDS = "renal gastric acute chronic viral hepatic lobar benign cystic septic fatty nodal dural optic basal".split()
KINDS = "fever ulcer stenosis oedema lesion atrophy abscess fibrosis necrosis tumour palsy rash stone fistula".split()
NAMED = "isa has_finding_site may_be_treated_by causative_agent_of part_of has_manifestation".split()

Fates = Counter[tuple[str, str]]
"""Rows by file and what should become of them."""


def make(folder: Path, rows: int, seed: int = 0) -> Fates:
    """Write the three files; return how many rows of each should have which fate."""
    chance, fates = random.Random(seed), Fates()
    concepts = rows * 4 // 25  # with 2.5 names each, 0.4 of all rows are names
    parts = {"MRCONSO.RRF": rows * 2 // 5, "MRDEF.RRF": rows // 20}
    parts["MRREL.RRF"] = rows - sum(parts.values())
    makers = {"MRCONSO.RRF": _name, "MRDEF.RRF": _definition, "MRREL.RRF": _relation}
    folder.mkdir(parents=True, exist_ok=True)
    nameless: set[str] = set()
    for file, count in parts.items():
        with (folder / file).open("w", encoding="utf-8") as out:
            for line, fate in _rows(makers[file], count, concepts, chance, nameless):
                fates[file, fate] += 1
                out.write(line + "\n")
    return fates


def _rows(
    maker: object, count: int, concepts: int, chance: random.Random, nameless: set[str]
) -> Iterator[tuple[str, str]]:
    """The rows with their fates; one of a thousand has lost its last field, and with it its concept the only name."""
    for n in range(count):
        line, fate = maker(n, count, concepts, chance)  # type: ignore[operator]
        cells = line.split("|")
        if n % 1000 == 999:
            if maker is _name and fate == "used":
                nameless.add(cells[0])
            line, fate = line[: line.rindex("|", 0, -1) + 1], "malformed"
        elif maker is not _name and fate == "used" and nameless.intersection((cells[0], cells[4])):
            fate = "an entity without a name"
        yield line, fate


def _cui(number: int) -> str:
    return f"C{number + 1:07d}"


def _name(n: int, count: int, concepts: int, chance: random.Random) -> tuple[str, str]:
    """A name: every concept's first is its preferred one, the others are synonyms, German or obsolete."""
    concept = n * concepts // count
    first = n == 0 or (n - 1) * concepts // count != concept
    text = f"{chance.choice(WORDS)} {chance.choice(WORDS)} {chance.choice(KINDS)} type {concept}"
    if first:
        form, fate = ("ENG", "P", "PF", "Y", "N"), "used"
    else:
        form, fate = chance.choice(
            [
                (("ENG", "S", "PF", "Y", "N"), "not the preferred name"),
                (("GER", "P", "PF", "Y", "N"), "another language"),
                (("ENG", "S", "VO", "N", "O"), "suppressed"),
            ]
        )
    lat, ts, stt, best, suppress = form
    return f"{_cui(concept)}|{lat}|{ts}|L{n}|{stt}|S{n}|{best}|A{n}||M{n}|D{n}|MSH|PT|D{n}|{text}|0|{suppress}||", fate


def _definition(n: int, count: int, concepts: int, chance: random.Random) -> tuple[str, str]:
    """A definition, each of another concept."""
    concept, suppress = n * concepts // count, "N" if chance.random() < 0.9 else "Y"
    text = " ".join(chance.choices([*WORDS, *KINDS], k=30))
    return f"{_cui(concept)}|A{n}|AT{n}||MSH|{text}|{suppress}||", "used" if suppress == "N" else "suppressed"


def _relation(n: int, count: int, concepts: int, chance: random.Random) -> tuple[str, str]:
    """A relation; the file has every one of them in both directions, and unnamed ones."""
    first = n * concepts // count
    second = (first + chance.randrange(1, concepts)) % concepts
    name, direction, fate = chance.choice(
        [
            (chance.choice(NAMED), "Y", "used"),
            (chance.choice(NAMED), "N", "against its source's direction"),
            ("", "", "no name of the relation (RELA)"),
        ]
    )
    ids = f"{_cui(first)}|A{first}|AUI|RO|{_cui(second)}|A{second}|AUI"
    return f"{ids}|{name}|R{n}||MSH|MSH||{direction}|N||", fate
