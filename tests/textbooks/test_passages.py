"""The splitter loses no word, keeps the order and the budget, and cuts where sentences end."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.params.ingest_textbooks import PassageBudget
from med_small_lm.schemas.rows import Passage
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.passages import passages_of, words
from med_small_lm.textbooks.sections import Placed

WORD = st.text(alphabet="abcdefgXYZ-µ", min_size=1, max_size=9)
SENTENCE = st.lists(WORD, min_size=1, max_size=30).map(lambda parts: " ".join(parts).capitalize() + ".")
TEXT = st.lists(SENTENCE, min_size=1, max_size=8).map(" ".join)
KIND = st.sampled_from(["text", "text", "text", "item", "heading", "caption", "note"])
PARAGRAPHS = st.lists(st.tuples(KIND, TEXT), min_size=1, max_size=12)

FILE = SourceFile("b", Path("b.pdf"), "CC0")


def number(text: str, place: int) -> str:
    """The text with every word told from every other."""
    return " ".join(f"W{place}x{at}{'.' * word.endswith('.')}" for at, word in enumerate(text.split()))


def place(parts: list[tuple[str, str]], sections: int = 1) -> list[Placed]:
    """Paragraphs on consecutive pages, dealt to sections."""
    return [
        Placed(Paragraph(kind, text, [(0, number + 1)], 10.0, False), f"Section {number * sections // len(parts)}")
        for number, (kind, text) in enumerate(parts)
    ]


def passages(parts: list[tuple[str, str]], sections: int = 1, **budget: int) -> list[Passage]:
    """The passages of such paragraphs."""
    return passages_of(place(parts, sections), FILE, PassageBudget(**budget))


@given(PARAGRAPHS, st.integers(8, 60), st.integers(1, 3))
def test_no_word_is_lost_and_order_and_budget_are_kept(parts, limit, sections):
    """Whatever the text, the passages' words are the text's words, in order, and no passage is above the budget."""
    result = passages(parts, sections, words=limit, words_min=limit // 3)
    assert [w for p in result for w in p.text.split()] == [w for _, text in parts for w in text.split()]
    assert all(0 < p.n_words <= limit for p in result)
    assert [p.ordinal for p in result] == list(range(len(result)))
    firsts = [p.page_first for p in result]
    assert firsts == sorted(firsts)
    assert all(p.page_first <= p.page_last for p in result)


@given(PARAGRAPHS, st.integers(20, 60), st.integers(0, 10))
def test_overlap_repeats_only_what_stood_before(parts, limit, overlap):
    """With overlap a passage may begin with words of the one before, at most that many, and the budget holds."""
    parts = [(kind, number(text, place)) for place, (kind, text) in enumerate(parts)]
    result = passages(parts, words=limit, words_min=0, overlap=overlap)
    told: list[str] = []
    for passage in result:
        row = passage.text.split()
        assert len(row) <= limit
        shared = next(k for k in range(min(overlap, len(row)), -1, -1) if k == 0 or told[-k:] == row[:k])
        told += row[shared:]
    assert told == [w for _, text in parts for w in text.split()]


@given(PARAGRAPHS)
def test_the_counting_function_is_the_unit_of_the_budget(parts):
    """Counted in characters, the budget holds in characters where words allow it."""
    result = passages_of(place(parts), FILE, PassageBudget(words=400, words_min=0), count=len)
    assert all(len(p.text) <= 400 + p.text.count(" ") + p.text.count("\n") for p in result)


def test_a_passage_ends_with_a_sentence_and_keeps_short_paragraphs_whole():
    """Three paragraphs of 30 words at a budget of 70: two, then one."""
    text = " ".join(f"The {n} organ works well today." for n in range(5))
    result = passages([("text", text)] * 3, words=70, words_min=20)
    assert [p.n_words for p in result] == [60, 30]
    assert all(p.text.endswith(".") for p in result)
    assert result[0].text.count("\n") == 1


def test_a_heading_goes_with_what_it_heads():
    """A heading is never a passage's last line when text follows it."""
    text = " ".join(["One two three four five six seven eight nine ten."] * 3)
    result = passages([("text", text), ("heading", "Kidney"), ("text", text)], words=32, words_min=5)
    assert result[1].text.startswith("Kidney\n")


def test_initials_and_abbreviations_end_no_sentence():
    """``Dr. A. Smith`` and ``Fig. 3`` stay with their sentence."""
    text = "It was Dr. A. Smith who saw it (Fig. 3) first of all. Then nobody looked again for a very long time."
    assert [p.text[-5:] for p in passages([("text", text)], words=14, words_min=0)] == [" all.", "time."]


def test_a_sentence_above_the_budget_is_cut_between_words():
    """Nothing may be longer than what the model is given."""
    result = passages([("text", "word " * 50)], words=20, words_min=0)
    assert [p.n_words for p in result] == [20, 20, 10]


def test_ids_depend_on_section_and_text_alone():
    """The same text in the same section has the same id, wherever it stands; elsewhere another."""
    one, other = passages([("text", "Alpha beta gamma.")]), passages([("text", "Alpha beta gamma.")])
    moved = passages_of([Placed(Paragraph("text", "Alpha beta gamma.", [(0, 9)], 1.0, False), "New")], FILE,
                        PassageBudget())  # fmt: skip
    assert one[0].passage_id == other[0].passage_id != moved[0].passage_id
    assert one[0].passage_id.startswith("b-") and len(one[0].passage_id) == 14


def test_words_counts_words():
    """White space parts words."""
    assert words(" a  b\nc ") == 3
