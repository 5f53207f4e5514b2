"""Items to be refused: the premise is wrong, the name is nobody's, the fact is lacking, and the reply says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.schemas.rows import Instruction, Passage
from med_small_lm.synthesis.asked import Asked
from med_small_lm.synthesis.invented import invented_name, known_words
from med_small_lm.synthesis.refusals import refusal_requests, refusals_from, sift_refusals
from med_small_lm.teacher.builtin import answer
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

SCURVY = "The cause of scurvy is a lack of vitamin C. The hallmark sign of scurvy is bleeding of the gums."
PASSAGE = Passage("b-1", "b", 0, "C > S", 1, 1, SCURVY, 20, "", "CC-BY-4.0")
PARAMS = GenerateQuestions(refusals={"share": 1.0})
CAUSE, SIGN = "The cause of scurvy is a lack of vitamin C.", "The hallmark sign of scurvy is bleeding of the gums."
FALSE = {
    "question": "Why does a lack of iron cause scurvy?",
    "premise": "iron",
    "truth": "vitamin C",
    "quote": CAUSE,
    "reply": "That is not so. The cause of scurvy is a lack of vitamin C.",
}
INVENTED = {
    "question": "Which dose of zorbadine is given in scurvy?",
    "premise": "zorbadine",
    "truth": "",
    "quote": CAUSE,
    "reply": "I know of no drug called zorbadine. The cause of scurvy is a lack of vitamin C.",
}
LACKING = {
    "question": "Which test proves scurvy?",
    "premise": "test",
    "truth": "",
    "quote": SIGN,
    "reply": "The text does not say that. It says that the hallmark sign of scurvy is bleeding of the gums.",
}


def asked_of(kind: str, prompts: dict[str, Prompt]) -> Asked:
    asked = refusal_requests([PASSAGE], prompts["refusal"], PARAMS, known_words([SCURVY]))
    return next(one for one in asked if one.request.slots["style"] == kind)


def judged(kind: str, parsed: dict[str, Any], prompts: dict[str, Prompt], reply: Callable[..., Reply]) -> Instruction:
    """The record that a reply amounts to, with all verdicts."""
    found, misses, told = refusals_from([asked_of(kind, prompts)], [reply(parsed)], PARAMS.refusals)
    kept, rejected = sift_refusals(found, told, [PASSAGE], known_words([SCURVY, "aspirin"]), [], PARAMS.gates)
    return [*misses, *kept, *rejected][0]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("invented", "Zorbadine isn't a recognized drug."),
        ("invented", "Zorbadine doesn’t exist."),
        ("invented", "There is no medication called zorbadine in the standard references."),
        ("invented", "I'm not familiar with a drug called zorbadine; it does not appear to be a real medication."),
        ("invented", "I don't know of a drug called zorbadine, so I cannot recommend a dose."),
        ("invented", "I could not find any drug named zorbadine."),
        ("invented", "As far as I know, zorbadine is fictitious."),
        ("invented", "I have no information about zorbadine."),
        ("not_in_passage", "The text doesn't say which test proves scurvy."),
        ("not_in_passage", "No test is mentioned in the text."),
        ("not_in_passage", "The text does not provide a test."),
        ("not_in_passage", "A test is not described in the text."),
        ("not_in_passage", "The excerpt gives no test."),
        ("not_in_passage", "There is no information on a test."),
        ("false_premise", "That’s inaccurate."),
        ("false_premise", "A lack of iron doesn’t cause scurvy."),
        ("false_premise", "It is vitamin C that is lacking, rather than iron."),
    ],
)
def test_a_refusal_is_one_in_whatever_words(kind, said, prompts, reply) -> None:  # type: ignore[no-untyped-def]
    item = {"invented": INVENTED, "not_in_passage": LACKING, "false_premise": FALSE}[kind]
    made = judged(kind, item | {"reply": f"{said} {item['quote']}"}, prompts, reply)
    assert all(gate.verdict == "pass" for gate in made.gates), made.gates[-1]


@pytest.mark.parametrize(
    ("kind", "item", "change", "stopped"),
    [
        ("false_premise", FALSE, {}, ""),
        ("false_premise", FALSE, {"premise": "vitamin C", "question": "Why does vitamin C cause scurvy?"}, "premise"),
        ("false_premise", FALSE, {"premise": "bleeding", "question": "Why does bleeding cause scurvy?"}, "premise"),
        ("false_premise", FALSE, {"premise": "zinc"}, "premise"),
        ("false_premise", FALSE, {"truth": "ascorbic acid"}, "premise"),
        ("false_premise", FALSE, {"reply": "Because the cause of scurvy is a lack of iron."}, "stance"),
        ("false_premise", FALSE, {"reply": "A lack of iron is the cause, not a lack of vitamin C."}, "stance"),
        ("false_premise", FALSE, {"reply": "That is not so, and nothing else is to be said."}, "stance"),
        ("false_premise", FALSE, {"quote": "The cause of scurvy is no lack of vitamin C."}, "support"),
        ("false_premise", FALSE, {"question": "Why is iron so important?", "reply": "Not iron, vitamin C."}, "support"),
        ("false_premise", FALSE, {"quote": SIGN, "reply": f"{FALSE['reply']} {SIGN}"}, "support"),
        ("false_premise", FALSE, {"question": "A lack of iron causes scurvy."}, "format"),
        ("false_premise", FALSE, {"question": "Why does the passage say that iron causes scurvy?"}, "format"),
        ("false_premise", FALSE, {"truth": ""}, "reply"),
        ("invented", INVENTED, {}, ""),
        ("invented", INVENTED, {"premise": "aspirin", "question": "Which dose of aspirin is given?",
                                "reply": "I know of no drug called aspirin. " + CAUSE}, "premise"),
        ("invented", INVENTED, {"reply": f"The dose of zorbadine is small. {CAUSE}"}, "stance"),
        ("invented", INVENTED, {"reply": f"I know of nothing called so. Zorbadine is given daily. {CAUSE}"}, "stance"),
        ("invented", INVENTED, {"reply": f"Zorbadine is not given in known scurvy. {CAUSE}"}, "stance"),
        ("invented", INVENTED, {"reply": f"There is no evidence that zorbadine helps. {CAUSE}"}, "stance"),
        ("not_in_passage", LACKING, {}, ""),
        ("not_in_passage", LACKING, {"premise": "sign", "question": "Which sign proves scurvy?"}, "premise"),
        ("not_in_passage", LACKING, {"reply": f"The test is a look at the gums. {SIGN}"}, "stance"),
    ],
)  # fmt: skip
def test_an_item_rests_on_what_is_not_so_and_the_reply_says_it(  # type: ignore[no-untyped-def]
    kind, item, change, stopped, prompts, reply
) -> None:
    made = judged(kind, item | change, prompts, reply)
    assert next((gate.gate for gate in made.gates if gate.verdict == "fail"), "") == stopped, made.gates
    assert made.method == f"refusal: {kind}" and made.passage_ids == made.parent_ids == ["b-1"] and made.call_id


def test_an_invented_premise_is_its_name_however_it_is_told(prompts, reply) -> None:  # type: ignore[no-untyped-def]
    name = str(asked_of("invented", prompts).request.slots["name"]).split()[-1]
    item = INVENTED | {"question": f"Which dose of {name} is given?", "premise": f"the drug {name}."}
    sound = judged("invented", item | {"reply": f"I know of no drug called {name}. {CAUSE}"}, prompts, reply)
    assert all(gate.verdict == "pass" for gate in sound.gates), sound.gates[-1]
    affirming = item | {"reply": f"Nothing is known to me. {name.title()} is given daily. {CAUSE}"}
    assert judged("invented", affirming, prompts, reply).gates[-1].gate == "stance"


def test_who_asks_for_what_a_passage_lacks_shows_the_stretch_with_the_quote(  # type: ignore[no-untyped-def]
    prompts, reply
) -> None:
    shown, _, question = judged("not_in_passage", LACKING, prompts, reply).messages[0].content.partition("\n\n")
    assert shown == SIGN and question == LACKING["question"]


def test_an_invented_name_is_no_word_of_the_library_and_the_same_again() -> None:
    names = [invented_name(set(), 0, k) for k in range(200)]
    assert names == [invented_name(set(), 0, k) for k in range(200)] and len(set(names)) > 180
    known = {name.split()[-1] for name in names}
    assert not known & {invented_name(known, 0, k).split()[-1] for k in range(200)}


def test_the_built_in_teacher_writes_every_kind_and_most_pass(
    passages: list[Passage], prompts: dict[str, Prompt], reply: Callable[..., Reply]
) -> None:
    some = passages[:24:2]
    known = known_words(passage.text for passage in passages)
    asked = refusal_requests(some, prompts["refusal"], PARAMS, known)
    assert Counter(one.request.slots["style"] for one in asked) == dict.fromkeys(PARAMS.refusals.kinds, len(some))
    replies = [reply(answer("refusal", one.request.slots), call_id=f"c{n}") for n, one in enumerate(asked)]
    found, misses, told = refusals_from(asked, replies, PARAMS.refusals)
    kept, rejected = sift_refusals(found, told, some, known, [], PARAMS.gates)
    assert len(kept) + len(rejected) + len(misses) == len(asked)
    counts = Counter(record.method for record in kept)
    assert len(counts) == 3 and min(counts.values()) >= 0.6 * len(some), (counts, [r.gates[-1] for r in rejected])
    assert refusal_requests(some, prompts["refusal"], GenerateQuestions(refusals={"share": 0}), known) == []
