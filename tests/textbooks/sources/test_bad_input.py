"""Files that are broken, hostile, or not what their names say: a reason each, and nothing raised."""

from __future__ import annotations

import gzip
import io
import os
import random
import re
import struct
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from med_small_lm.textbooks.sources import SUFFIXES

PROSE = "The heart pumps blood through the body by contracting in a steady rhythm."
LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))


def zipped(members: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.epub", b"%PDF-1.7 more", "it is no EPUB, whatever its name says"),
        ("a.epub", zipped({"word/document.xml": "x"}), "it is no EPUB, whatever its name says"),
        (
            "a.epub",
            zipped({"META-INF/container.xml": "x" * 500})[:300],
            "it cannot be unpacked: File is not a zip file",
        ),
        ("a.pdf", b"<html><p>Not found</p></html>", "it is no PDF, whatever its name says"),
        ("a.html", b"%PDF-1.7 more", "it is no web page, whatever its name says"),
        ("a.html", b"no markup at all", "it is no web page, whatever its name says"),
        ("a.html", b"<html><body></body></html>", "it holds no running text"),
        ("a.html", b"<div>" * 1_000_000 + b"deep", "its elements are nested too deep"),
        ("a.md", b"<!DOCTYPE html><html><p>x</p></html>", "it is no Markdown, whatever its name says"),
        ("a.txt", random.Random(1).randbytes(5000), "it is no plain text, whatever its name says"),
        ("a.txt", b"\x89PNG\r\n\x1a\n", "it is no plain text, whatever its name says"),
        ("a.txt", b" \n\n ", "the file is empty"),
        ("a.txt.gz", b"not packed", "it cannot be unpacked: Not a gzipped file (b'no')"),
        ("a.xml", b"<rss><p>news</p></rss>", "it is no JATS XML but of the kind 'rss'"),
        ("a.xml", b"<html><p>x</p></html>", "it is no JATS XML, whatever its name says"),
        ("a.xml", b"<article><body>" + b"<sec>" * 100_000, "its elements are nested too deep"),
        ("a.jsonl", b'{"id": 1}\n', "none of its 1 lines is a paper; line 1: no text in it"),
        ("a.jsonl", zipped({"a": "b"}), "it is no JSON Lines, whatever its name says"),
        ("a.docx", b"word", "no format is known by the suffix '.docx'"),
    ],
)
def test_every_bad_file_has_its_reason(write, reader, name, content, reason):
    found = reader(write(name, content))
    assert (found.report.status, found.report.reason, found.passages) == ("quarantined", reason, [])


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if not suffix.endswith(".gz")])
def test_an_empty_file_is_empty_and_a_folder_is_a_folder(write, reader, tmp_path, suffix):
    assert reader(write(f"a{suffix}", b"")).report.reason == "the file is empty"
    (tmp_path / f"folder{suffix}").mkdir()
    report = reader(tmp_path / f"folder{suffix}").report
    assert report.status == "quarantined" and (suffix == ".pdf" or "it is a folder" in report.reason)
    with pytest.raises(FileNotFoundError):
        reader(tmp_path / f"gone{suffix}")


@pytest.mark.parametrize(
    "declared",
    [
        f"<!ENTITY l0 'ha'>{LAUGHS}",
        "<!ENTITY l9 '&l9;'>",
        "<!ENTITY l9 SYSTEM 'file:///etc/hostname'>",
        f"<!ENTITY l9 '{'x' * 1000}'>",
    ],
)
def test_entities_neither_unfold_nor_read_files(write, reader, epub, declared):
    body = f"<p>{PROSE}&l9;</p>"
    jats = f"<!DOCTYPE article [{declared}]><article><body>{body}</body></article>"
    page = f"<!DOCTYPE html [{declared}]><html><body>{body}</body></html>"
    for path in (write("a.xml", jats), epub({"a.xhtml": page})):
        report = reader(path).report
        assert report.reason == "its entities refer to each other or to files, or unfold"


