"""Awkward PDFs: `python bench/ingest_fixtures.py [FOLDER]`; "skipped" without `../shared/data/pdf_fixtures`.

Every file is read as a shelf's file is, in a worker process, without its password and with it. Status and reason must
be what the manifest leads one to expect, or what `EXCEPTIONS` says and why. The peers are pypdfium2 and pdfminer.six:
the words that both find on a page must be among all that is read of the file, in passages or kept apart from them.
They are no dependencies of the project: `pip install pypdfium2 pdfminer.six`.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from pathlib import Path

from _figures import say

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Reading
from med_small_lm.schemas.rows import SourceReport
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.furniture import furniture, is_contents, margins, strip_furniture
from med_small_lm.textbooks.layout import Styles, body_type
from med_small_lm.textbooks.ocr import missing
from med_small_lm.textbooks.pages import open_pdf, read_page
from med_small_lm.textbooks.ranges import pdf_document, unhurried
from med_small_lm.textbooks.workers import read_isolated

FIXTURES = Path(__file__).resolve().parents[2] / "shared/data/pdf_fixtures"
PEERS = ("pypdfium2", "pdfminer")
SECONDS = 30  # a file may take
MEDIAN, LEAST = 0.97, 0.8  # of the peers' common words: over all files, and of each that is not explained
NO_TEXT = "its pages hold no text"
PICTURE = "picture"

EXCEPTIONS: dict[str, tuple[str, str, str]] = {
    "pdfplumber/issue-297-example.pdf": ("quarantined", NO_TEXT, "an empty page"),
    "pdfminer.six/simple2.pdf": ("quarantined", NO_TEXT, "two shapes and two lines, no text"),
    "pdfminer.six/encrypted_doc_no_id.pdf": (PICTURE, "", "opens without a password; its second page is a picture"),
    "pdf.js/pr6531_1.pdf": (PICTURE, "", "a photograph with words in it"),
    "format-corpus/T02-02_005_page-tree-no-kids.pdf": ("quarantined", "none of its pages", "no page can be found"),
    "format-corpus/T02-03_006_page-object-missing.pdf": ("quarantined", NO_TEXT, "the page's object is not there"),
    "format-corpus/T02-03_011_page-object-wrong-contents-reference.pdf": ("quarantined", NO_TEXT, "no content"),
    "format-corpus/T02-05-01_010_Missing_closing_paranthesis.pdf": ("quarantined", NO_TEXT, "no string is closed"),
    "format-corpus/T02-05-01_011_paranthesis-substituted-with-brackets.pdf": ("quarantined", NO_TEXT, "no string"),
    "format-corpus/veraPDFHiResWrongObjectID.pdf": ("quarantined", NO_TEXT, "the page's content is not found: blank"),
    "format-corpus/498264.pdf": ("quarantined", NO_TEXT, "three pages whose compressed content is broken"),
}
"""Files that the rules of `expected` do not fit: status, how the reason begins, and why; `PICTURE` is read by OCR."""

EXPLAINED: dict[str, str] = {
    "pdfminer.six/simple3.pdf": "a CJK font that is not embedded: MuPDF shows other characters too",
    "pdfminer.six/issue-1008-inline-ascii85.pdf": "a map: what is missed are single letters of labels that run upwards",
    "format-corpus/T02-05-01_007_invalid-font-size-operator.pdf": "the size is unreadable: MuPDF sets one huge letter",
}
"""Files of which less than `LEAST` of the peers' common words is found, and why."""


def expected(row: dict[str, str], password: str) -> tuple[str, str]:
    """The status that a line of the manifest leads one to expect, and how the reason begins."""
    if row["pages"] in ("0", "unopenable"):
        empty = "the file is empty" if row["bytes"] == "0" else "it has 0 pages"
        return "quarantined", "it cannot be opened" if row["pages"] == "unopenable" and row["bytes"] != "0" else empty
    if row["password"] and not password:
        return "needs_password", "it is encrypted"
    status, reason = "ok", ""
    if re.search(r"scan|no extractable text|no text layer", row["category"] + row["note"]):
        status = PICTURE
    if row["file"] in EXCEPTIONS:
        status, reason, _ = EXCEPTIONS[row["file"]]
    if status == PICTURE:
        status = "needs_ocr" if missing("en", Reading()) else "ocr"
    return status, reason


def statuses(rows: list[dict[str, str]], folder: Path) -> bool:
    """Read every file, print what is not as expected, and say how many were read so."""
    wrong: list[str] = []
    slowest, reads = 0.0, 0
    for row in rows:
        for password in dict.fromkeys(("", row["password"])):
            file = SourceFile("fixture", folder / row["file"], row["license"], password=password or None)
            begun = time.perf_counter()
            report = read_isolated(file, IngestTextbooks()).report
            slowest = max(slowest, time.perf_counter() - begun)
            reads += 1
            if not as_expected(report, *expected(row, password)):
                wrong.append(
                    f"{row['file']} {'with' if password else 'without'} a password: {report.status} {report.reason}"
                )
    print("\n".join(wrong) or "all as expected", file=sys.stderr)
    good = say(
        "awkward PDFs: reads whose status and reason are as expected",
        reads - len(wrong),
        str(reads),
        not wrong,
        "reads",
    )
    return say("awkward PDFs: the slowest", round(slowest, 1), f"<= {SECONDS}", slowest <= SECONDS, "s") & good


