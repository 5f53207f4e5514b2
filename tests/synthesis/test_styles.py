"""The styles of rationale: what each is asked with, how its replies are read, and what its gates stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from med_small_lm.params.synthesize_cot import RationaleGates, ShownStyle, Style, Styles, SynthesizeCot
from med_small_lm.schemas.rows import Message, Option, Passage, Question, Quote, Rationale
from med_small_lm.synthesis.asked import Asked
from med_small_lm.synthesis.gates.sifting import sift_rationales
from med_small_lm.synthesis.optionwise import JudgedOption, judged_options
from med_small_lm.synthesis.rationales import (
    GENERAL,
    HIDDEN,
    METHODS,
    OPTIONWISE,
    rationale_requests,
    rationales_from,
)
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply, call_id, messages_json

TEXT = "Scurvy is due to a lack of vitamin C. Iron makes blood."
PASSAGE = Passage("b-1", "b", 0, "C > S", 1, 1, TEXT, 11, "", "own")
OPTIONS = [Option(k, t) for k, t in zip("ABCD", ["vitamin C", "vitamin A", "iron", "zinc"], strict=True)]
QUESTION = Question(
    "q-1", "b", "train", "single", "Which deficiency causes scurvy?", OPTIONS, ["A"], "vitamin C",
    quotes=[Quote("A", "Scurvy is due to a lack of vitamin C.", "", "b-1")], passage_ids=["b-1"], licence="own",
)  # fmt: skip
ALL = SynthesizeCot(
    styles=Styles(
        hidden=ShownStyle(share=1, exemplars=0), general=ShownStyle(share=1, exemplars=2), optionwise=Style(share=1)
    )
)
NAMES = {HIDDEN: "rationale", GENERAL: "general_rationale", OPTIONWISE: "optionwise_rationale"}
PLAIN = Prompt("told", "1", (Message("system", "Solve."), Message("user", "{passage} {stem} {lettered}")))
WHYS = ["A lack of vitamin C causes it.", "It is not said of scurvy.", "Iron makes the blood.", "Zinc is not named."]
BY_OPTION = " ".join(
    f"Option {k} is {'TRUE' if k == 'A' else 'FALSE'}. {why}" for k, why in zip("ABCD", WHYS, strict=True)
)


def solved(number: int, stem: str, answer: str, **changes: object) -> Question:
    options = [Option("A", answer), Option("B", "none of it")]
    quotes = [Quote("A", f"It is known to be {answer}.")]
    base = Question(f"dev-{number}", "exam", "dev", "single", stem, options, ["A"], answer, quotes=quotes)
    return replace(base, **changes)  # type: ignore[arg-type]


DEV = [
    solved(1, "Which deficiency causes beriberi?", "thiamine"),
    solved(2, "Which deficiency causes scurvy in a sailor?", "ascorbic acid"),
    solved(3, "Which deficiency causes scurvy, pray?", "a secret", quotes=[]),
    solved(4, "What makes blood?", "iron", quotes=[Quote("A", "", "Iron makes it.")]),
]


def sifted(
    style: str, text: str, question: Question = QUESTION, keys: list[str] | None = None, **gates: float
) -> Rationale:
    """A rationale after its gates; those of option by option read their answer from the text."""
    told = [one.key for one in judged_options(text) if one.is_true] if style == OPTIONWISE else ["A"]
    given = Rationale("r-1", question.question_id, METHODS[style], text, keys or told, [], "c", ["b-1"], "own")
    kept, rejected = sift_rationales([given], [question], [PASSAGE], [], RationaleGates(**gates))  # type: ignore[arg-type]
    (one,) = [*kept, *rejected]
    return one


def stopped(rationale: Rationale) -> str:
    return next((said.gate for said in rationale.gates if said.verdict == "fail"), "")


def test_the_default_asks_as_before_so_that_no_paid_answer_is_lost(prompts: dict[str, Prompt]) -> None:
    """The digests are those of the prompt and of this request's call before there were styles."""
    told = prompts["rationale"]
    (asked,) = rationale_requests([QUESTION], [PASSAGE], told, SynthesizeCot(), {"temperature": 0.7}, HIDDEN, DEV)
    assert sha256(messages_json(told.messages).encode()).hexdigest()[:16] == "a94087859ab575b4"
    assert call_id("a-model", asked.request) == "2f0e538b5af13583"
    assert asked.request.messages == told.render(asked.request.slots)