def test_a_short_entity_of_the_document_s_own_is_said(parts):
    head = "<!DOCTYPE article SYSTEM 'http://127.0.0.1/jats.dtd' [<!ENTITY kg 'kilogram'>]>"
    jats = f"{head}<article><body><p>A &kg;&nbsp;of &hellip;</p></body></article>"
    assert parts("a.xml", jats) == [("text", "A kilogram of …")]


def test_a_bomb_is_refused_by_the_size_that_it_declares(epub, reader):
    pages = {f"{n}.xhtml": f"<html><body>{' ' * 900_000}</body></html>" for n in range(3)}
    path = epub(pages)
    assert path.stat().st_size < 20_000
    assert reader(path, megabytes_max=2).report.reason.startswith("it holds more than 2 MB")


def test_a_bomb_that_lies_of_its_size_is_refused_too(epub, reader):
    path = epub({"a.xhtml": f"<html><body>{' ' * 3_000_000}</body></html>"})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 3_000_026), struct.pack("<I", 100)))
    assert reader(path, megabytes_max=2).report.status == "quarantined"


def test_a_file_over_the_limit_is_refused(write, reader):
    for name in ("a.html", "a.txt", "a.md", "a.xml", "a.jsonl"):
        path = write(name, f"<p>{PROSE}\n" * 20_000)
        assert reader(path, megabytes_max=1).report.reason.startswith("it holds more than 1 MB")
    packed = write("a.txt.gz", gzip.compress(f"{PROSE}\n".encode() * 20_000))
    assert reader(packed, megabytes_max=1).report.reason.startswith("it holds more than 1 MB")


def test_a_file_that_may_not_be_read_says_so(write, reader, monkeypatch):
    path = write("a.txt", PROSE)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may read every file
    assert reader(path).report.reason == "there is no permission to read it"


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("a.md", "["),
        ("a.md", "> "),
        ("a.md", "*a _b "),
        ("a.md", "`a"),
        ("a.md", "<!--"),
        ("a.html", "<p>&amp;("),
        ("a.html", "<table><tr><td>"),
        ("a.html", "<sup><ul><li>"),
        ("a.txt", "\n "),
        ("a.txt", "("),
        ("a.txt", "- \n"),
    ],
)
def test_monotonous_files_take_no_time(write, reader, name, unit):
    begun = time.perf_counter()
    assert reader(write(name, "<html>" * name.endswith("html") + unit * 20_000)).report.status
    assert time.perf_counter() - begun < 20


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6))
def test_any_damage_to_an_epub_gives_a_report(epub, reader, damage):
    path = epub({"a.xhtml": f"<html><body><h1>Heart</h1><p>{PROSE}</p></body></html>"})
    data = bytearray(path.read_bytes())
    for share, piece in damage:
        at = int(share * len(data))
        data[at : at + len(piece)] = piece
    path.write_bytes(data)
    report = reader(path).report
    assert report.status in ("ok", "quarantined") and not re.match(r"\w+(?:Error|Exception):", report.reason)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([".html", ".md", ".txt", ".xml", ".jsonl", ".xhtml"]),
    st.lists(
        st.sampled_from(
            "<p> </p> <table> <tr> <td> </table> <li> </ul> <ol> <sup> </sup> <dd> <dt> <caption> <pre> </pre> <h1> "
            "</h2> <math> <article> </article> <sec> <title> <label> <fig> </fig> <xref> <aside role=note> </aside> & "
            '{"text": " } [ ] \\ a B. \n \t é \x00 # - | *'.split(" ")
        ),
        max_size=40,
    ),
)
def test_any_heap_of_markup_gives_a_report(write, reader, suffix, heap):
    report = reader(write(f"a{suffix}", "".join(heap))).report
    assert report.status in ("ok", "quarantined") and not re.match(r"\w+(?:Error|Exception):", report.reason)
