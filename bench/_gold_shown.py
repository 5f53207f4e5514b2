"""Planted rationales of which the right answer was shown: right ones, and what a teacher may make of it instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from med_small_lm.params.synthesize_cot import ShownStyle, Style, Styles, SynthesizeCot
from med_small_lm.schemas.rows import Message, Passage, Question, Rationale
from med_small_lm.synthesis.asked import Asked
from med_small_lm.synthesis.gates.sifting import sift_rationales
from med_small_lm.synthesis.rationales import METHODS, rationale_requests, rationales_from
from med_small_lm.teacher import builtin
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ShownStyle(share=1, exemplars=0)
COT = SynthesizeCot(styles=Styles(hidden=SHOWN, general=SHOWN, optionwise=Style(share=1)))
PLAIN = Prompt("plain", "1", (Message("user", "{passage} {stem} {lettered} {right}"),))
Told = list[dict[str, str]]
"""What is said of each option: option, verdict, why."""


def text_reply(content: str, status: str = "ok") -> Reply:
    """A reply in plain text."""
    return Reply("call", status, content, None, False, "planted")


def json_reply(parsed: dict[str, Any]) -> Reply:
    """A reply of the prompt's own form."""
    return Reply("call", "ok", json.dumps(parsed), parsed, False, "planted")


def whole(text: str, answer: str) -> Reply:
    """An analysis of the whole and its answer."""
    return json_reply({"rationale": text, "answer": answer})


def in_words(told: Told) -> str:
    """What is said of the options, in plain text."""
    return "\n".join(f"Option {one['option']} is {one['verdict']}: {one['why']}" for one in told)


def listed(told: Told) -> Reply:
    """What is said of the options, in the prompt's own form."""
    return json_reply({"options": told})


def called(told: Told, **verdicts: str) -> Told:
    """The same with other verdicts on some options, by their keys."""
    return [one | {"verdict": verdicts.get(one["option"], one["verdict"])} for one in told]


def reasoned(told: Told, place: int, why: Callable[[str], str]) -> Told:
    """The same with another reason for one option."""
    return [one | {"why": why(one["why"])} if n == place else one for n, one in enumerate(told)]


def without(text: str, phrase: str) -> str:
    """A text that says "it" where it said the phrase."""
    return re.sub(re.escape(phrase), "it", text, flags=re.IGNORECASE)


General = Callable[[str, str, str, str, str], Reply]
"""A reply to a text, the right option's key and text, a wrong one's key and text."""
GENERAL: dict[str, list[General]] = {
    "right": [
        lambda told, k, t, ok, ot: whole(told, t),
        lambda told, k, t, ok, ot: whole(told, f"{k}. {t}"),
        lambda told, k, t, ok, ot: whole(f"{told} {ot.capitalize()} is something else.", t),
        lambda told, k, t, ok, ot: text_reply(f"{told} Therefore, the answer is ({k}) {t}."),
    ],
    "names another": [
        lambda told, k, t, ok, ot: whole(told, ot),
        lambda told, k, t, ok, ot: whole(f"{told} So the answer is {ot}.", t),
        lambda told, k, t, ok, ot: whole(told, f"{t} or {ot}"),
        lambda told, k, t, ok, ot: text_reply(f"{told} The answer is ({ok}) {ot}."),
        lambda told, k, t, ok, ot: text_reply(f"The correct answer is {ot}. {told} The answer is ({ok}) {t}."),
    ],
    "does not state it": [
        lambda told, k, t, ok, ot: whole(without(told, t), t),
        lambda told, k, t, ok, ot: whole("Each of these can be met with, and one has to know which it is.", t),
        lambda told, k, t, ok, ot: whole(told, ""),
    ],
    "malformed": [
        lambda told, k, t, ok, ot: whole(f"{told} Hence option {k} is right.", t),
        lambda told, k, t, ok, ot: whole(f"As the passage says: {told}", t),
        lambda told, k, t, ok, ot: whole(f"## Analysis\n{told} **{t}**.", t),
        lambda told, k, t, ok, ot: text_reply(f"{told} It is {t}."),
    ],
    "truncated": [
        lambda told, k, t, ok, ot: whole(f"{told} This is so because the", t),
        lambda told, k, t, ok, ot: text_reply(f"{told} The answer is ({k}) {t}", "length"),
    ],
    "refusal": [
        lambda told, k, t, ok, ot: whole(f"I'm sorry, I am not able to say more than this: {told}", t),
        lambda told, k, t, ok, ot: text_reply("I cannot give medical advice.", "refusal"),
    ],
    "invented": [
        lambda told, k, t, ok, ot: whole(
            f"Sailors on long voyages knew {t} well before any physician wrote about such matters in their journals.", t
        )
    ],
}

