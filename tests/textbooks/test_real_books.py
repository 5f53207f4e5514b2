"""The same on real books and awkward files, where they lie beside the project."""

from __future__ import annotations

import csv
import json
import time
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.textbooks import SourceFile, read_file

DATA = Path(__file__).parents[3] / "shared" / "data"
BOOKS = DATA / "textbooks"
FIXTURES = DATA / "pdf_fixtures"
STATUSES = {"ok", "ocr", "needs_ocr", "needs_password", "quarantined"}

pytestmark = pytest.mark.real_data


def squeeze(text: str) -> str:
    """Letters and digits only, folded."""
    return "".join(x for x in unicodedata.normalize("NFKC", text).casefold() if x.isalnum())


@pytest.mark.skipif(not BOOKS.is_dir(), reason="no real books beside the project")
def test_paragraphs_of_a_real_book_come_whole_and_in_order():
    """A two-column textbook of 191 pages against its truth."""
    read = read_file(SourceFile("nutrition", BOOKS / "nutrition.pdf", "CC BY 4.0"), IngestTextbooks())
    passages, report = read.passages, read.report
    assert report.status == "ok"
    text = "".join(squeeze(p.text) for p in passages)
    truth = [json.loads(line) for line in (BOOKS / "nutrition.truth.jsonl").open(encoding="utf-8")]
    paragraphs = [squeeze(b["text"]) for b in truth if b["kind"] == "para" and len(b["text"].split()) >= 20]
    paragraphs = [p for p, times in Counter(paragraphs).items() if times == 1]  # what stands twice has no one place
    places = [at for paragraph in paragraphs if (at := text.find(paragraph)) >= 0]
    assert len(places) >= 0.985 * len(paragraphs)
    assert sum(a < b for a, b in zip(places, places[1:], strict=False)) >= 0.99 * (len(places) - 1)
    assert all(p.section.startswith("Chapter ") for p in passages)
    assert max(p.n_words for p in passages) <= 120
    assert len({p.passage_id for p in passages}) == len(passages)


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no awkward PDFs beside the project")
def test_awkward_files_give_a_report_each():
    """None raises, none takes long, and those with a password open with it."""
    with (FIXTURES / "MANIFEST.tsv").open(encoding="utf-8") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    for row in rows:
        begun = time.perf_counter()
        file = SourceFile("f", FIXTURES / row["file"], "CC0")
        read = read_file(file, IngestTextbooks())
        passages, report = read.passages, read.report
        assert report.status in STATUSES and bool(passages) == (report.status in ("ok", "ocr")), row["file"]
        assert report.reason or passages, row["file"]
        if row["password"]:
            assert report.status == "needs_password", row["file"]
            opened = read_file(replace(file, password=row["password"]), IngestTextbooks()).report
            assert opened.status in ("ok", "ocr", "needs_ocr")
        assert time.perf_counter() - begun < 30
