"""Planted rationales whose right answer was hidden: right ones, and what a teacher may make of it instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.schemas.rows import Message, Option, Passage, Question
from med_small_lm.synthesis.asked import Asked
from med_small_lm.synthesis.rationales import rationale_requests
from med_small_lm.teacher import builtin
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

ROOT = Path(__file__).resolve().parents[1]
COT = SynthesizeCot()
PLAIN = Prompt("rationale", "1", (Message("user", "{passage} {stem} {lettered}"),))


def prompt(name: str) -> Prompt:
    """One of the project's own prompts."""
    return Prompt.parse(yaml.safe_load((ROOT / f"conf/base/prompts/{name}.yml").read_text(encoding="utf-8")))


def made(parsed: Any = None, content: str = "", status: str = "ok") -> Reply:
    """A reply as a teacher gives it."""
    return Reply("call", status, content or json.dumps(parsed), parsed, False, "planted")


def rationale_plants(questions: Sequence[Question], passages: Sequence[Passage]) -> list[tuple[str, Asked, Reply]]:
    """100 replies, each to a question of its own: its kind, what was asked, and what came."""
    of = {passage.passage_id: passage for passage in passages}
    plants: list[tuple[str, Asked, Reply]] = []
    for kind, n, ways in (("right", 30, RIGHT), ("malformed", 14, MALFORMED), ("wrong", 14, WRONG), ("two", 14, TWO),
                          ("truncated", 12, CUT), ("refusal", 8, REFUSAL), ("answer as A", 8, AS_A)):  # fmt: skip
        for place in range(n):
            question = with_key_a(questions[len(plants)]) if kind == "answer as A" else questions[len(plants)]
            texts, passage = [option.text for option in question.options], of[question.passage_ids[0]].text
            slots = {"stem": question.stem, "options": texts, "passage": passage}
            told = builtin.answer("rationale", slots)["rationale"]
            other = next(option for option in question.options if option.key not in question.answer_keys)
            key, text = question.answer_keys[0], question.answer_text
            reply = ways[place % len(ways)](told, key, text, other.key, other.text)
            ask = PLAIN if reply.parsed is None else prompt("rationale")
            (asked,) = rationale_requests([question], passages, ask, COT)
            plants.append((kind, asked, reply))
    return plants


def with_key_a(question: Question) -> Question:
    """The question with its right option at A, where "Answer" misread would keep it."""
    right = [o.text for o in question.options if o.key in question.answer_keys]
    texts = right + [o.text for o in question.options if o.key not in question.answer_keys]
    options = [Option(key, text) for key, text in zip("ABCD", texts, strict=True)]
    return replace(question, question_id=f"{question.question_id}-a", options=options, answer_keys=["A"])


def json_reply(text: str, answer: str) -> Reply:
    """A reply of the prompt's own form."""
    return made({"rationale": text, "answer": answer})


Way = Callable[[str, str, str, str, str], Reply]
RIGHT: list[Way] = [
    lambda told, k, t, ok, ot: json_reply(told, t),
    lambda told, k, t, ok, ot: json_reply(told, f"({k}) {t}"),
    lambda told, k, t, ok, ot: json_reply(told, f"{k}. {t.capitalize()}."),
    lambda told, k, t, ok, ot: made(content=f"{told} Therefore, the answer is ({k}) {t}."),
    lambda told, k, t, ok, ot: made(content=f"{told}\nThe answer is ({k}) {t}"),
]
MALFORMED: list[Way] = [
    lambda told, k, t, ok, ot: json_reply("", t),
    lambda told, k, t, ok, ot: json_reply(f"- **{told}**", t),
    lambda told, k, t, ok, ot: json_reply(f"According to the passage, {told}", t),
    lambda told, k, t, ok, ot: json_reply(f"{told} Hence option {k} is right.", t),
    lambda told, k, t, ok, ot: made(content=f"{told} So it must be {t}."),
    lambda told, k, t, ok, ot: made(content=f"{told} Answer: {k}"),
    lambda told, k, t, ok, ot: made(content=f"The answer is ({k}) {t}. {told}"),
]
WRONG: list[Way] = [
    lambda told, k, t, ok, ot: json_reply(told, ot),
    lambda told, k, t, ok, ot: json_reply(told, f"({ok}) {ot}"),
    lambda told, k, t, ok, ot: made(content=f"{told} The answer is ({ok}) {ot}."),
]
TWO: list[Way] = [
    lambda told, k, t, ok, ot: json_reply(told, f"{t} or {ot}"),
    lambda told, k, t, ok, ot: json_reply(told, f"({ok}) {t}"),
    lambda told, k, t, ok, ot: json_reply(f"{told} So the answer is {ot}.", t),
    lambda told, k, t, ok, ot: made(content=f"{told} The answer is ({k}) {t} and ({ok}) {ot}."),
    lambda told, k, t, ok, ot: made(content=f"{told} The answer is ({ok}) {t}."),
    lambda told, k, t, ok, ot: made(content=f"The answer is ({ok}) {ot}. {told} The answer is ({k}) {t}."),
]
CUT: list[Way] = [
    lambda told, k, t, ok, ot: json_reply(told[: 2 * len(told) // 3].rsplit(" ", 1)[0], t),
    lambda told, k, t, ok, ot: json_reply(f"{told[:-1]}, e.g.", t),
    lambda told, k, t, ok, ot: made(content=f"{told} The answer is ({k}) {t}", status="length"),
    lambda told, k, t, ok, ot: made(content=f"{told} Therefore, the answer is"),
]
REFUSAL: list[Way] = [
    lambda told, k, t, ok, ot: json_reply("I'm sorry, I cannot answer that.", ""),
    lambda told, k, t, ok, ot: json_reply(f"I am not able to decide this, but {told}", t),
    lambda told, k, t, ok, ot: made(content="I cannot give medical advice.", status="refusal"),
    lambda told, k, t, ok, ot: made(content=f"As an AI I cannot say. The answer is ({k}) {t}."),
]
AS_A: list[Way] = [
    lambda told, k, t, ok, ot: json_reply(told, "Answer"),
    lambda told, k, t, ok, ot: json_reply(told, f"Answer: {ot}"),
    lambda told, k, t, ok, ot: made(content=f"{told} Answer"),
    lambda told, k, t, ok, ot: made(content=f"{told} The answer is a matter of judgement."),
]