Optionwise = Callable[[Told, str, str], Reply]
"""A reply to what is said of the options, the right option's key and a wrong one's."""
OPTIONWISE: dict[str, list[Optionwise]] = {
    "right": [
        lambda told, k, ok: listed(told),
        lambda told, k, ok: listed([one | {"option": f"({one['option']})"} for one in told]),
        lambda told, k, ok: listed(reasoned(told, 3, lambda why: f"{why} Only option {k} fits here.")),
        lambda told, k, ok: text_reply(in_words(told)),
        lambda told, k, ok: text_reply(in_words(told).replace(":", ".")),
    ],
    "wrong one TRUE": [
        lambda told, k, ok: listed(called(told, **{k: "FALSE", ok: "TRUE"})),
        lambda told, k, ok: text_reply(in_words(called(told, **{k: "FALSE", ok: "TRUE"}))),
    ],
    "two TRUE": [
        lambda told, k, ok: listed(called(told, **{ok: "TRUE"})),
        lambda told, k, ok: text_reply(f"{in_words(told)} So the answer is {ok} and {k}."),
    ],
    "none TRUE": [lambda told, k, ok: listed(called(told, **{k: "FALSE"}))],
    "an option missing": [
        lambda told, k, ok: listed(told[:3]),
        lambda told, k, ok: listed([one for one in told if one["option"] != ok]),
        lambda told, k, ok: text_reply(in_words(told[1:])),
    ],
    "an option twice": [
        lambda told, k, ok: listed([*told, told[0]]),
        lambda told, k, ok: listed(reasoned(told, 1, lambda why: f"{why} Option {ok} is FALSE.")),
    ],
    "out of order": [
        lambda told, k, ok: listed(told[::-1]),
        lambda told, k, ok: text_reply(in_words([told[1], told[0], *told[2:]])),
    ],
    "another key": [lambda told, k, ok: listed([*told[:3], told[3] | {"option": "E"}])],
    "malformed": [
        lambda told, k, ok: listed(reasoned(told, 2, lambda _: "")),
        lambda told, k, ok: listed(reasoned(told, 0, lambda why: f"The passage says: {why}")),
        lambda told, k, ok: text_reply(f"Let us see.\n{in_words(told)}"),
    ],
    "truncated": [
        lambda told, k, ok: listed(reasoned(told, 3, lambda why: why.rsplit(" ", 2)[0])),
        lambda told, k, ok: text_reply(in_words(told), "length"),
    ],
    "refusal": [lambda told, k, ok: listed(reasoned(told, 2, lambda _: "I cannot say anything about this one."))],
}
N_RIGHT, N_EACH = 15, 5


def plants(questions: Sequence[Question], passages: Sequence[Passage]) -> list[tuple[str, str, Asked, Reply]]:
    """Replies to a question each: the style, what was planted, what was asked, and what came."""
    of, rest = {passage.passage_id: passage for passage in passages}, iter(questions)
    found: list[tuple[str, str, Asked, Reply]] = []
    for style, kinds in (("general", GENERAL), ("optionwise", OPTIONWISE)):
        name = f"{style}_rationale"
        prompt = Prompt.parse(yaml.safe_load((ROOT / f"conf/base/prompts/{name}.yml").read_text(encoding="utf-8")))
        for kind, ways in kinds.items():
            for place in range(N_RIGHT if kind == "right" else N_EACH):
                question = next(rest)
                (asked,) = rationale_requests([question], [of[question.passage_ids[0]]], prompt, COT, style=style)
                said = builtin.answer(name, asked.request.slots)
                wrong = next(one for one in question.options if one.key not in question.answer_keys)
                key, way = question.answer_keys[0], ways[place % len(ways)]
                told = said["rationale"] if style == "general" else said["options"]
                own = (question.answer_text, wrong.key, wrong.text) if style == "general" else (wrong.key,)
                reply = way(told, key, *own)
                if reply.parsed is None:
                    (asked,) = rationale_requests([question], [asked.passage], PLAIN, COT, style=style)
                found.append((style, kind, asked, reply))
    return found


def kept_of(planted: Sequence[tuple[str, str, Asked, Reply]], passages: Sequence[Passage]) -> list[Rationale]:
    """The rationales that pass all gates."""
    questions = [asked.question for *_, asked, _ in planted if asked.question]
    kept: list[Rationale] = []
    for style in ("general", "optionwise"):
        own = [(asked, reply) for one, _, asked, reply in planted if one == style]
        drafts, _ = rationales_from([asked for asked, _ in own], [reply for _, reply in own], METHODS[style])
        kept += sift_rationales(drafts, questions, passages, [], COT.gates)[0]
    return kept
