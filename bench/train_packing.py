"""Packing and masks: how far rows are filled, and whether loss falls on the replies and on nothing else.

Peer of the packing: one example a row, padded (MedAlpaca, PMC-LLaMA). The templates are all that TRL has for
training, each with a small tokenizer of its family's kind; what a reply is, is told without their markers: all that
the template writes behind the prompt of evaluation when the turn is there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from os.path import commonprefix
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from _figures import say  # noqa: E402
from tests.tuning.families import NAMES, ready  # noqa: E402

from med_small_lm.schemas.rows import Conversation, Message  # noqa: E402
from med_small_lm.tuning.masking import Encoded, encode, pack  # noqa: E402

EXAMPLES = 20_000
TURNS = (
    ("system", "Explain."), ("user", "What causes scurvy?"), ("assistant", "Lack of vitamin C, 40% of it (A)."),
    ("user", "And gout?"), ("assistant", "Uric acid."),
)  # fmt: skip


def packing(block_size: int, sizes: NDArray[np.int64], named: str) -> bool:
    """How far rows are filled with examples of these lengths, and that none is cut."""
    flags = np.ones(int(sizes.max()), np.bool_)
    examples = [Encoded(np.ones(int(size), np.int32), flags[:size]) for size in sizes]
    began = time.perf_counter()
    rows = pack(examples, block_size, 0)
    spent = time.perf_counter() - began
    share, alone = float(rows.input_ids.mean()), float(sizes.mean() / block_size)
    whole = int(rows.input_ids.sum()) == int(sizes.sum())
    figure = f"packing: non-padding tokens, {EXAMPLES:,} examples, {named}, rows of {block_size}, {spent:.1f} s"
    return say(figure, round(share, 4), ">= 0.98", share >= 0.98 and whole, "share", round(alone, 4), share / alone)


def written(tokenizer: Any, turns: Sequence[Message], asks: bool) -> list[int]:
    """The tokens of a conversation, and of what asks for the next reply."""
    chat = [{"role": one.role, "content": one.content} for one in turns]
    told = tokenizer.apply_chat_template(chat, tokenize=True, add_generation_prompt=asks, return_dict=True)
    return list(told["input_ids"])


def masks(name: str) -> tuple[int, int, int]:
    """Tokens under loss, response tokens, and tokens that are both, with one family's template."""
    tokenizer: Any = ready(name)
    turns = [Message(*turn) for turn in TURNS]
    (example,) = encode(tokenizer, [Conversation("e", "s", "m", turns, [], "", [], "own")])
    ids, under = example.input_ids.tolist(), example.under_loss
    response, ends = np.zeros(len(ids), np.bool_), {*tokenizer.get_added_vocab().values(), tokenizer.eos_token_id}
    for place, turn in enumerate(turns):
        if turn.role == "assistant":
            prompt = written(tokenizer, turns[:place], asks=True)
            assert ids[: len(prompt)] == prompt, name
            last = len(commonprefix([ids, written(tokenizer, turns[: place + 1], asks=False)]))
            if next(n for n in reversed(ids[:last]) if tokenizer.decode([n]).strip()) not in ends:
                last += 1  # GPT-OSS ends its last turn in another way than those before
            while not under[last - 1] and not tokenizer.decode([ids[last - 1]]).strip():
                last -= 1  # the end of a line behind the end of the turn
            response[len(prompt) : last] = True
    return int(under.sum()), int(response.sum()), int((under & response).sum())


def main() -> int:
    """Measure; 1 if a figure falls short."""
    random = np.random.default_rng(0)
    even = random.integers(10, 1001, EXAMPLES)
    skewed = random.lognormal(5.3, 0.8, EXAMPLES).clip(10, 1000).astype(np.int64)
    met = [packing(block, sizes, named) for block in (1024, 2048)
           for sizes, named in ((even, "10 to 1,000 tokens alike"), (skewed, "mostly of 100 to 400"))]  # fmt: skip
    counts = np.array([masks(name) for name in NAMES])
    under, response, both = counts.T
    met.append(say(f"templates: tokens under loss that are response tokens, least of {len(NAMES)}",
                   float((both / under).min()), "1.0", bool((both == under).all()), "share"))  # fmt: skip
    met.append(say(f"templates: response tokens, end of turn too, under loss, least of {len(NAMES)}",
                   float((both / response).min()), "1.0", bool((both == response).all()), "share"))  # fmt: skip
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
