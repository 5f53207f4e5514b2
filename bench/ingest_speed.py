"""Speed and memory of reading PDFs: `python bench/ingest_speed.py`, about two minutes on two idle cores.

Every PDF of `BOOKS=folder` (default: `../shared/data/textbooks`), or without any a generated book of 300 pages. One
core: a process that may use one CPU reads the book, from the closed file to its records, best of three after one to
warm up; the peer is bare `get_text("dict")` of every page in the same process, and pymupdf4llm on 20 pages where it is
installed. Two processes: the fastest of five, taken in turns with one; other work on the machine spoils it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pymupdf
from _figures import say

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Workers
from med_small_lm.textbooks import SourceFile, read_file
from med_small_lm.textbooks.workers import read_isolated

ROOT = Path(__file__).resolve().parents[1]
PEER_PAGES = 20


def best(function: Callable[[], Any]) -> float:
    """Seconds of the fastest of three calls, after one that warms up."""
    function()
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        function()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def generated(folder: Path) -> list[Path]:
    """A book of 300 pages in two columns, with running heads and folios."""
    document = pymupdf.open()
    for number in range(300):
        page = document.new_page(width=612, height=792)
        page.insert_text((72, 40), "A Generated Book", fontsize=8)
        page.insert_text((300, 770), str(number + 1), fontsize=8)
        if number % 20 == 0:
            page.insert_text((72, 66), f"Chapter {number // 20 + 1}", fontsize=16, fontname="hebo")
        for x in (54, 320):
            for row in range(54):
                text = f"line {row} of page {number} tells what an organ does in the body"
                page.insert_text((x, 88 + 12 * row), text, fontsize=8.5)
    document.save(folder / "generated.pdf", deflate=True)
    return [folder / "generated.pdf"]


def bare(book: Path) -> None:
    """What PyMuPDF alone takes for the text of all pages."""
    with pymupdf.open(book) as document:
        for page in document:
            page.get_text("dict", flags=pymupdf.TEXTFLAGS_DICT & ~pymupdf.TEXT_PRESERVE_IMAGES)


def one_core(book: Path) -> None:
    """Print pages a second of this process, tied to one CPU: all of it, bare text, and pymupdf4llm."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pages = len(pymupdf.open(book))
    whole, text = best(lambda: read_file(SourceFile("b", book, ""), IngestTextbooks())), best(lambda: bare(book))
    peer = None
    try:
        import pymupdf4llm

        begun = time.perf_counter()
        pymupdf4llm.to_markdown(book, pages=list(range(min(PEER_PAGES, pages))))
        peer = min(PEER_PAGES, pages) / (time.perf_counter() - begun)
    except ImportError:
        pass
    print(json.dumps([pages / whole, pages / text, peer]))


def two_cores(book: Path) -> None:
    """Print the seconds that one and two worker processes take, taken in turns."""
    taken: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(6):
        for processes, times in taken.items():
            begun = time.perf_counter()
            read_isolated(SourceFile("b", book, ""), IngestTextbooks(workers=Workers(processes=processes)))
            times.append(time.perf_counter() - begun)
            if turn == 0:
                times.clear()
    print(json.dumps([min(times) for times in taken.values()]))


def memory(book: Path, processes: int) -> None:
    """Print the peak memory in MB of this process, of its workers together, and how many they are."""
    read_isolated(SourceFile("b", book, ""), IngestTextbooks(workers=Workers(processes=processes)))
    workers = psutil.Process().children()
    print(json.dumps([peak(os.getpid()), sum(peak(worker.pid) for worker in workers), len(workers)]))


def peak(pid: int) -> float:
    """The most memory that a process has held, in MB."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return psutil.Process(pid).memory_info().rss / 1e6
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


def measured(what: str, *values: object) -> list[Any]:
    """What a function of this script prints in a process of its own."""
    command = [sys.executable, __file__, what, *map(str, values)]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    result: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main(books: list[Path]) -> bool:
    """Whether every figure of the books is reached."""
    good = True
    for book in books:
        name = f"{book.stem} ({len(pymupdf.open(book))} pages)"
        speed, text, peer = measured("one_core", book)
        figure = f"{name}: PDF to passages, one core; peer: bare get_text('dict')"
        share = round(speed / text, 3)
        good &= say(figure, round(speed), ">= 100", speed >= 100, "pages/s", round(text), share)
        if peer:
            figure = f"{name}: PDF to passages, one core; peer: pymupdf4llm on {PEER_PAGES} pages"
            say(figure, round(speed), "reported", True, "pages/s", round(peer, 1), round(speed / peer, 1))
        one, two = measured("two_cores", book)
        figure = f"{name}: two processes; peer: one"
        ratio = round(one / two, 2)
        good &= say(figure, round(two, 3), "one takes >= 1.7 times that", ratio >= 1.7, "s", round(one, 3), ratio)
    largest = max(books, key=lambda book: len(pymupdf.open(book)))
    for processes in (1, 2):
        own, workers, number = measured("memory", largest, processes)
        name = f"{largest.stem}: peak memory, this process {own:.0f} and its workers ({number}) together"
        good &= say(name, round(own + workers), "<= 700", own + workers <= 700, "MB")
    return good


if __name__ == "__main__":
    if len(sys.argv) > 1:
        function, book, *rest = sys.argv[1:]
        {"one_core": one_core, "two_cores": two_cores, "memory": memory}[function](Path(book), *map(int, rest))
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = sorted(Path(os.environ.get("BOOKS") or ROOT.parent / "shared/data/textbooks").glob("*.pdf"))
            sys.exit(0 if main(found or generated(Path(folder))) else 1)
