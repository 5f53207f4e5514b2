"""From an exam item to its pages, and from every training record to its page, in a run that has been made."""

import re

import pymupdf
import pytest


@pytest.fixture(scope="module")
def passages(finished):
    return finished.read("03_primary/passages").set_index("passage_id")


def test_trace_prints_item_answers_records_and_pages(finished, passages):
    item = finished.read("05_model_input/exam_items").iloc[0]
    links = finished.read("08_reporting/lineage")
    code, said = finished.forked("trace", item.question_id)
    assert code == 0, said
    assert item.question_id in said and " ".join(item.stem.split())[:60] in said
    for model in ("base", "injected", "tuned"):
        assert re.search(rf"{model}, likelihood .*: (right|wrong)", said)
    own = links[links.question_id == item.question_id]
    assert own.example_id.iloc[0] in said
    page = own.iloc[0]
    assert re.search(rf"{page.book}, pp?\. {page.page_first}", said)
    quoted = [" ".join(text.split()) for text in re.findall(r'^ +"(.+?)"$', said, re.M | re.S)]
    texts = [" ".join(passages.loc[name].text.split()) for name in own.passage_id]
    assert any(sentence in text for sentence in quoted for text in texts)
    assert "not proof" in said


def test_an_unknown_item_is_one_clear_line(finished):
    code, said = finished.forked("trace", "pocket_exam-test-9999")
    assert code == 1
    assert re.fullmatch(r"Error: no question has the id 'pocket_exam-test-9999'; the nearest are .*\n", said)


def test_a_trace_before_any_run_says_what_to_do(bare):
    code, said = bare.forked("trace", "pocket_exam-test-0001")
    assert (code, said) == (1, "Error: there is no exam_items yet: run `kedro run` first\n")


def test_every_conversation_resolves_to_pages_that_hold_its_passages(finished, passages):
    conversations = finished.read("05_model_input/conversations")
    assert len(conversations) and all(len(ids) for ids in conversations.passage_ids)
    used = {name for ids in conversations.passage_ids for name in ids}
    assert used <= set(passages.index)
    for book, found in passages.loc[sorted(used)].groupby("book"):
        with pymupdf.open(finished.data / f"01_raw/textbooks/{book}.pdf") as pdf:
            pages = [squeezed(page.get_text()) for page in pdf]
        for row in found.itertuples():
            first_words = squeezed(" ".join(row.text.split()[:6]))
            assert first_words in pages[row.page_first - 1], f"{book}, p. {row.page_first}: {row.text[:60]}"


def squeezed(text):
    """Without white, hyphens at line ends and the bars of tables, which differ between a page and its passage."""
    return re.sub(r"[\s\-\u00ad\u2010|]", "", text)
