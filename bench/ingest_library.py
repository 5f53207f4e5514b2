"""The library's figures: `python bench/ingest_library.py`, about ten minutes on two cores.

2,000 PDFs of a few pages are cut from real books, `BOOKS=folder` (default: `../shared/data/textbooks`; without any from
the pocket textbooks), and read as one lane: peak memory beside that of 200, a SIGKILL half way, datatrove's Ray
executor. `FILES=n` takes another number. Every reading is a process of its own; memory is summed over it and all that
it starts.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pymupdf
from _figures import say

ROOT = Path(__file__).resolve().parents[1]
FILES = int(os.environ.get("FILES") or 2_000)
FEW = FILES // 10
PAGES = (2, 5)  # least and most of a cut file
WORDS = 4_000  # of a paper


def whole_books() -> list[Path]:
    """The real books, or the pocket ones where there are none."""
    books = sorted(Path(os.environ.get("BOOKS") or ROOT.parent / "shared/data/textbooks").glob("*.pdf"))
    return books or sorted((ROOT / "data/01_raw/textbooks").glob("*.pdf"))


def cut_library(books: list[Path], folder: Path, seed: int = 0) -> int:
    """The pages of a library of ``FILES`` PDFs cut from the books into ``folder``, 100 to a folder of its own."""
    draw, total = random.Random(seed), 0
    opened = [pymupdf.open(book) for book in books]
    for number in range(FILES):
        book = draw.choice(opened)
        count = min(draw.randint(*PAGES), len(book))
        first = draw.randrange(len(book) - count + 1)
        with pymupdf.open() as part:
            part.insert_pdf(book, from_page=first, to_page=first + count - 1, links=False)
            target = folder / f"{number // 100:02d}" / f"{number:04d}.pdf"
            target.parent.mkdir(parents=True, exist_ok=True)
            part.save(target)
        total += count
    return total


def write_papers(passages: Path, folder: Path) -> int:
    """The number of papers, each of ``WORDS`` words of a book, in files of 100 as S2ORC has them."""
    texts = pd.read_parquet(passages, columns=["text", "n_words"])
    numbers = (texts["n_words"].cumsum() // WORDS).to_numpy()
    folder.mkdir()
    for number, group in texts.groupby(numbers):
        body = [{"section": "Text", "text": text} for text in group["text"]]
        with (folder / f"{number // 100:04d}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"paper_id": f"p{number}", "title": f"Paper {number}", "body_text": body}) + "\n")
    return len(set(numbers))


def few_of(library: Path, folder: Path) -> Path:
    """A library of every tenth file of a library."""
    for file in sorted(library.rglob("*.pdf"))[:: FILES // FEW]:
        (folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        os.link(file, folder / file.parent.name / file.name)
    return folder


def linked(files: list[Path], folder: Path) -> Path:
    """A folder of links to the files."""
    folder.mkdir()
    for file in files:
        (folder / file.name).symlink_to(file)
    return folder


def read(library: Path, out: Path, executor: str = "local") -> None:
    """Read a library as the pipeline's two nodes do, and write its passages into one file."""
    from med_small_lm import quiet  # noqa: F401  Ray's statistics are off
    from med_small_lm.datasets.records import RecordsDataset
    from med_small_lm.params.ingest_textbooks import IngestTextbooks, Library
    from med_small_lm.pipelines.ingest_textbooks.nodes import merge_lanes, read_lane
    from med_small_lm.textbooks import SourceFile

    params = IngestTextbooks(library=Library(executor=executor, jobs=2, memory=1))
    parts = read_lane(SourceFile("library", library, "CC BY 4.0"), params, str(out))
    began = time.process_time()
    lanes = dict(zip(("library__passages", "library__exercises", "library__report"), parts, strict=True))
    passages = merge_lanes(params, str(out), **lanes)[0]
    RecordsDataset(filepath=str(out / "passages.parquet"), record="Passage").save(passages)
    (out / "merging.txt").write_text(str(time.process_time() - began))


