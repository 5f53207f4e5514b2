"""Speed of scoring beside lm-evaluation-harness: `python bench/eval_speed.py`, some five minutes on two cores.

Items a second on MedQA (`ITEMS` drawn, 192), with the model and the prompts of `eval_parity.py`, from questions to
log-probabilities: imports and loading are left out, tokenising is in. A batch has at most 16 rows on both sides. A row
of the harness is a prompt with one option's text, or with all letters; one of the project is a question with all its
options, and on a CPU it takes fewer rows where they are long. In float32 on two threads of one machine, turn by turn in
alternating order, the median of `TURNS` (3) each.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from med_small_lm.quiet import be_quiet

be_quiet()

import torch  # noqa: E402  after what keeps libraries quiet
from _figures import say  # noqa: E402
from _harness import Harness, absent, questions_of, skipped, texts_of, trained_model  # noqa: E402

ITEMS = int(os.environ.get("ITEMS") or 192)
TURNS = int(os.environ.get("TURNS") or 3)
ROWS = 16
THREADS = 2
GOALS = {"option_text": 3.0, "letter": 1.2}


def ours(model: Any, tokenizer: Any, questions: Sequence[Any], prompts: Any) -> float:
    """Items a second of the project."""
    from med_small_lm.benchmarks.likelihood import option_scores

    begun = time.perf_counter()
    found = option_scores(model, tokenizer, questions, prompts, batch_tokens=1 << 20, batch_rows=ROWS)
    assert all(found)
    return len(questions) / (time.perf_counter() - begun)


def beside(harness: Harness, model: Any, tokenizer: Any, compared: str) -> bool:
    """The medians of both sides."""
    from med_small_lm.benchmarks.prompts import LAYOUTS, PlainPrompts

    questions, prompts = questions_of("medqa", ITEMS), PlainPrompts(LAYOUTS["medqa"], compared)  # type: ignore[arg-type]
    texts = texts_of(prompts, questions)
    own, theirs = list[float](), list[float]()
    sides = [
        lambda: own.append(ours(model, tokenizer, questions, prompts)),
        lambda: theirs.append(len(texts) / harness.sums(texts)[1]),
    ]
    ours(model, tokenizer, questions[:ROWS], prompts)
    harness.sums(texts[:ROWS])
    for turn in range(TURNS):
        for side in sides if turn % 2 else reversed(sides):
            side()
    print({"ours": own, "harness": theirs}, file=sys.stderr)
    value, peer = median(own), median(theirs)
    goal, ratio = GOALS[compared], value / peer
    name = f"MedQA by {compared.replace('_', ' ')}, {len(questions):,} items, {ROWS} rows a batch, {THREADS} threads"
    return say(name, value, f">= {goal:g} of lm-evaluation-harness", ratio >= goal, "items/s", peer, ratio)


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    if why := absent():
        return skipped([f"MedQA by {name.replace('_', ' ')}: items a second" for name in GOALS], why)
    from med_small_lm.benchmarks.models import load

    folder = trained_model()
    torch.set_num_threads(THREADS)
    model, tokenizer = load(folder)
    with Harness(folder, ROWS, THREADS) as harness:
        return 0 if all([beside(harness, model, tokenizer, compared) for compared in GOALS]) else 1


if __name__ == "__main__":
    sys.exit(main())
