"""Files read in processes of their own: the same result however many, and no file that ends the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import psutil
import pymupdf
import pytest

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Workers
from med_small_lm.textbooks import SourceFile, read_file
from med_small_lm.textbooks.documents import FileRead
from med_small_lm.textbooks.workers import Worker, _pool, read_files, read_isolated

BOOKS = Path(__file__).parents[3] / "shared" / "data" / "textbooks"
HARMFUL = """
import os, signal
def die(text): os.kill(os.getpid(), signal.SIGSEGV)
def leave(text): os._exit(3)
def stall(text):
    while True: pass
def hog(text): return len(bytearray(2**40))
"""


def params(processes: int = 1, **limits: object) -> IngestTextbooks:
    """The settings that ship, with these workers."""
    return IngestTextbooks(workers=Workers(processes=processes, **limits))


def untimed(read: FileRead) -> FileRead:
    """Without what differs from run to run."""
    return replace(read, report=replace(read.report, seconds=0.0))


def long_book(path: Path, pages: int) -> Path:
    """Chapters, a running head, folios, and paragraphs, lists and hyphens that go on over the pages."""
    document = pymupdf.open()
    rows = []
    for number in range(40 * pages):
        if number % 97 == 0:
            rows += [("hebo", 14, f"Chapter {number // 97 + 1}"), ("hebo", 11, f"{number // 97 + 1}.1 Signs")]
        end = "re-" if number % 7 == 0 else f"{number}." if number % 9 == 8 else "and"
        begin = f"{number % 5 + 1}. item" if number % 61 < 3 else "turning" if number % 7 == 1 else "the"
        rows.append(("helv", 10, f"{begin} vessel {number} carries what organ {number % 13} needs from day {end}"))
    for start in range(0, len(rows), 44):
        page = document.new_page(width=612, height=792)
        page.insert_text((72, 40), "A Long Book", fontsize=8)
        page.insert_text((300, 770), str(page.number + 1), fontsize=8)
        for index, (font, size, text) in enumerate(rows[start : start + 44]):
            page.insert_text((72, 80 + 15 * index), text, fontsize=size, fontname=font)
    document.save(path)
    return path


@pytest.fixture
def harmful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module ``harmful`` whose functions, used for counting words, harm the process that counts."""
    (tmp_path / "harmful.py").write_text(HARMFUL)
    monkeypatch.syspath_prepend(tmp_path)
    _pool(1).stop()
    yield
    _pool(1).stop()
    sys.modules.pop("harmful", None)


@pytest.fixture
def small(sheet, prose) -> SourceFile:
    """A PDF of one page."""
    sheet.block(72, 80, prose(8), 460)
    return SourceFile("small", sheet.save(), "CC0")


@pytest.mark.parametrize("pages", [4, 5, 9, 16])
def test_the_result_does_not_depend_on_the_number_of_processes(tmp_path, pages):
    """Ranges of few pages, so that every paragraph that goes on over a page may go on over a seam."""
    file = SourceFile("b", long_book(tmp_path / "long.pdf", pages), "CC0")
    alone = untimed(read_file(file, params()))
    assert alone.report.status == "ok" and len(alone.passages) > pages
    for processes in (1, 2, 3):
        assert untimed(read_isolated(file, params(processes, pages=1))) == alone


@pytest.mark.real_data
@pytest.mark.skipif(not BOOKS.is_dir(), reason="no real books beside the project")
def test_a_real_book_is_the_same_from_three_processes():
    """Two columns, tables and figures between the paragraphs."""
    file = SourceFile("nutrition", BOOKS / "nutrition.pdf", "CC BY 4.0")
    assert untimed(read_isolated(file, params(3, pages=8))) == untimed(read_file(file, params()))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("die", f"kills the process that reads it (signal {signal.SIGSEGV})"),
        ("leave", "exit code 3"),
        ("stall", "time limit"),
        ("hog", "more memory"),
    ],
)
def test_a_file_that_harms_its_reader_is_quarantined_and_the_next_is_read(harmful, small, harm, reason):
    """The worker is replaced."""
    import harmful as module

    limits = params(1, seconds=1.0, memory=1024)
    report = read_isolated(small, limits, getattr(module, harm)).report
    assert report.status == "quarantined" and reason in report.reason
    assert read_isolated(small, limits).report.status == "ok"


def test_files_come_in_their_order_and_only_as_they_are_asked_for(small):
    """A shelf without end is read as far as somebody takes; what is under way then is given up."""
    asked: list[int] = []

    def shelf() -> Iterator[SourceFile]:
        for number in count():
            asked.append(number)
            yield replace(small, book=f"b{number}")

    reads = read_files(shelf(), params(2))
    assert [next(reads).report.book for _ in range(5)] == [f"b{number}" for number in range(5)]
    reads.close()
    assert len(asked) <= 5 + 2 * 2 + 1


