"""Web pages and Markdown."""

from __future__ import annotations

import pytest

PROSE = "The heart pumps blood through the body by contracting in a steady rhythm."


def test_structure_comes_with_its_kinds_and_levels(write, document):
    page = f"""<!doctype html><title>Site</title><body><h1>The <em>Heart</em></h1><p>{PROSE}</p><h2>Valves</h2>
    <ul><li><p>mitral</p><p>More on it.</p></li><li>tricuspid</li></ul>
    <ol start=3 type=a><li>first<li>second</ol><dl><dt>Atrium</dt><dd><p>an upper chamber</p></dd></dl>
    <figure><img alt="picture"><figcaption>Figure 1. The valves.</figcaption></figure>
    <details><summary>More</summary><p>Hidden text.</p></details><aside role="doc-footnote">A note.</aside>"""
    found = document(write("a.html", page))
    assert [(p.kind, p.level, p.text) for p in found.paragraphs] == [
        ("heading", 1, "The Heart"),
        ("text", 0, PROSE),
        ("heading", 2, "Valves"),
        ("item", 0, "mitral"),
        ("text", 0, "More on it."),
        ("item", 0, "tricuspid"),
        ("item", 0, "c. first"),
        ("item", 0, "d. second"),
        ("item", 0, "Atrium: an upper chamber"),
        ("caption", 0, "Figure 1. The valves."),
        ("text", 0, "More"),
        ("text", 0, "Hidden text."),
        ("note", 0, "A note."),
    ]


def test_passages_carry_the_headings_and_what_is_apart_is_counted(write, reader):
    page = f"<h1>Heart</h1><p>{PROSE}</p><h2>Rate</h2><p>{PROSE[::-1]}</p><h2>References</h2><p>Smith 2010.</p>"
    read = reader(write("a.html", f"<body><nav>Home About</nav>{page}<footer>All rights</footer>"))
    assert [(p.section, p.page_first, p.page_last) for p in read.passages] == [("Heart", 1, 1), ("Heart > Rate", 1, 1)]
    assert [(d.reason, d.count) for d in read.report.dropped] == [("navigation", 4), ("references", 3)]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>6</sup> of H<sub>2</sub>O", "10⁶ of H₂O"),
        ("the 1<sup>st</sup> rib", "the 1st rib"),
        ("a&nbsp;b &lt; c &mu;g", "a b < c μg"),
        ("said<sup><a href='#n1'>1</a></sup> so", "said so"),
        ("said<sup class=reference><a href='x.html#n1'>[1]</a></sup> so", "said so"),
        ("one<br>line", "one line"),
        ("a<script>b()</script>c<!-- d -->e", "ace"),
        ("x<math><mfrac><mn>1</mn><mn>2</mn></mfrac><msup><mi>y</mi><mn>2</mn></msup></math>", "x1/2y²"),
        ("a <span hidden>b</span><span style='display: none'>c</span>d", "a d"),
        ("soft\u00adhyphen e\ufb03cient", "softhyphen efficient"),
    ],
)
def test_running_text(parts, markup, text):
    assert parts("a.html", f"<html><body><p>{markup}</p>") == [("text", text)]


def test_two_line_breaks_and_blank_lines_of_preformatted_text_part_paragraphs(parts):
    assert parts("a.html", "<p>one<br><br>two</p><pre>three\nfour\n\nfive</pre>") == [
        ("text", "one"),
        ("text", "two"),
        ("text", "three four"),
        ("text", "five"),
    ]


def test_a_table_is_a_line_a_row_behind_its_caption(parts):
    page = """<table><caption>Table 1. Doses</caption><tr><th>Drug<th>Day<th>Dose</tr>
    <tr><td rowspan=2>Aspirin<td>1<td><p>10</p><p>mg</p></tr><tr><td>2<td>20 mg</tr></table>"""
    assert parts("a.html", page) == [
        ("caption", "Table 1. Doses"),
        ("table", "Drug | Day | Dose\nAspirin | 1 | 10 mg\n | 2 | 20 mg"),
    ]


