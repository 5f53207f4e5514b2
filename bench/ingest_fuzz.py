"""2,000 mutations of small PDFs, read by worker processes: `python bench/ingest_fuzz.py`, about two minutes.

`MUTATIONS=n` takes another number, `SEED=n` another seed, `KEEP=folder` keeps the files that end a worker. Plain seeded
random does: coverage cannot be seen inside MuPDF, so what guides a fuzzer would be blind there, while knowing what PDFs
are made of (lengths, counts, references, offsets, packed streams) reaches deeper than bytes do. A worker may end; the
run may not, and no file may take longer than 30 seconds.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymupdf
from _figures import say

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Reading, Workers
from med_small_lm.textbooks import SourceFile
from med_small_lm.textbooks.workers import read_files

NUMBER, SEED = int(os.environ.get("MUTATIONS") or 2_000), int(os.environ.get("SEED") or 0)
PARAMS = IngestTextbooks(reading=Reading(ocr="never"), workers=Workers(seconds=10.0, memory=2048))
STATUSES = {"ok", "ocr", "needs_ocr", "needs_password", "quarantined"}
NUMBERS = re.compile(rb"(/(?:Length|Count|Size|N|First|Prev|W|Index|Predictor|Columns|FirstChar|LastChar)\W{1,2})(\d+)")
REFERENCES = re.compile(rb"(\d+) 0 R")
OFFSETS = re.compile(rb"(?<=\n)(\d{10})(?= \d{5} n)|(?<=startxref\n)(\d+)")
STREAMS = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
NAMES = re.compile(rb"/(Type|Kids|Parent|Contents|Resources|Font|MediaBox|Filter|FlateDecode|Pages?|Outlines|Rotate)\b")
VALUES = (0, 1, 2, 3, 255, 65_536, 1_000_000, 2**31 - 1, 2**31, 2**32, 2**63, 10**30)


def originals() -> list[bytes]:
    """Small PDFs, plain, packed and encrypted, with object streams, outline, rulings, a turned page and pictures."""
    document = pymupdf.open()
    for number in range(3):
        page = document.new_page(width=400, height=500)
        page.insert_text((40, 30), f"Chapter {number + 1}", fontsize=16, fontname="hebo")
        for row in range(24):
            page.insert_text((40, 60 + 14 * row), f"Sentence {row} of page {number} says what a cell does.", fontsize=9)
        for row in range(3):
            page.draw_line((40, 420 + 20 * row), (300, 420 + 20 * row))
            page.insert_text((44, 434 + 20 * row), f"cell {row}")
            page.insert_text((180, 434 + 20 * row), "value")
        picture = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 20, 20))
        picture.clear_with(90 + number)
        page.insert_image((320, 420, 380, 480), pixmap=picture)
        page.insert_link({"kind": pymupdf.LINK_GOTO, "from": pymupdf.Rect(40, 20, 90, 40), "page": 0})
    document[2].set_rotation(90)
    document.set_toc([[1, "Chapter 1", 1], [2, "Cells", 2], [1, "Chapter 3", 3]])
    locked = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": "", "owner_pw": "owner"}
    makes: list[dict[str, Any]] = [
        {"expand": 255, "deflate": False},
        {"deflate": True},
        {"deflate": True, "use_objstms": 1, "garbage": 3},
        {"deflate": True, **locked},
        {"deflate": True, "linear": False, "clean": True, "ascii": True},
    ]
    return [document.tobytes(**make) for make in makes]


def flip(data: bytearray, draw: random.Random) -> None:
    """Other bytes in a few places."""
    for _ in range(draw.choice((1, 3, 20, 200))):
        data[draw.randrange(len(data))] = draw.randrange(256)


def truncate(data: bytearray, draw: random.Random) -> None:
    """Cut off."""
    del data[draw.randrange(len(data)) :]


def double(data: bytearray, draw: random.Random) -> None:
    """A block repeated somewhere, or taken out."""
    start = draw.randrange(len(data))
    block = data[start : start + draw.choice((1, 16, 256, 4096))]
    if draw.random() < 0.3:
        del data[start : start + len(block)]
    else:
        at = draw.randrange(len(data))
        data[at:at] = block * draw.choice((1, 1, 2, 50))


def number(data: bytearray, draw: random.Random) -> None:
    """Another length, count or size."""
    swap(data, draw, NUMBERS, lambda found: found[1] + str(draw.choice((*VALUES, -1, int(found[2]) + 1))).encode())


def reference(data: bytearray, draw: random.Random) -> None:
    """A reference to another object, often to one that is above it."""
    highest = max((int(found) for found in REFERENCES.findall(data)), default=1)
    for _ in range(draw.choice((1, 1, 3))):
        swap(data, draw, REFERENCES, lambda _: b"%d 0 R" % draw.randint(0, highest + 1))


def offset(data: bytearray, draw: random.Random) -> None:
    """Another place in the cross-reference table, or of it."""
    swap(data, draw, OFFSETS, lambda found: b"%0*d" % (len(found[0]), draw.randrange(2 * len(data))))


def name(data: bytearray, draw: random.Random) -> None:
    """A key or type put in another's place."""
    names = NAMES.findall(data)
    swap(data, draw, NAMES, lambda _: b"/" + draw.choice(names))