def test_only_a_style_that_shows_the_answer_has_it_in_its_prompt(prompts: dict[str, Prompt]) -> None:
    for style, name in NAMES.items():
        (asked,) = rationale_requests([QUESTION], [PASSAGE], prompts[name], ALL, style=style)
        assert (asked.request.slots.get("right") == ["vitamin C"]) == (style != HIDDEN)
        assert asked.request.messages[-1].content.endswith("- vitamin C") == (style != HIDDEN)


def test_each_style_is_asked_of_the_share_that_is_drawn_by_id(prompts: dict[str, Prompt]) -> None:
    many = [replace(QUESTION, question_id=f"q-{n}") for n in range(400)]
    for style, least, most in ((HIDDEN, 400, 400), (GENERAL, 8, 40), (OPTIONWISE, 8, 40)):
        asked = rationale_requests(many, [PASSAGE], prompts[NAMES[style]], SynthesizeCot(), style=style)
        again = rationale_requests(many[::-1], [PASSAGE], prompts[NAMES[style]], SynthesizeCot(), style=style)
        assert least <= len(asked) <= most
        drawn = [{one.question.question_id for one in own if one.question} for own in (asked, again)]
        assert drawn[0] == drawn[1]


@pytest.mark.parametrize("name", ["general_rationale", "told"])
def test_exemplars_are_the_nearest_solved_questions_shown_as_turns(name: str, prompts: dict[str, Prompt]) -> None:
    prompt = {**prompts, "told": PLAIN}[name]
    (asked,) = rationale_requests([QUESTION], [PASSAGE], prompt, ALL, style=GENERAL, exemplars=DEV)
    messages = asked.request.messages
    assert [message.role for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "scurvy in a sailor" in messages[1].content and "beriberi" in messages[3].content
    assert "known to be ascorbic acid." in messages[1].content, "what decides it stands where the passage does"
    as_text = "It is known to be ascorbic acid. Therefore, the answer is (A) ascorbic acid."
    as_object = '{"rationale": "It is known to be ascorbic acid.", "answer": "ascorbic acid"}'
    assert messages[2].content == (as_text if name == "told" else as_object)
    assert messages[-1] == prompt.render(asked.request.slots)[-1]


def test_exemplars_without_reasoning_are_not_shown_and_an_explanation_is_reasoning(prompts: dict[str, Prompt]) -> None:
    params = SynthesizeCot(styles=Styles(hidden=ShownStyle(share=1, exemplars=9)))
    (asked,) = rationale_requests([QUESTION], [PASSAGE], prompts["rationale"], params, exemplars=DEV)
    shown = [message.content for message in asked.request.messages if message.role == "assistant"]
    assert len(shown) == 2 and not any("secret" in text for text in shown), "the fourth shares no word with it"
    blood = replace(QUESTION, stem="What makes blood, then?")
    (asked,) = rationale_requests([blood], [PASSAGE], prompts["rationale"], params, exemplars=DEV)
    assert "Iron makes it." in asked.request.messages[2].content


def test_a_text_is_read_option_by_option() -> None:
    assert judged_options(BY_OPTION)[:2] == [JudgedOption("A", True, WHYS[0]), JudgedOption("B", False, WHYS[1])]
    assert [one.key for one in judged_options(BY_OPTION)] == list("ABCD")
    assert judged_options(f"Well then. {BY_OPTION}") == judged_options("Option A may be TRUE.") == []


def asked_of_options(prompts: dict[str, Prompt]) -> list[Asked]:
    return rationale_requests([QUESTION], [PASSAGE], prompts["optionwise_rationale"], ALL, style=OPTIONWISE)


def test_replies_option_by_option_become_records(prompts: dict[str, Prompt], reply: Callable[..., Reply]) -> None:
    params = SynthesizeCot(samples=5, styles=ALL.styles)
    listed = [{"option": f"({k})", "verdict": "TRUE" if k == "A" else "FALSE", "why": why}
              for k, why in zip("ABCD", WHYS, strict=True)]  # fmt: skip
    ways = ["option A:", "b", "C) iron", "(D) zinc"]
    named = [one | {"option": way} for one, way in zip(listed, ways, strict=True)]
    (same,) = rationales_from(asked_of_options(prompts), [reply({"options": named})], METHODS[OPTIONWISE])[0]
    assert same.text == BY_OPTION
    objects = [{"options": listed}, {"options": []}, {"options": "all"}]
    replies = [*map(reply, objects), reply(None, "length"), reply({"options": [{"option": "A"}, 3]})]
    asked = rationale_requests([QUESTION], [PASSAGE], prompts["optionwise_rationale"], params, style=OPTIONWISE)
    found, rejected = rationales_from(asked, replies, METHODS[OPTIONWISE])
    assert [one.text for one in found[:1]] == [BY_OPTION] and found[0].answer_keys == ["A"]
    assert found[0].method == "gold_shown: optionwise" and len(found) == 2 and found[1].answer_keys == []
    assert [one.gates[0].reason for one in rejected] == ["the teacher gave no rationale"] * 2 + ["length"]
    (asked_plainly,) = rationale_requests([QUESTION], [PASSAGE], PLAIN, ALL, style=OPTIONWISE)
    (found,), _ = rationales_from([asked_plainly], [replace(reply(), content=BY_OPTION)], METHODS[OPTIONWISE])
    assert (found.text, found.answer_keys) == (BY_OPTION, ["A"])


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        (BY_OPTION, ""),
        (BY_OPTION.replace("B is FALSE", "B is TRUE"), "answer"),
        (BY_OPTION.replace("A is TRUE", "A is FALSE"), "answer"),
        (BY_OPTION.replace("A is TRUE", "A is FALSE").replace("B is FALSE", "B is TRUE"), "answer"),
        (f"{BY_OPTION} The answer is zinc.", "answer"),
        (BY_OPTION.partition(" Option D")[0], "each_option"),
        (f"{BY_OPTION} {BY_OPTION}", "each_option"),
        (" ".join(reversed(BY_OPTION.split(" Option "))), "each_option"),
        (BY_OPTION.replace("Option D", "Option E"), "each_option"),
        (BY_OPTION[:-12], "format"),
        (BY_OPTION.replace("Zinc is not named.", ""), "format"),
        (BY_OPTION.replace("Zinc is not named.", "Zinc is not in the provided text."), "format"),
        (BY_OPTION.replace("Zinc is not named.", "The passage does not name zinc."), "format"),
        (BY_OPTION.replace("Zinc is not named.", "I cannot say what zinc does."), "format"),
        (BY_OPTION.replace("Zinc is not named.", "Zinc is none, as option A is right."), ""),
        (BY_OPTION.replace(WHYS[1], "Sailors brought lemons aboard their ships on long voyages around both capes."),
         "support"),
    ],
)  # fmt: skip
def test_what_goes_through_the_options_judges_each_once_and_the_keyed_ones_true(text: str, gate: str) -> None:
    assert stopped(sifted(OPTIONWISE, text, supported=0.6)) == gate