class Reading:
    """A reading in a process of its own, and the most memory that it and its children held at once."""

    def __init__(self, *arguments: Any) -> None:
        """Start it."""
        command = [sys.executable, __file__, "read", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
        self.process = psutil.Popen(
            command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.began, self.peak, self.cpu = time.perf_counter(), 0.0, cpu_of_children()

    def watch(self, until: Callable[[], bool] = lambda: False) -> float:
        """Seconds until it has ended, or until it is killed because ``until`` says so."""
        while self.process.poll() is None:
            if until():
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                break
            self.peak = max(self.peak, resident(self.process))
            time.sleep(0.05)
        self.cpu = cpu_of_children() - self.cpu
        if self.process.returncode not in (0, -signal.SIGKILL):
            print(self.process.stderr.read().decode()[-3000:], file=sys.stderr)
        return time.perf_counter() - self.began


def cpu_of_children() -> float:
    """Seconds of processor time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resident(process: psutil.Process) -> float:
    """Memory of a process and all its children, in MiB."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_info().rss
        except psutil.Error:
            continue
    return total / 2**20


def marks(out: Path) -> dict[str, tuple[int, int]]:
    """The finished shards' files, each with inode and time."""
    done = [mark.parent for mark in out.glob("library/shards/*/done.json")]
    stats = {str(file): file.stat() for place in done for file in place.iterdir()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def digest(out: Path) -> str:
    """SHA-256 of all passages."""
    file = out / "passages.parquet"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "none"


def main(work: Path) -> bool:
    """Whether all figures met their goals."""
    books = whole_books()
    pages = cut_library(books, work / "library")
    few = Reading(few_of(work / "library", work / "few"), work / "out-few")
    seconds_few = few.watch()
    many = Reading(work / "library", work / "out")
    seconds = many.watch()
    shards = len(list((work / "out").glob("library/shards/*/done.json")))
    if not shards:
        return say(f"library of {FILES} PDFs", "failed", "is read", False)
    say(f"library of {FILES} PDFs, {pages} pages: speed, merged", round(pages / seconds, 1), "", None, "pages/s")
    say("cost of a page of a cut file", round(1000 * many.cpu / pages, 2), "", None, "ms of one core")
    merging = float((work / "out/merging.txt").read_text())
    say("of which near-duplicates and merging", round(1000 * merging / pages, 2), "", None, "ms of one core")
    whole = Reading(linked(books, work / "whole"), work / "out-whole")
    whole.watch()
    pages_whole = sum(len(pymupdf.open(book)) for book in books)
    name = f"cost of a page of {len(books)} whole books"
    say(name, round(1000 * whole.cpu / pages_whole, 2), "", None, "ms of one core")
    number = write_papers(work / "out/passages.parquet", work / "papers")
    papers = Reading(work / "papers", work / "out-papers")
    papers.watch()
    name = f"cost of a paper of {WORDS} words, {number} papers as JSON Lines"
    say(name, round(1000 * papers.cpu / number, 2), "", None, "ms of one core")
    ratio = many.peak / few.peak
    name = f"peak memory, all processes, {FILES} PDFs ({seconds:.0f} s) against {FEW} ({seconds_few:.0f} s)"
    good = say(name, round(many.peak), "within 10 %", ratio <= 1.1, "MiB", round(few.peak), round(ratio, 3))

    killed = Reading(work / "library", work / "out-killed")
    killed.watch(lambda: len(list((work / "out-killed").glob("library/shards/*/done.json"))) >= shards // 2)
    before = marks(work / "out-killed")
    resumed = Reading(work / "library", work / "out-killed").watch()
    after = marks(work / "out-killed")
    again = sum(after.get(name) != mark for name, mark in before.items())
    name = f"changed after SIGKILL with {len(before) // 4} of {shards} shards done and a start anew, {resumed:.0f} s"
    good &= say(name, again, "0", again == 0 and before != {})
    same = digest(work / "out-killed") == digest(work / "out") != "none"
    good &= say("the result after the SIGKILL", "same bytes" if same else "differs", "same bytes", same)

    if importlib.util.find_spec("ray") is None:
        return good & say("Ray, two workers", "skipped", "the same passages", None)
    seconds_ray = Reading(work / "few", work / "out-ray", "ray").watch()
    same = digest(work / "out-ray") == digest(work / "out-few") != "none"
    return good & say(
        f"Ray, two workers, {FEW} PDFs ({seconds_ray:.0f} s)", "same bytes" if same else "differs", "same bytes", same
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        read(Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
        sys.exit()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        sys.exit(not main(folder))
    finally:
        shutil.rmtree(folder)
