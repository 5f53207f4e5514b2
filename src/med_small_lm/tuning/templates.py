"""Chat templates: what of a conversation is a reply, and other models' templates made to ask as they were taught."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from jinja2 import TemplateError
from numpy.typing import NDArray
from transformers.utils.chat_template_utils import render_jinja_template

LOG = logging.getLogger(__name__)

Chat = Sequence[Mapping[str, str]]

ASSISTANT = "assistant"
MARKERS = re.compile(r"\{%-?\s*generation\b")
PROMPT = "add_generation_prompt"
THINK = r"<think>\n"  # as it stands in a template, the end of the line spelt out
UNTHINKING = "{%- set enable_thinking = false %}"
FOLDED = (
    "{%- if messages[0]['role'] == 'system' and messages | length > 1 %}{% set messages = [{'role': 'user', "
    "'content': messages[0]['content'] + '\\n\\n' + messages[1]['content']}] + messages[2:] %}{% endif -%}"
)
TRIED = tuple(
    {"role": role, "content": text}
    for role, text in (
        ("system", "Explain."), ("user", "What causes scurvy?"), (ASSISTANT, "Lack of vitamin C. It is scarce at sea."),
        ("user", "And what gout?"), (ASSISTANT, "Uric acid."),
    )
)  # fmt: skip


class TokenizerError(ValueError):
    """Why a tokenizer cannot be used for training."""


@dataclass(frozen=True, slots=True)
class Written:
    """A conversation as the chat template writes it: its text, and from where to where it is the assistant's."""

    text: str
    replies: list[tuple[int, int]]


def write(tokenizer: Any, chats: Sequence[Chat]) -> list[Written]:
    """Returns the conversations as the chat template writes them.

    A reply is what stands between the template's generation markers, behind the prompt that asks for it: some families
    mark a piece of the prompt too, which evaluation gives and which is not to be learnt.

    ::

        <|user|>What causes scurvy?<|assistant|>Lack of vitamin C.<|end|>
        ---------------- prompt ----------------[------ reply ----------]
    """
    texts, marked = _rendered(tokenizer, chats, markers=True)
    turns = [
        (n, chat[:place]) for n, chat in enumerate(chats) for place, m in enumerate(chat) if m["role"] == ASSISTANT
    ]
    prompts, _ = _rendered(tokenizer, [before for _, before in turns if before], asks=True)
    ends: list[list[int]] = [[] for _ in chats]
    for (n, _), prompt in zip([turn for turn in turns if turn[1]], prompts, strict=True):
        ends[n].append(len(prompt))
    return [
        Written(text, [(_behind(first, last, own), last) for first, last in replies])
        for text, replies, own in zip(texts, marked, ends, strict=True)
    ]


def _behind(first: int, last: int, prompts: Sequence[int]) -> int:
    """Returns where a marked stretch goes on behind the prompt that ends in it."""
    return max((end for end in prompts if first < end < last), default=first)


def _rendered(
    tokenizer: Any, chats: Sequence[Chat], markers: bool = False, asks: bool = False
) -> tuple[list[str], list[list[tuple[int, int]]]]:
    """Returns texts, and the stretches between their generation markers where these are asked for."""
    if not chats:
        return [], []
    told: Any = render_jinja_template(
        [[dict(message) for message in chat] for chat in chats], chat_template=tokenizer.get_chat_template(),
        return_assistant_tokens_mask=markers, add_generation_prompt=asks, **tokenizer.special_tokens_map,
    )  # fmt: skip
    texts, marked = told
    return list(texts), [list(own) for own in marked] if markers else []


def reply_mask(written: Written, offsets: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Returns which tokens are the assistant's: those whose last character is.

    transformers' own mask looks up the first and the last character of a reply, and goes wrong where a tokenizer leaves
    white space out of its offsets, as GPT-2's does.
    """
    ends = np.asarray([end for _, end in offsets], dtype=np.int64)
    mask = np.zeros(len(ends), dtype=np.bool_)
    for first, last in written.replies:
        mask |= (first < ends) & (ends <= last)
    return mask


def ready_template(tokenizer: Any, name: str) -> str:
    """Returns a tokenizer's chat template so that training and evaluation write the same.

    TRL's training templates mark the replies. A block for thinking, which our replies do not have, is not opened; a
    system message stands before the first question where the family knows none.

    Raises:
        TokenizerError: the template has no markers, and TRL does not know its family.
    """
    from trl.chat_template_utils import get_training_chat_template

    template = str(tokenizer.get_chat_template())
    if not MARKERS.search(template):
        try:
            template = get_training_chat_template(tokenizer) or template
        except ValueError as error:
            raise TokenizerError(
                f"{name}: its chat template has no generation markers, so the assistant's turns cannot be told apart; "
                "add {% generation %} … {% endgeneration %} to it"
            ) from error
    body, prompt, tail = template.rpartition(PROMPT)
    if "enable_thinking" in template:
        template = UNTHINKING + template
    elif THINK in tail:
        template = body + prompt + tail.replace(THINK, "")
    try:
        render_jinja_template([list(TRIED[:2])], chat_template=template, **tokenizer.special_tokens_map)
    except TemplateError:
        LOG.info("%s: its chat template has no system message, which is put before the first question", name)
        template = FOLDED + template
    return template


def check_template(tokenizer: Any, name: str) -> None:
    """Returns nothing if what the template writes in training is what evaluation asks, and what the model replies.

    Raises:
        TokenizerError: it does not write a message, a prompt is not how the conversation begins, or a reply is not told
            from the rest or has no end.
    """
    try:
        (written,) = write(tokenizer, [TRIED])
        prompts, _ = _rendered(tokenizer, [TRIED[:n] for n, m in enumerate(TRIED) if m["role"] == ASSISTANT], asks=True)
    except (TemplateError, TypeError) as error:
        raise TokenizerError(f"{name}: its chat template fails on a plain conversation: {error}") from error
    told = tokenizer([written.text, *prompts], add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    whole, *asked = told["input_ids"]
    mask = reply_mask(written, told["offset_mapping"][0])
    replies = [m["content"] for m in TRIED if m["role"] == ASSISTANT]
    if not all(message["content"] in written.text for message in TRIED):
        raise TokenizerError(f"{name}: its chat template does not write what a message of plain text says")
    ends = {*tokenizer.get_added_vocab().values(), tokenizer.eos_token_id}
    for prompt, reply in zip(asked, replies, strict=True):
        run = list(takewhile(lambda place: mask[place], range(len(prompt), len(whole))))
        if whole[: len(prompt)] != prompt or mask[len(prompt) - 1] or not run:
            raise TokenizerError(f"{name}: its chat template asks in another way than it writes a reply: {reply!r}")
        told_ids = [whole[place] for place in run]
        closing = next((n for n in reversed(told_ids) if tokenizer.decode([n]).strip()), None)
        if reply not in tokenizer.decode(told_ids) or closing not in ends:
            raise TokenizerError(f"{name}: its chat template marks no end of a reply, or not all of it: {reply!r}")
