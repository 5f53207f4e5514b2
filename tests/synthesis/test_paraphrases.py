"""Paraphrases of instructions: other words, the same slots."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from med_small_lm.synthesis.paraphrases import paraphrase_requests, paraphrases_from
from med_small_lm.teacher.builtin import answer
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

ASKED = "Describe {entity} and end with “the answer is (X)”."


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("Tell me of {entity}; your last words are “the answer is (X)”.", ""),
        ("Tell me of it; your last words are “the answer is (X)”.", "slots"),
        ("Tell me of {entity}; your last words are “the answer is X”.", "slots"),
        ("Tell me of {entity} and {other}; end with “the answer is (X)”.", "slots"),
        ("describe {entity}, and end with “the answer is (X)”", "duplicate"),
        ("Tell of {entity} and end with “the answer is (X)”." + " Be so kind." * 20, "format"),
        ("# Tell of {entity} and end with “the answer is (X)”.", "format"),
        (7, "slots"),
    ],
)
def test_a_paraphrase_keeps_what_is_fixed(  # type: ignore[no-untyped-def]
    text, stopped, prompts, reply
) -> None:
    asked = paraphrase_requests({ASKED: "own"}, prompts["paraphrase"], 1, 0)
    kept, rejected = paraphrases_from(asked, [reply({"paraphrases": [text]})])
    [made] = [*kept, *rejected]
    assert next((gate.gate for gate in made.gates if gate.verdict == "fail"), "") == stopped, made.gates
    assert made.messages[0].content == ASKED and made.call_id and made.licence == "own"


def test_the_same_words_are_in_a_pool_once_and_every_call_is_accounted_for(
    prompts: dict[str, Prompt], reply: Callable[..., Reply]
) -> None:
    asked = paraphrase_requests({"Explain.": "own", "Answer.": "own"}, prompts["paraphrase"], 2, 0)
    kept, rejected = paraphrases_from(asked, [reply({"paraphrases": ["Say why.", "Say why!"]}), reply({})])
    assert [one.messages[1].content for one in kept] == ["Say why."]
    assert [one.gates[-1].gate for one in rejected] == ["duplicate", "reply"]
    assert paraphrase_requests({"Explain.": "own"}, prompts["paraphrase"], 0, 0) == []


def test_the_built_in_teachers_paraphrases_pass(prompts: dict[str, Prompt], reply: Callable[..., Reply]) -> None:
    asked = paraphrase_requests({"Explain.": "own", ASKED: "own"}, prompts["paraphrase"], 4, 0)
    kept, rejected = paraphrases_from(asked, [reply(answer("paraphrase", one.request.slots)) for one in asked])
    assert len(kept) == 8 and not rejected
