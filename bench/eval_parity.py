"""Scores by likelihood beside lm-evaluation-harness: `python bench/eval_parity.py`, some 15 minutes on two cores.

Every test item of MedQA, MedMCQA, PubMedQA and MMLU's medical subjects, letters and option texts, by the project and by
the harness (see ``_harness.py``) with one model, a Llama of 13 million parameters trained a little on the pocket books.
The prompts are first laid beside those of the harness' own tasks. Its tasks compare letters, and PubMedQA's words; the
option texts of the others follow "Question: … Answer:", as in its HEAD-QA, and PubMedQA's words are listed with letters
in its layout. `ITEMS=n` takes n items of each benchmark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from med_small_lm.quiet import be_quiet

be_quiet()

import torch  # noqa: E402  after what keeps libraries quiet
from _figures import say  # noqa: E402
from _harness import LAYOUT_OF, Harness, absent, questions_of, skipped, texts_of, trained_model  # noqa: E402

ITEMS = int(os.environ.get("ITEMS") or 0)
ROWS = 16
THREADS = 2
TIE = 1e-4
RUNS = [
    ("medqa", "letter"), ("medqa", "option_text"), ("medmcqa", "letter"), ("medmcqa", "option_text"),
    ("mmlu_medical", "letter"), ("mmlu_medical", "option_text"), ("pubmedqa", "letter"), ("pubmedqa", "option_text"),
]  # fmt: skip


def compare(harness: Harness, model: Any, tokenizer: Any, name: str, compared: str) -> bool:
    """One benchmark in one mode: prompts, accuracies, and the items that are answered otherwise."""
    from med_small_lm.benchmarks.likelihood import option_scores
    from med_small_lm.benchmarks.prompts import LAYOUTS, PlainPrompts

    layout = LAYOUT_OF[name] if compared == "letter" or name == "pubmedqa" else "medqa"
    questions, prompts = questions_of(name, ITEMS), PlainPrompts(LAYOUTS[layout], compared)  # type: ignore[arg-type]
    texts, good = texts_of(prompts, questions), True
    if (compared == "letter") != (name == "pubmedqa"):  # what its own task asks
        pairs = zip(texts, harness.prompts(layout, questions), strict=True)
        unequal = sum(own != theirs for (own, _), theirs in pairs)
        good = say(f"{name}, {compared}: prompts that differ, of {len(texts):,}", unequal, "0", unequal == 0)
    theirs, _ = harness.sums(texts)
    found = option_scores(model, tokenizer, questions, prompts, batch_tokens=16_384, batch_rows=ROWS)
    ours = [[entry.logprob for entry in entries] for entries in found]
    assert all(map(len, ours)), "an item does not fit the context"
    apart = max(abs(a - b) for own, other in zip(ours, theirs, strict=True) for a, b in zip(own, other, strict=True))
    print(f"{name}, {compared}: {len(ours):,} items, log-probabilities at most {apart:.2g} nats apart", file=sys.stderr)
    for measure, lengths in _measures(questions, compared).items():
        good &= _told(f"{name}, {compared}, {measure}", questions, _per(ours, lengths), _per(theirs, lengths), lengths)
    return good


def _measures(questions: Sequence[Any], compared: str) -> dict[str, list[list[int]]]:
    """What log-probabilities are divided by: nothing (``acc``), and the characters of option texts (``acc_norm``)."""
    plain = {"acc": [[1] * len(q.options) for q in questions]}
    characters = {"acc_norm": [[len(option.text) for option in q.options] for q in questions]}
    return plain | characters if compared == "option_text" else plain


def _per(sums: Sequence[Sequence[float]], lengths: Sequence[Sequence[int]]) -> list[list[float]]:
    return [[a / n for a, n in zip(row, by, strict=True)] for row, by in zip(sums, lengths, strict=True)]


def _told(
    name: str, questions: Sequence[Any], ours: list[list[float]], theirs: list[list[float]], lengths: list[list[int]]
) -> bool:
    """The two accuracies, and the items answered otherwise whose two best are no tie.

    How far two are apart is what one sum would have to gain, in nats, to be level with the other.
    """
    right = [[o.key for o in q.options].index(q.answer_keys[0]) for q in questions]
    picked = [[row.index(max(row)) for row in side] for side in (ours, theirs)]
    own, other = (sum(map(int.__eq__, side, right)) / len(right) for side in picked)
    differ = [n for n, (a, b) in enumerate(zip(*picked, strict=True)) if a != b]
    clear = []
    for n in differ:
        a, b = picked[0][n], picked[1][n]
        if abs(theirs[n][a] - theirs[n][b]) * min(lengths[n][a], lengths[n][b]) > TIE:
            clear.append(n)
    good = say(f"{name}: accuracy", own, "within 0.001", abs(own - other) <= 0.001, "share", other)
    told = f"{name}: items answered otherwise that are no tie within {TIE:g} nats ({len(differ)} otherwise)"
    return good & say(told, len(clear), "0", not clear, "items")


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    if why := absent():
        return skipped([f"{name}, {compared}: beside lm-evaluation-harness" for name, compared in RUNS], why)
    from med_small_lm.benchmarks.models import load

    torch.set_num_threads(THREADS)
    folder = trained_model()
    model, tokenizer = load(folder)
    with Harness(folder, ROWS, THREADS) as harness:
        print(f"lm-evaluation-harness {harness.version}", file=sys.stderr)
        return 0 if all([compare(harness, model, tokenizer, *run) for run in RUNS]) else 1


if __name__ == "__main__":
    sys.exit(main())