def as_expected(report: SourceReport, status: str, reason: str) -> bool:
    """Whether a report says so: a file that is not read says why, and one that is says nothing."""
    return (
        report.status == status
        and report.reason.startswith(reason)
        and bool(report.reason) == (status not in ("ok", "ocr"))
    )


def words_of(text: str) -> Counter[str]:
    """The words of a text: letters and digits only, folded, those that a line's end parts joined."""
    joined = re.sub(
        r"(?:[-\u00ad\u2010]|[\ufffe\x02])\s*\n\s*|[\ufffe\x02\u00ad]", "", unicodedata.normalize("NFKC", text)
    )
    found = ("".join(filter(str.isalnum, word)) for word in joined.casefold().split())
    return Counter(word for word in found if word)


def common(path: Path, password: str) -> Counter[str]:
    """The words that both peers find on the same page, over all pages; none of a file that one of them cannot read."""
    import pypdfium2
    from pdfminer.high_level import extract_pages
    from pdfminer.layout import LTTextContainer

    total: Counter[str] = Counter()
    try:
        pages = list(extract_pages(path, password=password))
        with pypdfium2.PdfDocument(path, password=password or None) as document:
            theirs = [page.get_textpage().get_text_range() for page in document]
    except Exception:  # each raises types of its own on damaged files
        return total
    for page, other in zip(pages, theirs, strict=False):
        text = "\n".join(part.get_text() for part in page if isinstance(part, LTTextContainer))
        total += words_of(text) & words_of(other.replace("\r\n", "\n"))
    return total


def ours(path: Path, password: str) -> Counter[str]:
    """All words that are read of a file: its paragraphs, whatever their kind, and what was taken off before them."""
    file, reading = SourceFile("fixture", path, "", password=password or None), Reading()
    with open_pdf(path, file.password, reading) as document:
        pages = [read_page(document, number, "en", reading, unhurried) for number in range(1, document.page_count + 1)]
    before = sum((words_of(line.text) for page in pages for line in page.lines), Counter[str]())
    leading = body_type(Styles.of(pages)).leading
    strip_furniture(pages, furniture([margins(pages, leading, reading)], len(pages), reading), leading)
    kept = [page for page in pages if not is_contents(page, len(pages))]
    after = sum((words_of(line.text) for page in kept for line in page.lines), Counter[str]())
    paragraphs = (words_of(paragraph.text) for paragraph in pdf_document(file, reading).paragraphs)
    return before - after + sum(paragraphs, Counter[str]())


def recall(path: str, password: str) -> None:
    """Print how many words both peers find, how many of them are ours, and the first that are not (a process's job)."""
    theirs = common(Path(path), password)
    missed = theirs - ours(Path(path), password) if theirs else Counter[str]()
    print(json.dumps([theirs.total(), missed.total(), list(missed)[:12]]))


def words(rows: list[dict[str, str]], folder: Path) -> bool:
    """Say how many of the peers' common words are found, in the middle and at least."""
    absent = [peer for peer in PEERS if importlib.util.find_spec(peer) is None]
    if absent:
        how = "skipped: pip install pypdfium2 pdfminer.six"
        return say("awkward PDFs: words of both peers that are found", how, f">= {MEDIAN}", None)
    shares: dict[str, float] = {}
    unexplained = 0
    for row in rows:
        if row["pages"] in ("0", "unopenable") or re.search("RTL|vertical", row["category"]):
            continue
        command = [sys.executable, __file__, "--recall", str(folder / row["file"]), row["password"]]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=3 * SECONDS, env=os.environ)
            total, missed, some = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            print(f"{row['file']}: a peer does not end", file=sys.stderr)
            continue
        if total:
            shares[row["file"]] = 1 - missed / total
        if total and shares[row["file"]] < LEAST:
            why = EXPLAINED.get(row["file"], "unexplained")
            unexplained += why == "unexplained"
            print(f"{row['file']}: {total - missed} of {total} words; {why}; {' '.join(some)}", file=sys.stderr)
    middle = round(statistics.median(shares.values()), 4) if shares else 0.0
    name = f"awkward PDFs: words of both peers that are found, median of {len(shares)} files"
    good = say(name, middle, f">= {MEDIAN}", middle >= MEDIAN, "share", " & ".join(PEERS))
    few = sum(share < LEAST for share in shares.values())
    name = f"awkward PDFs: files below {LEAST} of them without an explanation, of {few} below it"
    return say(name, unexplained, "0", not unexplained, "files") & good


def main(arguments: list[str]) -> int:
    """The exit status: 0 if every figure met its goal."""
    if arguments[:1] == ["--recall"]:
        recall(*arguments[1:])
        return 0
    folder = Path(arguments[0]) if arguments else FIXTURES
    manifest = folder / "MANIFEST.tsv"
    if not manifest.exists():
        say("awkward PDFs", f"skipped: no {manifest}", "as expected", None)
        return 0
    with manifest.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    good = statuses(rows, folder)
    return 0 if words(rows, folder) & good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