def test_several_right_options_are_all_true() -> None:
    both = replace(QUESTION, kind="multi", answer_keys=["A", "C"], answer_text="vitamin C; iron")
    text = BY_OPTION.replace("C is FALSE", "C is TRUE")
    assert stopped(sifted(OPTIONWISE, text, both)) == "" and stopped(sifted(OPTIONWISE, BY_OPTION, both)) == "answer"


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("Scurvy is due to a lack of vitamin C, not of vitamin A or iron.", ""),
        ("Scurvy is due to a lack of what limes hold.", "states_answer"),
        ("Scurvy is due to a lack of vitamin C. So the answer is zinc.", "answer"),
        ("Scurvy is due to a lack of vitamin C, so option A is right.", "format"),
        ("Scurvy is due to a lack of vitamin C and of", "format"),
        ("La carence en vitamin C est la cause de ce qui est le scorbut pour les marins.", "language"),
    ],
)
def test_an_analysis_states_the_right_answer_and_no_other(text: str, gate: str) -> None:
    assert stopped(sifted(GENERAL, text)) == gate


def test_as_many_rationales_of_a_question_and_style_are_kept_as_may_be() -> None:
    texts = [f"Scurvy is due to a lack of vitamin C{end}." for end in ("", " alone", ", once more")]
    drafts = [
        Rationale(f"{style}-{n}", "q-1", METHODS[style], text, ["A"], [], "c", ["b-1"], "own")
        for style in (HIDDEN, GENERAL)
        for n, text in enumerate(["Scurvy is due to a lack of", *texts])
    ]
    kept, rejected = sift_rationales(drafts, [QUESTION], [PASSAGE], [], RationaleGates(kept_max=2))
    assert [one.rationale_id for one in kept] == ["hidden-1", "hidden-2", "general-1", "general-2"]
    surplus = [one for one in rejected if stopped(one) == "surplus"]
    assert [one.rationale_id for one in surplus] == ["hidden-3", "general-3"]
    assert surplus[0].gates[-1].reason == "2 of its question are kept already"
    every, _ = sift_rationales(drafts, [QUESTION], [PASSAGE], [], RationaleGates())
    assert len(every) == 6 and not any(said.gate == "surplus" for one in every for said in one.gates)
