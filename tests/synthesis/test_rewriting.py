"""Rewritten records: what the teacher may change, and at which gate a changed fact stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from med_small_lm.params.synthesize_cot import Rewriting
from med_small_lm.schemas.rows import Instruction, Message
from med_small_lm.synthesis.gates.phi import phi
from med_small_lm.synthesis.rewriting import changed, rewriting_requests, rewritten_from, sift_rewritten
from med_small_lm.teacher.builtin import answer
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

CHAT = (
    "I cough since a week.",
    "Hello, thanks for asking. Take 500 mg of paracetamol twice a day. Do not smoke. Hope this helps. Regards, Dr. A",
)
CARD = ("Drug of choice for gout attacks without renal failure", "NSAID, not aspirin")
PARAGRAPH = ("Symptoms", "Measles begins with fever and cough. A rash follows after 3 days.")


def record(said: tuple[str, str], source: str = "a_set") -> Instruction:
    messages = [Message("system", "Answer."), Message("user", said[0]), Message("assistant", said[1])]
    return Instruction("a_set-1", source, "qa", messages, ["a.csv:2"], "CC BY 4.0")


def judged(
    way: str, said: tuple[str, str], parsed: dict[str, str], prompts: dict[str, Prompt], reply: Callable[..., Reply]
) -> Instruction:
    """The record that a reply amounts to, with all verdicts."""
    one, ways = record(said), {"a_set": way}
    asked, _ = rewriting_requests([one], ways, prompts)
    found, misses = rewritten_from(asked, [reply(parsed)], [one], ways)
    kept, rejected = sift_rewritten(found, [one], [], phi, Rewriting())
    return [*misses, *kept, *rejected][0]


@pytest.mark.parametrize(
    ("way", "said", "parsed", "stopped"),
    [
        ("clean", CHAT, {"answer": "Take 500 mg of paracetamol twice a day. Do not smoke."}, ""),
        ("clean", CHAT, {"answer": "Take 500 mg of paracetamol twice a day."}, ""),
        ("clean", CHAT, {"answer": "Take 50 mg of paracetamol twice a day. Do not smoke."}, "facts"),
        ("clean", CHAT, {"answer": "Take paracetamol twice a day. Do not smoke."}, "facts"),
        ("clean", CHAT, {"answer": "Take 500 mg of paracetamol twice a day. Do smoke."}, "facts"),
        ("clean", CHAT, {"answer": "Take 500 mg of paracetamol and see a specialist of lungs soon."}, "facts"),
        ("clean", CHAT, {"answer": "Do not smoke."}, "facts"),
        ("clean", CHAT, {"answer": "Hello, take 500 mg of paracetamol twice a day. Do not smoke."}, "format"),
        ("clean", CHAT, {"answer": ""}, "reply"),
        ("clean", (CHAT[0], CHAT[1] + " Call 555-123-4567."),
         {"answer": "Take 500 mg of paracetamol twice a day. Do not smoke. Call 555-123-4567."}, "phi"),
        ("flashcard", CARD, {"question": "What is the drug of choice for gout attacks without renal failure?",
                             "answer": "The drug of choice is an NSAID, not aspirin."}, ""),
        ("flashcard", CARD, {"question": "What is the drug of choice for gout attacks without renal failure?",
                             "answer": "The drug of choice is an NSAID or aspirin."}, "facts"),
        ("flashcard", CARD, {"question": "The drug of choice for gout", "answer": "NSAID, not aspirin."}, "format"),
        ("heading", PARAGRAPH, {"question": "What are the symptoms of measles?"}, ""),
        ("heading", PARAGRAPH, {"question": "What are the symptoms?"}, "facts"),
        ("heading", PARAGRAPH, {"question": "How does measles begin?"}, "facts"),
        ("heading", PARAGRAPH, {"question": "What are the symptoms of mumps, rubella and varicella?"}, "facts"),
        ("heading", PARAGRAPH, {"question": "What are symptoms " + "of measles " * 30 + "?"}, "format"),
    ],
)  # fmt: skip
def test_a_rewritten_record_says_what_it_said(  # type: ignore[no-untyped-def]
    way, said, parsed, stopped, prompts, reply
) -> None:
    made = judged(way, said, parsed, prompts, reply)
    assert next((gate.gate for gate in made.gates if gate.verdict == "fail"), "") == stopped, made.gates
    assert made.parent_ids == ["a.csv:2", "a_set-1"] and made.licence == "CC BY 4.0" and made.call_id
    assert made.method == f"rewriting: {way}" and made.example_id == f"a_set-1-{way}"
    if not stopped:
        turns = [message.content for message in made.messages]
        assert turns == ["Answer.", parsed.get("question", said[0]), parsed.get("answer", said[1])]


def test_a_failed_call_is_kept_as_a_rejected_record(prompts: dict[str, Prompt]) -> None:
    one, ways = record(CHAT), {"a_set": "clean"}
    asked, _ = rewriting_requests([one], ways, prompts)
    lost = Reply("c0ffee", "error", "", None, False, "m", reason="timed out")
    _, [rejected] = rewritten_from(asked, [lost], [one], ways)
    assert rejected.gates[0].reason == "error: timed out" and rejected.messages == one.messages


def test_a_chat_of_several_turns_is_not_asked_about(prompts: dict[str, Prompt]) -> None:
    one = record(CHAT)
    longer = replace(one, messages=[*one.messages, *one.messages[1:]])
    asked, [rejected] = rewriting_requests([longer], {"a_set": "clean"}, prompts)
    assert asked == [] and rejected.gates[0].gate == "schema" and not rejected.call_id


def test_numbers_and_negations_that_only_one_text_has() -> None:
    old = "Take 2 tablets. No alcohol is allowed. Visit us at 12 Main Street."
    assert changed("Take 2 tablets. No alcohol is allowed.", old) == []
    assert changed("Take 3 tablets. Alcohol is allowed.", old) == ["3", "2", "a negation"]


@pytest.mark.parametrize(("way", "said"), [("clean", CHAT), ("flashcard", CARD), ("heading", PARAGRAPH)])
def test_the_built_in_teachers_rewriting_passes(  # type: ignore[no-untyped-def]
    way, said, prompts, reply
) -> None:
    parsed = answer(way, {"question": said[0], "answer": said[1]})
    assert judged(way, said, parsed, prompts, reply).gates[-1].verdict == "pass", parsed
