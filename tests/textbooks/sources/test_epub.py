"""EPUBs."""

from __future__ import annotations

PROSE = "The heart pumps blood through the body by contracting in a steady rhythm."


def page(body: str) -> str:
    return f"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head><body>{body}</body></html>"


def nav(*entries: tuple[str, str]) -> dict[str, str]:
    """A navigation of chapters; an entry that begins with > is one level down."""
    listed = "".join(
        f"<li><a href='{name}'>{title.lstrip('>')}</a></li>"
        if title[0] != ">"
        else f"<li><ol><li><a href='{name}'>{title[1:]}</a></li></ol></li>"
        for title, name in entries
    )
    toc = f"<nav xmlns:epub='http://www.idpf.org/2007/ops' epub:type='toc'><ol>{listed}</ol></nav>"
    return {"OPS/nav.xhtml": page(toc)}


def sections(found) -> list[tuple[str, int]]:
    return [(p.section, p.page_first) for p in found.passages]


def test_the_spine_gives_order_and_pages(epub, reader):
    documents = {f"{name}.xhtml": page(f"<h1>{name}</h1><p>{name} {PROSE}</p>") for name in ("one", "two", "extra")}
    spine = "<itemref idref='two.xhtml'/><itemref idref='extra.xhtml' linear='no'/><itemref idref='one.xhtml'/>"
    found = reader(epub(documents, spine=spine))
    assert sections(found) == [("two", 1), ("one", 2)]
    assert (found.report.status, found.report.pages, found.report.pages_kept) == ("ok", 2, 2)


def test_the_navigation_gives_levels_and_missing_headings(epub, reader):
    documents = {
        "a.xhtml": page(f"<h1>Blood</h1><p>a {PROSE}</p>"),
        "b.xhtml": page(f"<h1>Cells</h1><p>b {PROSE}</p><h2>Red</h2><p>c {PROSE}</p>"),
        "c.xhtml": page(f"<p>d {PROSE}</p>"),
        "d.xhtml": page(f"<p class='title'>Lungs</p><p>e {PROSE}</p>"),
    }
    told = nav(("Blood", "a.xhtml"), (">Cells", "b.xhtml"), ("Heart", "c.xhtml#top"), ("Lungs", "./d.xhtml"))
    assert sections(reader(epub(documents, told))) == [
        ("Blood", 1),
        ("Blood > Cells", 2),
        ("Heart", 3),
        ("Lungs", 4),
    ]


def test_an_older_table_of_contents_serves_too(epub, reader):
    point = "<navPoint><navLabel><text>Heart</text></navLabel><content src='a.xhtml'/></navPoint>"
    ncx = f"<ncx><navMap>{point}</navMap></ncx>"

    def package(text: str) -> str:
        kind = "href='toc.ncx' media-type="
        return text.replace(f"{kind}'application/xhtml+xml'", f"{kind}'application/x-dtbncx+xml'")

    documents = {"a.xhtml": page(f"<p>{PROSE}</p>"), "toc.ncx": ncx}
    path = epub(documents, spine="<itemref idref='a.xhtml'/>", package=package)
    assert sections(reader(path)) == [("Heart", 1)]


def test_front_matter_and_contents_are_kept_apart(epub, reader):
    documents = {
        "cover.xhtml": page(
            "<section xmlns:epub='http://www.idpf.org/2007/ops' epub:type='cover'><p>A Book</p></section>"
        ),
        "nav.xhtml": nav(("Chapter 1 Heart", "c.xhtml"))["OPS/nav.xhtml"],
        "c.xhtml": page(f"<h1>Chapter 1 Heart</h1><p>{PROSE}</p>"),
    }
    found = reader(epub(documents))
    assert sections(found) == [("Chapter 1 Heart", 3)]
    assert {(d.reason, d.count) for d in found.report.dropped} == {("front matter", 2), ("contents", 3)}


def test_a_damaged_document_does_not_cost_the_book(epub, reader):
    sloppy = f"<html><head><title/></head><body><p>one &nbsp; two<br>{PROSE}<p>and &eacute;"
    documents = {"a.xhtml": page("<div>" * 2000), "b.xhtml": sloppy, "c.xhtml": page("<p>cut <b>off</p>" + PROSE)}
    found = reader(epub(documents))
    assert [p.text for p in found.passages] == [f"one two {PROSE}\nand é\ncut off\n{PROSE}"]
    assert [(d.reason, d.pages) for d in found.report.dropped] == [("damaged", 1)]


def test_scrambled_fonts_are_no_protection_but_encrypted_text_is(epub, reader):
    def encryption(method: str) -> dict[str, str]:
        return {
            "META-INF/encryption.xml": f"<e><EncryptedData><EncryptionMethod Algorithm='{method}'/></EncryptedData></e>"
        }

    documents = {"a.xhtml": page(f"<p>{PROSE}</p>")}
    assert reader(epub(documents, encryption("http://www.idpf.org/2008/embedding"))).report.status == "ok"
    report = reader(epub(documents, encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc"))).report
    assert (report.status, report.reason) == ("quarantined", "it is protected")


def test_names_that_lead_out_of_the_archive_lead_nowhere(epub, reader, tmp_path):
    (tmp_path / "secret.xhtml").write_text(page(f"<p>Secret {PROSE}</p>"))

    def package(text: str) -> str:
        item = "<item id='x' href='../../secret.xhtml' media-type='application/xhtml+xml'/>"
        return text.replace("</manifest><spine>", f"{item}</manifest><spine><itemref idref='x'/>")

    found = reader(epub({"a.xhtml": page(f"<p>{PROSE}</p>")}, package=package))
    assert [p.text for p in found.passages] == [PROSE]


def test_what_stands_outside_the_reading_order_is_counted(epub, reader):
    documents = {"a.xhtml": page(f"<h1>Heart</h1><p>{PROSE}</p>"), "b.xhtml": page("<p>A note at the end.</p>")}
    spine = "<itemref idref='a.xhtml'/><itemref idref='b.xhtml' linear='no'/>"
    dropped = reader(epub(documents, spine=spine)).report.dropped
    assert [(d.reason, d.count, d.pages) for d in dropped] == [("outside the reading order", 5, 0)]


def test_gutenbergs_licence_and_page_numbers_are_no_text(epub, reader):
    licence = "<section class='pg-boilerplate'><h2>LICENSE</h2> <p>Read this before.</p></section>"
    text = f"<h1>Heart</h1><p>{PROSE} It <span class='pagenum'>[Pg 3]</span>rests.</p>"
    found = reader(epub({"a.xhtml": page(text + licence)}))
    assert [p.text for p in found.passages] == [f"{PROSE} It rests."]
    assert [(d.reason, d.count) for d in found.report.dropped] == [("front matter", 4)]