def test_a_table_for_layout_is_text(parts):
    page = "<table><tr><td><h2>Menu</h2><p>One.</p><td><table><tr><td>a<td>b</table></table>"
    assert parts("a.html", page) == [("heading", "Menu"), ("text", "One."), ("table", "a | b")]


def test_the_title_heads_a_page_without_a_first_heading_and_main_is_all_there_is(parts):
    page = "<title>Asthma</title><div>Log in now</div><main><h2>Causes</h2><p>Many.</p></main><div>Ads</div>"
    assert parts("a.html", page) == [("heading", "Asthma"), ("heading", "Causes"), ("text", "Many.")]


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("", "utf-8"),
        ("<meta charset=windows-1252>", "cp1252"),
        ("<meta charset=windows-1251>", "cp1251"),
        ("<meta charset=ascii>", "utf-8"),
        ("<meta charset=nonsense>", "cp1252"),
        ("", "utf-16"),
        ("", "cp1252"),
    ],
)
def test_encodings_are_told_apart(parts, head, encoding):
    said = "Сердце качает кровь." if encoding == "cp1251" else "Ménière’s naïve café déjà vu: œdème, fièvre élevée."
    assert parts("a.html", f"<html>{head}<p>{said}</p></html>".encode(encoding)) == [("text", said)]


def test_markdown_is_read_by_way_of_html(write, document):
    text = """---
title: Ignored where there is a heading
---
Heart
=====

Blood *flows* through [valves](http://a.b/c)
and 10<sup>6</sup> cells.

- mitral
- tricuspid

1. one
2. two

| Drug | Dose |
|------|------|
| A    | 1 mg |

## Notes
> quoted
"""
    found = document(write("a.md", text.replace("\n", "\r\n")))
    assert [(p.kind, p.level, p.text) for p in found.paragraphs] == [
        ("heading", 1, "Heart"),
        ("text", 0, "Blood flows through valves and 10⁶ cells."),
        ("item", 0, "mitral"),
        ("item", 0, "tricuspid"),
        ("item", 0, "1. one"),
        ("item", 0, "2. two"),
        ("table", 0, "Drug | Dose\nA | 1 mg"),
        ("heading", 2, "Notes"),
        ("text", 0, "quoted"),
    ]
    assert document(write("b.md", "---\ntitle: 'Liver'\n---\ntext")).paragraphs[0].text == "Liver"


@pytest.mark.parametrize(
    "notes",
    [
        "<ol><li role='doc-footnote'>A note.<a href='#r' class='footnote-back'>↩︎</a></li></ol>",
        "<div class='footnote'><p><a href='#r'>[1]</a> A note.</p></div>",
        "<div><p class=MsoFootnoteText><a href='#r'><span>[1]</span></a> A note.</p></div>",
    ],
)
def test_footnotes_as_pandoc_gutenberg_and_word_write_them(parts, notes):
    page = f"<body><p>It beats<a href='#n'>[1]</a> fast, see <a href='#f'>Figure 1</a>.</p>{notes}"
    assert parts("a.html", page) == [("text", "It beats fast, see Figure 1."), ("note", "A note.")]


def test_cells_that_span_rows_and_columns_keep_the_others_in_their_columns(write, document):
    rows = "<tr><th rowspan=2>Drug<th colspan=2>Dose<th rowspan=2>Route</tr><tr><th>low<th>high</tr>"
    page = f"<table>{rows}<tr><td>A<td>1<td>2<td>oral</tr><tr><td>B<td>3<td>4<td>nasal</tr></table>"
    (table,) = document(write("a.html", page)).paragraphs
    assert table.rows == [
        ["Drug", "Dose", "", "Route"],
        ["", "low", "high"],
        ["A", "1", "2", "oral"],
        ["B", "3", "4", "nasal"],
    ]
