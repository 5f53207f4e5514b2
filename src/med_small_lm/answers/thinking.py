"""A reply without its thinking: what a reasoning model writes before its answer is none of the answer.

Each family marks it in its own way: tags (``<think>``, ``[THINK]``, ``◁think▷``), tokens
(``<|begin_of_thought|>``), channels (``<|channel|>analysis<|message|>…``) or headings (``## Thinking``).
"""

from __future__ import annotations

import re

_WORDS = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|seed:think"
_TAGS = [
    (rf"<(?:{_WORDS})>", rf"</(?:{_WORDS})>"),
    (r"(?:^|(?<=[\]>▷|]))\s*\[think(?:ing)?\]", r"\[/think(?:ing)?\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<\|begin_of_(?:thought|thinking)\|>", r"<\|end_of_(?:thought|thinking)\|>"),
    (r"<\|(?:think|thinking|START_THINKING)\|>", r"<\|(?:/think|/thinking|end_think|END_THINKING)\|>"),
    (r"<\|channel>\s*thought", r"<channel\|>"),
    (r"<unused94>\s*(?:thought)?", r"<unused95>"),
]
"""How thinking begins and how it ends, by family; square brackets stand in prose as well, so theirs begins a line."""
_FINAL = re.compile(r"<\|channel\|>\s*final\s*(?:<\|constrain\|>\w+\s*)?<\|message\|>", re.IGNORECASE)
_CHANNEL = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)\b", re.IGNORECASE)
# The same channels where a decoder has left out the special tokens.
_BARE_FINAL = re.compile(r"\Aanalysis(?=\W|[A-Z]).*assistant\s*final(?=\W|[A-Z])", re.DOTALL)
_HEADED = re.compile(r"\A\s*(#{1,4})\s*thinking\s*:?\s*\n", re.IGNORECASE)
_ANSWERING = re.compile(r"^\s*#{1,4}\s*(?:final (?:response|answer)|response|answer)\s*:?[ \t]*$", re.I | re.M)
_LABEL = re.compile(r"^[\s*]*(?:final |my |best |correct )?(?:answer|response|réponse)[\s*]*:", re.I | re.M)
_SPECIAL = re.compile(r"<\|(?:begin|end)_of_solution\|>|\A(?:\s|<s>|<bos>|<\|(?:im_start|start)\|>(?:assistant)?)+")
_END = re.compile(
    r"<\|(?:im_end|eot_id|end|endoftext|end_of_text|return|eom_id)\|>|</s>|<eos>|<end_of_turn>|<\|end▁of▁sentence\|>"
)


def without_thinking(text: str) -> tuple[str, bool]:
    """Returns what a reply says beside its thinking, and whether the thinking comes to an end.

    Thinking that ends without a beginning (the prompt held it) reaches from the reply's start. What stands behind the
    token that ends a turn belongs to another one.
    """
    text, ended = _without_channels(text)
    for begin, end in _TAGS:
        text = re.sub(rf"(?ims){begin}.*?{end}", " ", text)
        text = re.sub(rf"(?is)\A.*{end}", " ", text)
        opened = re.search(begin, text, re.IGNORECASE | re.MULTILINE)
        if opened:
            text, ended = text[: opened.start()], False
    if headed := _HEADED.match(text):
        place = _end_of_headed(text, headed)
        text, ended = ("", False) if place is None else (text[place:], ended)
    text = _SPECIAL.sub("", text).strip()
    return _END.split(text, maxsplit=1)[0].strip() or _END.sub("", text).strip(), ended


def _end_of_headed(text: str, headed: re.Match[str]) -> int | None:
    """Where a section "Thinking" ends: at the answer's heading, the next of its level, or the line "Answer: …"."""
    if answering := list(_ANSWERING.finditer(text)):
        return answering[-1].end()
    following = re.compile(rf"^#{{1,{len(headed[1])}}}(?!#)", re.MULTILINE).search(text, headed.end())
    following = following or _LABEL.search(text, headed.end())
    return following.start() if following else None


def _without_channels(text: str) -> tuple[str, bool]:
    """The final channel's words, where a reply has channels, and whether it came to it."""
    final = list(_FINAL.finditer(text))
    if final:
        return text[final[-1].end() :], True
    if _CHANNEL.search(text):
        return "", False
    bare = _BARE_FINAL.match(text)
    return (text[bare.end() :] if bare else text), True