def test_after_an_interrupt_no_answer_is_taken_for_the_next_files(small, tmp_path, monkeypatch):
    """Ctrl-C comes while a worker reads: what it would answer is never heard."""
    other = SourceFile("other", long_book(tmp_path / "other.pdf", 2), "CC0")

    def interrupted(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            read_isolated(small, params())
    assert read_isolated(other, params()).report.book == "other"


def test_a_missing_file_is_the_callers_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_isolated(SourceFile("b", tmp_path / "nowhere.pdf", "CC0"), params())


@pytest.mark.parametrize("doing", ["None", "harmful.stall"])
def test_workers_do_not_outlive_a_process_that_is_killed(tmp_path, harmful, small, doing):
    """Neither one that waits nor one that hangs."""
    script = tmp_path / "main.py"
    script.write_text(
        "import sys, os, pathlib, threading, harmful\n"
        "from med_small_lm.params.ingest_textbooks import IngestTextbooks, Workers\n"
        "from med_small_lm.textbooks import SourceFile\n"
        "from med_small_lm.textbooks.workers import _pool, read_isolated\n"
        f"file = SourceFile('b', pathlib.Path({str(small.path)!r}), 'CC0')\n"
        "params = IngestTextbooks(workers=Workers(processes=1, seconds=2))\n"
        "read_isolated(file, params)\n"
        f"if {doing}: threading.Thread(target=read_isolated, args=(file, params, {doing}), daemon=True).start()\n"
        "print(_pool(1)._workers[0]._process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    main = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    worker = psutil.Process(int(main.stdout.readline()))
    main.kill()
    main.communicate()
    psutil.wait_procs([worker], timeout=20)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def pdf(*objects: str, root: str = "1 0 R") -> bytes:
    """A PDF of these objects, numbered from 1, without a cross-reference table."""
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(objects, 1))
    return f"%PDF-1.7\n{body}trailer\n<</Root {root}/Size {len(objects) + 1}>>\n%%EOF\n".encode("latin-1")


def stream(data: bytes, extra: str = "") -> str:
    """A compressed stream object."""
    packed = zlib.compress(data, 9)
    return f"<</Length {len(packed)}/Filter/FlateDecode{extra}>>\nstream\n{packed.decode('latin-1')}\nendstream"


PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<<>>/Contents 4 0 R>>"
TREE = ("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", PAGE)
MILLION = ("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1000000>>", PAGE, stream(b"q Q"))
ITSELF = ("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>")
FORM = "/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</F 5 0 R>>>>"
RECURSIVE = (
    *TREE[:2],
    PAGE.replace("<<>>", "<</XObject<</F 5 0 R>>>>"),
    stream(b"/F Do"),
    stream(b"/F Do /F Do", FORM),
)
BAD = {
    "empty": b"",
    "truncated": pdf(*TREE, stream(b"q Q"))[:120],
    "million pages": pdf(*MILLION),
    "page tree in itself": pdf(*ITSELF),
    "form in itself": pdf(*RECURSIVE),
    "bomb": pdf(*TREE, stream(b"q " * 20_000_000)),
    "bomb in a bomb": pdf(
        *TREE, stream(zlib.compress(b"q " * 25_000_000)).replace("/FlateDecode", "[/FlateDecode/FlateDecode]", 1)
    ),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "a web page": b"<!doctype html><p>text</p>",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_bad_files_give_one_line_of_reason(tmp_path, content):
    """Whatever a file holds; none takes long."""
    path = tmp_path / "bad.pdf"
    path.write_bytes(content)
    read = read_isolated(SourceFile("b", path, "CC0"), params(1, seconds=10.0))
    assert read.report.status == "quarantined" and not read.passages
    assert read.report.reason and "\n" not in read.report.reason
    assert read.report.seconds < 10


@pytest.mark.parametrize(("kind", "reason"), [("pipe", "a pipe"), ("folder", "a folder"), ("device", "a pipe")])
def test_what_is_no_file_is_not_waited_for(tmp_path, kind, reason):
    """A pipe without a writer would block for ever."""
    path = Path("/dev/zero") if kind == "device" else tmp_path / "book.pdf"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    report = read_isolated(SourceFile("b", path, "CC0"), params()).report
    assert report.status == "quarantined" and reason in report.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_quarantined(small):
    small.path.chmod(0)
    assert "permission" in read_isolated(small, params()).report.reason


@pytest.mark.parametrize("password", ["SªSL\u00adprep", "SaSLprep"])
def test_a_password_opens_as_given_and_as_prepared(sheet, prose, password):
    """RFC 4013: a soft hyphen is nothing, and an ordinal indicator is its letter."""
    sheet.block(72, 80, prose(5), 460)
    path = sheet.save(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="SaSLprep", owner_pw="owner")
    assert read_isolated(SourceFile("b", path, "CC0", password=password), params()).report.status == "ok"


def test_the_owners_password_opens_too_and_an_empty_one_is_none(sheet, prose):
    sheet.block(72, 80, prose(5), 460)
    path = sheet.save(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="user", owner_pw="owner")
    assert read_isolated(SourceFile("b", path, "CC0", password="owner"), params()).report.status == "ok"
    sheet.document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="", owner_pw="owner")
    assert read_isolated(SourceFile("b", path, "CC0"), params()).report.status == "ok"
