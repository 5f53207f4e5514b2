"""JATS XML."""

from __future__ import annotations

import pytest

PROSE = "The heart pumps blood through the body by contracting in a steady rhythm."
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) v1.2//EN" "JATS-archivearticle1.dtd">"""


def article(body: str, meta: str = "", back: str = "", title: str = "Hearts <italic>in vivo</italic>") -> str:
    front = "<front><journal-meta><journal-title>A Journal</journal-title></journal-meta><article-meta><title-group>"
    front += f"<article-title>{title}</article-title></title-group>{meta}</article-meta></front>"
    return f"<article xmlns:mml='m'>{front}<body>{body}</body><back>{back}</back></article>"


def test_structure_comes_with_its_kinds_and_levels(write, document):
    body = f"""<sec><label>1.</label><title>Methods</title><p>{PROSE}</p>
    <sec><title>Mice</title><p>We kept<list list-type="order"><list-item><p>cats</p></list-item><list-item><p>dogs</p>
    </list-item></list></p></sec></sec>
    <sec><title>Results</title><p>It works <xref ref-type="fig">Figure 1</xref><fig><label>Figure 1</label><caption>
    <title>Outcome</title><p>By week.</p></caption><graphic/></fig> as shown<fn><label>a</label><p>A note.</p></fn>.</p>
    <table-wrap><label>Table 2.</label><caption><p>Doses</p></caption><table><thead><tr><th>Drug</th><th>Dose</th></tr>
    </thead><tbody><tr><td>A</td><td>1 mg</td></tr></tbody></table><table-wrap-foot><fn><p>Daily.</p></fn>
    </table-wrap-foot></table-wrap>
    <boxed-text><caption><title>Key points</title></caption><p>One.</p></boxed-text></sec>"""
    abstract = "<abstract><p>In short.</p></abstract>"
    found = document(write("a.nxml", HEAD + article(body, abstract)))
    assert [(p.kind, p.level, p.text) for p in found.paragraphs] == [
        ("heading", 1, "Hearts in vivo"),
        ("heading", 2, "Abstract"),
        ("text", 0, "In short."),
        ("heading", 2, "1. Methods"),
        ("text", 0, PROSE),
        ("heading", 3, "Mice"),
        ("text", 0, "We kept"),
        ("item", 0, "1. cats"),
        ("item", 0, "2. dogs"),
        ("heading", 2, "Results"),
        ("text", 0, "It works Figure 1 as shown."),
        ("caption", 0, "Figure 1. Outcome. By week."),
        ("note", 0, "A note."),
        ("caption", 0, "Table 2. Doses"),
        ("table", 0, "Drug | Dose\nA | 1 mg"),
        ("note", 0, "Daily."),
        ("text", 0, "Key points"),
        ("text", 0, "One."),
    ]


def cited(*texts: str) -> list[str]:
    return [f"<xref ref-type='bibr' rid='r'>{text}</xref>" for text in texts]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("known [{}, {}–{}]. So", "known. So"),
        ("known {}. So", "known. So"),
        ("known<sup>{},{}–{}</sup>. So", "known. So"),
        ("known (see {}; {} and {}), so", "known, so"),
        ("known (WHO {}), so", "known (WHO), so"),
    ],
)
def test_numbers_of_references_leave_no_trace(parts, markup, text):
    xml = article(f"<p>{markup.format(*cited('[12]', '13', '15'))}</p>")
    assert parts("a.xml", xml)[-1] == ("text", text)


def test_names_that_carry_the_sentence_stay(parts):
    one, other = cited("Smith et al. (2010)", "Jones, 2011")
    assert parts("a.xml", article(f"<p>{one} saw it ({other}).</p>"))[-1][1] == "Smith et al. (2010) saw it."


def test_raised_and_lowered_figures_and_formulas(parts):
    mathml = "<mml:math><mml:msup><mml:mi>x</mml:mi><mml:mn>2</mml:mn></mml:msup></mml:math>"
    tex = "<tex-math>\\usepackage{x} x^2</tex-math>"
    both = f"<inline-formula><alternatives>{tex}{mathml}</alternatives></inline-formula>"
    body = f"<p>10<sup>6</sup> CO<sub>2</sub> and {both}</p><disp-formula><tex-math>$$y$$</tex-math></disp-formula>"
    assert parts("a.xml", article(body))[1:] == [("text", "10⁶ CO₂ and x²")]


def test_what_is_no_teaching_is_counted_and_left_out(write, reader):
    meta = "<contrib-group><contrib>Ann Lee</contrib></contrib-group><kwd-group><kwd>heart</kwd></kwd-group>"
    back = "<ack><p>Thanks to all</p></ack><ref-list><ref>Smith 2010</ref></ref-list>"
    back += "<fn-group><fn><p>No conflict</p></fn></fn-group>"
    found = reader(write("a.xml", article(f"<p>{PROSE}</p>", meta, back) + ""))
    assert [(p.section, p.text) for p in found.passages] == [("Hearts in vivo", PROSE)]
    assert {d.reason: d.count for d in found.report.dropped} == {
        "acknowledgements": 3,
        "authors": 4,
        "front matter": 3,
        "references": 2,
    }


def test_a_set_of_articles_has_an_article_a_page(write, reader):
    articles = [article(f"<p>{title} {PROSE}</p>", title=title) for title in ("One", "Chapter 1 of two", "Three")]
    found = reader(write("a.xml", f"<pmc-articleset>{''.join(articles)}</pmc-articleset>"))
    assert [(p.section, p.page_first) for p in found.passages] == [("One", 1), ("Chapter 1 of two", 2), ("Three", 3)]


def test_text_below_an_abstract_is_no_part_of_it(write, reader):
    meta = "<abstract><p>In short.</p></abstract>"
    found = reader(write("a.nxml", HEAD + article(f"<p>{PROSE}</p>", meta, title="Heart<xref ref-type='fn'>*</xref>")))
    assert [(p.section, p.text) for p in found.passages] == [("Heart > Abstract", "In short."), ("Heart", PROSE)]
    assert reader(write("b.nxml", HEAD + article("", meta))).report.status == "ok"


def test_what_is_not_read_is_counted(write, reader):
    meta = "<trans-abstract><p>Le coeur bat.</p></trans-abstract>"
    body = f"<p>{PROSE}</p><supplementary-material><caption><p>Raw data.</p></caption></supplementary-material>"
    dropped = reader(write("a.nxml", HEAD + article(body, meta))).report.dropped
    assert {(d.reason, d.count) for d in dropped} >= {("translations", 3), ("supplements", 2)}


def test_a_glossary_is_a_section(parts):
    terms = "<def-list><def-item><term>BP</term><def><p>pressure</p></def></def-item></def-list>"
    back = f"<glossary><title>Terms</title>{terms}</glossary>"
    assert parts("a.nxml", HEAD + article(f"<p>{PROSE}</p>", back=back))[-2:] == [
        ("heading", "Terms"),
        ("item", "BP: pressure"),
    ]
