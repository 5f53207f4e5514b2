"""What the tests' own endpoint answers and does wrong, each drawn from a seed, so that a run can be repeated."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How one request is answered."""

    OK = "ok"
    BUSY_UNTIL = "429 with Retry-After"
    BUSY = "429"
    BAD = "400"
    BROKEN = "500"
    OVERLOADED = "503"
    DROP = "connection dropped before any byte"
    DROP_AFTER = "connection dropped after the full reply"  # all of its bytes left; only the mark of the end did not
    DRIP = "slow drip"
    MALFORMED = "malformed body"
    TRUNCATED = "truncated body"
    WRONG_SCHEMA = "wrong schema"
    NO_JSON = "no JSON"
    REFUSAL = "refusal"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"


STATUS = {Kind.BUSY_UNTIL: 429, Kind.BUSY: 429, Kind.BAD: 400, Kind.BROKEN: 500, Kind.OVERLOADED: 503}
"""Kinds that are an error reply, with their HTTP status."""
CONTENT = (Kind.WRONG_SCHEMA, Kind.NO_JSON, Kind.REFUSAL, Kind.LENGTH, Kind.CONTENT_FILTER)
"""Kinds that are whole, paid replies of no use."""
CARRIAGE = (
    *(kind for kind in STATUS if kind is not Kind.BAD),
    *(Kind.DROP, Kind.DROP_AFTER, Kind.DRIP, Kind.MALFORMED, Kind.TRUNCATED),
)
"""Kinds that pass and hit any request, a completion or not."""
ALL = (*CARRIAGE, *CONTENT)
IN_BATCH = (Kind.BUSY, Kind.BAD, Kind.BROKEN, *CONTENT)
"""Kinds that a line of a batch can meet."""


@dataclass(frozen=True)
class Config:
    """How the endpoint behaves; the defaults answer everything at once and well."""

    seed: int = 0
    reply: str = "echo"  # a key of REPLIES
    medians: Mapping[str, float] = field(default_factory=dict)  # words of a "text" reply by the schema's name
    median: float = 40.0  # … and of other schemas
    sigma: float = 0.8  # of its lognormal
    latency: float = 0.0  # seconds, in the median
    latency_sigma: float = 0.0  # of its lognormal; 0: always the same
    share: float = 0.0  # of the requests for a completion that meet a fault
    kinds: tuple[str, ...] = ALL
    retry_after: float = 1.0  # seconds
    drip: float = 10.0  # seconds that a slow drip takes
    refused_formats: tuple[str, ...] = ()  # types of response_format that are a 400 here
    service_share: float = 0.0  # of the requests about files and batches that meet a fault of CARRIAGE
    polls: int = 2  # most looks at a batch before it is done; 0: done at the first
    expired: tuple[int, ...] = ()  # batches, counted from 0 as they come, that expire
    expired_done: float = 0.5  # share of their lines that are answered all the same
    failed: tuple[int, ...] = ()  # batches of which no line is done

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Config:
        """The configuration in a JSON object."""
        lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        unknown = set(given) - {one.name for one in fields(cls)}
        if unknown:
            raise ValueError(f"no such key: {', '.join(sorted(unknown))}; kinds are {', '.join(ALL)}")
        return cls(**{**given, **lists})

    def kind(self, key: str, asked: int, possible: tuple[str, ...] = ALL) -> Kind:
        """What happens to a prompt when it was asked ``asked`` times before."""
        return self._drawn(self.share, f"{key}/{asked}", tuple(kind for kind in self.kinds if kind in possible))

    def service_kind(self, what: str, asked: int) -> Kind:
        """What happens to a request about files and batches."""
        return self._drawn(self.service_share, f"{what}/{asked}", CARRIAGE)

    def _drawn(self, share: float, what: str, kinds: tuple[str, ...]) -> Kind:
        if not share or not kinds:
            return Kind.OK
        draw = random.Random(f"{self.seed}/{what}")
        return Kind(draw.choice(kinds)) if draw.random() < share else Kind.OK

    def seconds(self, key: str, asked: int) -> float:
        """How long the reply to a prompt takes."""
        if not self.latency_sigma:
            return self.latency
        return self.latency * math.exp(random.Random(f"{self.seed}/{key}/{asked}/time").gauss(0, self.latency_sigma))


def first_question(body: Mapping[str, Any]) -> str:
    """The first message of the user: the same in a prompt and in every repair of its reply."""
    return next((str(m["content"]) for m in body["messages"] if m["role"] == "user"), "")


def key_of(body: Mapping[str, Any]) -> str:
    """The name of a prompt, however often and however it is repaired."""
    return hashlib.sha256(first_question(body).encode()).hexdigest()[:16]


def words(text: str) -> int:
    """The tokens of a text, by this endpoint's rule."""
    return len(text.split())


def number_in(text: str) -> int:
    """The number that a prompt asks for: what stands behind the word "number", or else 0."""
    found = re.search(r"\bnumber (\d+)", text)
    return int(found.group(1)) if found else 0


def echo(config: Config, body: Mapping[str, Any]) -> str:
    """``{"n": the prompt's number}``."""
    return json.dumps({"n": number_in(first_question(body))})


def text(config: Config, body: Mapping[str, Any]) -> str:
    """``{"text": …}`` with as many words as a lognormal says, unlike for each schema."""
    name = ((body.get("response_format") or {}).get("json_schema") or {}).get("name", "")
    draw = random.Random(f"{config.seed}/{key_of(body)}/words")
    count = max(1, round(config.medians.get(name, config.median) * math.exp(draw.gauss(0, config.sigma))))
    return json.dumps({"text": " ".join(["word"] * count)})


def questions(config: Config, body: Mapping[str, Any]) -> str:
    """One question of some 300 characters in the form of conf/base/prompts/question.yml."""
    number = number_in(first_question(body))
    question = {
        "stem": f"Which finding of patient {number} is the earliest sign of failure of the left side of the heart?",
        "options": [f"breathlessness {number}", "oedema of the ankles", "ascites", "an enlarged liver"],
        "answer": 0,
        "quote": f"Breathlessness {number} is the earliest sign of failure of the left ventricle.",
    }
    return json.dumps({"questions": [question]})


REPLIES = {"echo": echo, "text": text, "questions": questions}


def completion(config: Config, body: Mapping[str, Any], kind: Kind, name: str) -> dict[str, Any]:
    """A chat completion, with the faults of ``kind`` that lie in its content."""
    right = REPLIES[config.reply](config, body)
    content: str | None = right
    finish, refusal = "stop", None
    if kind is Kind.WRONG_SCHEMA:
        content = '{"unexpected": ["a key that no schema has"]}'
    elif kind is Kind.NO_JSON:
        content = "I would rather say that in words."
    elif kind is Kind.REFUSAL:
        content, refusal = None, "I cannot help with that."
    elif kind is Kind.LENGTH:
        content, finish = right[: len(right) // 2], "length"
    elif kind is Kind.CONTENT_FILTER:
        content, finish = "", "content_filter"
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit and words(content or "") > limit:
        content, finish = " ".join((content or "").split()[:limit]), "length"
    tokens_in = sum(words(str(message["content"])) for message in body["messages"])
    tokens_out = words(content or refusal or "")
    return {
        "id": name,
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
            }
        ],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def error(status: int) -> dict[str, Any]:
    """The body of an error reply."""
    return {"error": {"message": "on demand", "type": "on_demand", "param": None, "code": None, "status": status}}
