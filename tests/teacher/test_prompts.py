"""Prompts: parsing, rendering, and what a call's key holds."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.prompts import Prompt, PromptError
from med_small_lm.teacher.requests import Request, call_id

SOURCE: dict[str, Any] = {
    "id": "toy",
    "version": "1",
    "messages": [{"role": "user", "content": 'Say {"n": 1} about {passage}. {items}'}],
}
SLOTS = {
    "question": {"passage", "related", "exemplars", "n", "seed"},
    "rationale": {"stem", "options", "passage"},
    "general_rationale": {"stem", "options", "right", "passage"},
    "optionwise_rationale": {"stem", "lettered", "right", "passage"},
    "exam_rationale": {"stem", "options", "passages"},
    "support": {"quote", "answer", "stem"},
    "rephrasing": {"passage", "style", "seed"},
    "summary": {"passage"},
    "atomic_facts": {"passage"},
    "link": {"subject", "first", "second"},
    "judge_entails": {"question", "answer", "statement"},
    "judge_contradicts": {"question", "answer", "statement"},
    "judge_meets": {"question", "answer", "statement"},
    "judge_accepts": {"question", "answer", "statement"},
    "judge_prefers": {"question", "answer", "statement"},
}


def test_rendering_fills_slots_once() -> None:
    prompt = Prompt.parse(SOURCE)
    (message,) = prompt.render({"passage": "a {passage} with {braces}", "items": ["x", {"k": 1}]})
    assert message.content == 'Say {"n": 1} about a {passage} with {braces}. - x\n- {"k": 1}'


def test_a_slot_that_nothing_fills_is_named() -> None:
    with pytest.raises(PromptError, match="toy .*nothing fills the slots items"):
        Prompt.parse(SOURCE).render({"passage": "p"})


@pytest.mark.parametrize(
    "change",
    [{"extra": 1}, {"messages": []}, {"messages": [{"role": "user"}]}],
    ids=["unknown key", "none", "no content"],
)
def test_a_wrong_prompt_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(PromptError):
        Prompt.parse({**SOURCE, **change})


@pytest.mark.parametrize("name", sorted(SLOTS))
def test_the_projects_prompts_show_every_slot_that_the_reply_depends_on(name: str, prompts: dict[str, Prompt]) -> None:
    prompt = prompts[name]
    assert prompt.id == name and set(prompt.slots) == SLOTS[name]
    Draft202012Validator.check_schema(prompt.schema)


def test_the_key_holds_all_that_shapes_a_reply_and_nothing_else() -> None:
    base = Request("t", {"temperature": 0.1}, (Message("user", "x"),), {"type": "object"}, {"a": 1})
    same = Request("t", {"temperature": 0.1}, (Message("user", "x"),), {"type": "object"}, {"a": 2})
    others = [
        Request("t", {"temperature": 0.2}, base.messages, base.schema),
        Request("t", base.model_params, (Message("system", "x"),), base.schema),
        Request("t", base.model_params, base.messages, {"type": "array"}),
        Request("t", base.model_params, base.messages, base.schema, sample=1),
        Request("t", base.model_params, base.messages, base.schema, scope="http://127.0.0.1/v1"),
    ]
    keys = [call_id("m", base), call_id("n", base), call_id("m", base, 1), *(call_id("m", other) for other in others)]
    assert call_id("m", base) == call_id("m", same) == "cb54ef1c4df79a8b"  # another key would be paid for again
    assert len(set(keys)) == len(keys)
