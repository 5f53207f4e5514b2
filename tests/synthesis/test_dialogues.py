"""Dialogues of patient and doctor: written from a question and its rationale, and ending in its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from med_small_lm.params.synthesize_cot import Dialogues
from med_small_lm.schemas.rows import Instruction, Option, Passage, Question, Rationale
from med_small_lm.synthesis.dialogues import dialogue_requests, dialogues_from, sift_dialogues
from med_small_lm.synthesis.gates.phi import phi
from med_small_lm.teacher.builtin import answer
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

PASSAGE = Passage("b-1", "b", 0, "C > S", 1, 1, "Scurvy is due to a lack of vitamin C.", 9, "", "CC-BY-4.0")
OPTIONS = [Option(k, t) for k, t in zip("ABCD", ["vitamin C", "vitamin A", "iron", "zinc"], strict=True)]
QUESTION = Question(
    "q-1", "b", "train", "single", "Which deficiency causes scurvy?", OPTIONS, ["A"], "vitamin C",
    passage_ids=["b-1"], licence="CC-BY-4.0",
)  # fmt: skip
RATIONALE = Rationale(
    "r-1", "q-1", "passage_cot", "Scurvy follows a lack of vitamin C.", ["A"], [], "c", ["b-1"], "CC-BY-4.0"
)
PARAMS = Dialogues(share=1.0)
START = ["My gums bleed.", "Have you been told why?", "They say that I have scurvy. What do I lack?"]
END = "Scurvy follows a lack of vitamin C. The answer is vitamin C."


def judged(turns: Sequence[str], prompts: dict[str, Prompt], reply: Callable[..., Reply], **more: str) -> Instruction:
    """The record of a reply with these turns, with all verdicts; ``more`` changes who speaks first."""
    speakers = [("patient", "doctor")[(n + (more.get("first") == "doctor")) % 2] for n in range(len(turns))]
    parsed = {"messages": [{"speaker": s, "text": text} for s, text in zip(speakers, turns, strict=True)]}
    asked = dialogue_requests([QUESTION], {"q-1": RATIONALE}, [PASSAGE], prompts["dialogue"], PARAMS, 0)
    found, misses = dialogues_from(asked, [reply(parsed)], {"q-1": RATIONALE}, PARAMS)
    kept, rejected = sift_dialogues(found, asked, [], phi, PARAMS)
    return [*misses, *kept, *rejected][0]


@pytest.mark.parametrize(
    ("turns", "stopped"),
    [
        ([*START, END], ""),
        ([*START, "You lack vitamin C: scurvy is due to it, and not to a lack of iron."], "answer"),
        ([*START, "Scurvy follows a lack of vitamin C, and not of iron. The answer is vitamin C."], ""),
        ([*START, "Scurvy follows a lack of iron. The answer is iron."], "answer"),
        ([*START, "The answer is zinc. No: scurvy follows a lack of vitamin C. The answer is vitamin C."], "answer"),
        ([START[0], "The answer is iron. Or is it?", START[2], END], "answer"),
        ([START[2], END], "schema"),
        ([START[0], "Go on.", START[2], END], "schema"),
        ([*START, END, "Thank you."], "schema"),
        ([*START * 9, "Is it?", END], "schema"),
        ([*START, f"As the passage says: {END}"], "format"),
        ([*START, "Option A is right, scurvy follows a lack of vitamin C."], "format"),
        ([*START, "Vitamin C heals wounds, builds collagen, guards nerves, helps iron uptake."], "answer"),
        ([*START, "Vitamin C heals wounds, builds collagen, guards nerves, helps many enzymes."], "support"),
        (["My number is 555-123-4567.", *START[1:], END], "phi"),
        ([START[0], "Est-ce que vous avez une idée de la cause, ou pas du tout ?", START[2],
          "Le scorbut est dû au manque de vitamin C, la cause est que le scurvy est une lack."], "language"),
        ([*START, ""], "reply"),
        ([], "reply"),
    ],
)  # fmt: skip
def test_a_dialogue_takes_turns_and_ends_in_the_answer(  # type: ignore[no-untyped-def]
    turns, stopped, prompts, reply
) -> None:
    made = judged(turns, prompts, reply)
    assert next((gate.gate for gate in made.gates if gate.verdict == "fail"), "") == stopped, made.gates
    assert made.parent_ids == ["q-1", "r-1"] and made.question_id == "q-1" and made.passage_ids == ["b-1"]
    assert made.call_id == "c0ffee" and made.licence == "CC-BY-4.0" and made.method == "dialogue"
    assert made.messages[0].role == "system" and made.messages[0].content == PARAMS.instruction


def test_the_doctor_does_not_open(prompts: dict[str, Prompt], reply: Callable[..., Reply]) -> None:
    assert judged([*START, END], prompts, reply, first="doctor").gates[-1].gate == "schema"


def test_the_built_in_teachers_dialogue_passes_and_only_single_choice_is_asked(
    prompts: dict[str, Prompt], reply: Callable[..., Reply]
) -> None:
    [one] = dialogue_requests([QUESTION], {"q-1": RATIONALE}, [PASSAGE], prompts["dialogue"], PARAMS, 0)
    turns = [message["text"] for message in answer("dialogue", one.request.slots)["messages"]]
    assert judged(turns, prompts, reply).gates[-1].verdict == "pass"
    assert dialogue_requests([QUESTION], {}, [PASSAGE], prompts["dialogue"], PARAMS, 0) == []
    assert (
        dialogue_requests([QUESTION], {"q-1": RATIONALE}, [PASSAGE], prompts["dialogue"], Dialogues(share=0), 0) == []
    )