def stream(data: bytearray, draw: random.Random) -> None:
    """Damage inside a packed stream, packed again; its length in the dictionary stays."""
    found = list(STREAMS.finditer(data))
    if not found:
        return
    chosen = draw.choice(found)
    try:
        inner = bytearray(zlib.decompress(chosen[1]))
    except zlib.error:
        inner = bytearray(chosen[1])
    if inner:
        draw.choice((flip, double, truncate, operators))(inner, draw)
        data[chosen.start(1) : chosen.end(1)] = zlib.compress(bytes(inner))


def operators(data: bytearray, draw: random.Random) -> None:
    """Huge numbers, deep nesting and operators without operands in a page's content."""
    huge, deep = b" 1e38 -1e38 1e38 0 0 1e38 cm /F1 1e9 Tf ", b" q" * 5000
    extra = draw.choice((huge, deep, b" BT ET" * 999, b" [" * 2000, b" Do Tj '"))
    at = draw.randrange(len(data) + 1)
    data[at:at] = extra


def swap(
    data: bytearray, draw: random.Random, pattern: re.Pattern[bytes], new: Callable[[re.Match[bytes]], bytes]
) -> None:
    """One match of the pattern replaced."""
    found = list(pattern.finditer(data))
    if found:
        chosen = draw.choice(found)
        data[chosen.start() : chosen.end()] = new(chosen)


MUTATORS = (flip, truncate, double, number, number, reference, reference, offset, name, stream, stream, stream)


def mutations(folder: Path, draw: random.Random) -> Iterator[SourceFile]:
    """The mutated files, each written as it is asked for."""
    sources = originals()
    for index in range(NUMBER):
        data = bytearray(draw.choice(sources))
        for mutator in draw.choices(MUTATORS, k=draw.choice((1, 1, 2, 4))):
            if data:
                mutator(data, draw)
        path = folder / f"{index:05}.pdf"
        path.write_bytes(data)
        yield SourceFile(path.stem, path, "")


def main(folder: Path) -> bool:
    """Whether all of them were read or refused in time."""
    statuses: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    slowest, wrong, last = 0.0, 0, time.perf_counter()
    for read in read_files(mutations(folder, random.Random(SEED)), PARAMS):
        now = time.perf_counter()
        slowest, last = max(slowest, now - last), now
        report = read.report
        statuses[report.status] += 1
        wrong += report.status not in STATUSES or bool(read.passages) != (report.status in ("ok", "ocr"))
        if "process that reads it" in report.reason or "time limit" in report.reason or "memory" in report.reason:
            ended[report.reason] += 1
            if kept := os.environ.get("KEEP"):
                shutil.copy(report.file, kept)
        Path(report.file).unlink()
    total = sum(statuses.values())
    good = say(f"fuzzing, seed {SEED}: files read or refused, {dict(statuses)}", total, f"{NUMBER}", total == NUMBER)
    good &= say("fuzzing: crashes of the run, or reports that contradict themselves", wrong, "0", wrong == 0)
    good &= say("fuzzing: longest wait for a file", round(slowest, 2), "< 30", slowest < 30, "s")
    say(f"fuzzing: workers ended by a file {dict(ended) or ''}".strip(), sum(ended.values()), "reported", True)
    return good


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.exit(0 if main(Path(place)) else 1)
