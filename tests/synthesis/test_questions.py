"""Requests for questions, and what becomes of good and bad replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.schemas.rows import Passage, Question
from med_small_lm.synthesis.asked import Asked, requests_of
from med_small_lm.synthesis.exemplars import Exemplars, related
from med_small_lm.synthesis.questions import HELD_OUT_SOURCE, METHOD, question_requests, questions_from
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply, Request

PASSAGE = Passage("b-1", "b", 0, "C > S", 1, 1, "Scurvy is due to lack of vitamin C.", 8, "", "CC-BY-4.0")
ITEM = {
    "stem": "Which deficiency causes scurvy?",
    "options": ["vitamin C", "vitamin A", "iron", "zinc"],
    "answer": 0,
    "quote": "Scurvy is due to lack of vitamin C.",
}
ASKED = Asked(Request("question", {}, ()), PASSAGE)


def test_each_passage_is_asked_about_once_a_variation_with_its_own_slots(
    passages: list[Passage], dev: list[Question], prompts: dict[str, Prompt]
) -> None:
    params = GenerateQuestions(variations=2, seed=7, exemplars_max=10, related_passages=4)
    asked = question_requests(passages[:20], dev, prompts["question"], params, {"temperature": 0.5})
    assert len(asked) == len(requests_of(asked)) == 40
    for n, one in enumerate(asked):
        slots = one.request.slots
        assert one.passage is passages[n // 2] and slots["passage"] == one.passage.text
        assert slots["seed"] == 7 + n % 2 and slots["n"] == 12
        assert 0 < len(slots["exemplars"]) <= 10 and len(slots["related"]) == 4
        assert set(slots["exemplars"][0]) == {"stem", "options", "answer", "evidence"}
        assert one.passage.text not in slots["related"]
        assert one.request.model_params == {"temperature": 0.5}
    assert question_requests(passages[:20], dev, prompts["question"], params, {"temperature": 0.5}) == asked


def test_the_nearest_exemplars_ask_for_what_a_sentence_tells(dev: list[Question]) -> None:
    near = Exemplars(dev).nearest("Nurblitis is caused by frost. The drug class of zorvadil is balm.", 3, 24)
    stems = " ".join(one["stem"] for one in near)
    assert "cause" in stems and "class" in stems and len(near) <= 6


def test_the_cap_leaves_every_sentence_its_nearest(dev: list[Question], passages: list[Passage]) -> None:
    known = Exemplars(dev)
    sentences = passages[0].text.split(". ")
    capped = known.nearest(passages[0].text, 5, len(sentences))
    assert len(capped) == len(sentences)
    first = {one["evidence"] for one in known.nearest(passages[0].text, 1, 99)}
    assert first <= {one["evidence"] for one in capped}


def test_without_exemplars_or_words_there_are_none(dev: list[Question]) -> None:
    assert Exemplars([]).nearest("Some text.", 3, 9) == []
    assert Exemplars([replace(question, quotes=[]) for question in dev]).nearest("Some text.", 3, 9) == []
    assert Exemplars(dev).nearest("...", 3, 9) == []


def test_related_passages_are_of_the_same_book_and_never_the_passage_itself(passages: list[Passage]) -> None:
    book = {passage.text: passage.book for passage in passages}
    for passage, near in zip(passages, related(passages, 6), strict=True):
        assert len(near) == 6
        assert all(book[text] == passage.book and text != passage.text for text in near)
    assert related(passages[:1], 6) == [[]]


def test_a_good_item_becomes_a_record_that_knows_where_it_comes_from(reply: Callable[..., Reply]) -> None:
    (question,), rejected = questions_from([ASKED], [reply({"questions": [ITEM]})])
    assert not rejected
    assert (question.source, question.split, question.kind, question.method) == ("b", "train", "single", METHOD)
    assert [option.key for option in question.options] == list("ABCD")
    assert (question.answer_keys, question.answer_text) == (["A"], "vitamin C")
    assert (question.call_id, question.passage_ids, question.licence) == ("c0ffee", ["b-1"], "CC-BY-4.0")
    assert question.quotes[0].passage_id == "b-1" and question.quotes[0].option == "A"
    assert question.question_id.startswith("q-") and len(question.question_id) == 14
    again, _ = questions_from([ASKED], [reply({"questions": [ITEM]}, call_id="other")])
    assert again[0].question_id == question.question_id


def test_questions_of_held_out_passages_make_the_book_exam(reply: Callable[..., Reply]) -> None:
    (question,), _ = questions_from([ASKED], [reply({"questions": [ITEM]})], held_out={"b-1"})
    assert (question.source, question.split) == (HELD_OUT_SOURCE, "test")


def test_every_bad_reply_and_item_is_a_rejected_record_with_its_reason(reply: Callable[..., Reply]) -> None:
    bad: list[tuple[Reply, str]] = [
        (reply(None, status="invalid", reason="no JSON: line 1"), "invalid: no JSON: line 1"),
        (reply(None, status="refusal"), "refusal"),
        (reply(["a", "list"]), "no JSON object"),
        (reply({"answer": 1}), "no list of questions"),
        (reply({"questions": []}), "wrote no question"),
        (reply({"questions": ["text"]}), "no object"),
        (reply({"questions": [{k: v for k, v in ITEM.items() if k != "stem"}]}), "no stem"),
        (reply({"questions": [ITEM | {"options": ["a", "b", "c"]}]}), "3 of 4 options"),
        (reply({"questions": [ITEM | {"options": "abcd"}]}), "no list of 4 options"),
        (reply({"questions": [ITEM | {"options": ["a", "", "c", None]}]}), "empty or no text"),
        (reply({"questions": [ITEM | {"answer": 4}]}), "place of no option"),
        (reply({"questions": [ITEM | {"answer": "A"}]}), "place of no option"),
        (reply({"questions": [ITEM | {"quote": " "}]}), "no quote"),
    ]
    found, rejected = questions_from([ASKED] * len(bad), [one for one, _ in bad])
    assert not found and len(rejected) == len(bad)
    for question, (_, reason) in zip(rejected, bad, strict=True):
        assert reason in question.gates[-1].reason and question.gates[-1].gate == "reply"
        assert question.passage_ids == ["b-1"] and question.call_id == "c0ffee"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(sorted(ITEM)), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_no_reply_raises_and_nothing_is_lost(items: list[Any]) -> None:
    parsed = {"questions": items}
    found, rejected = questions_from([ASKED], [Reply("c", "ok", "", parsed, False, "m")])
    assert len(found) + len(rejected) == max(len(items), 1)
