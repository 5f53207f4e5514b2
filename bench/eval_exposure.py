"""Figures of contamination by benchmark and training source: `python bench/eval_exposure.py`.

200 of MedQA's test questions are planted in 20,000 texts of textbooks' sentences, each in another text, their case and
punctuation changed. What finds them is the table of exposures, item by item. The peer is one shared word 13-gram, as
exams are usually guarded. The time is that of MedQA's and MedMCQA's questions against 100,000 texts.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Iterator, Sequence

from _exams import EXAMS, medmcqa, medqa, sentences
from _figures import say

from med_small_lm.benchmarks.exposure import best_of, distribution, expose, training_documents
from med_small_lm.overlap.normalise import words
from med_small_lm.schemas.rows import CorpusText, Question

BOOKS = ("anatomy_physiology", "pharmacology", "nutrition")
TEXTS, PLANTED, MANY = 20_000, 200, 100_000
LONG = 9  # sentences of a text: about 175 words
DIRTY = 0.2


def texts(n: int, seed: int = 0) -> list[CorpusText]:
    """Texts of sentences drawn from three textbooks."""
    draw = random.Random(seed)
    known = [sentence for book in BOOKS for sentence in sentences(book)]
    return [CorpusText(f"t-{i}", "book", "train", " ".join(draw.sample(known, LONG)), [], "") for i in range(n)]


def dressed(text: str, draw: random.Random) -> str:
    """A text in another case, with other punctuation and spaces."""
    changed = draw.choice([str.upper, str.lower, str.title, str.swapcase])(text)
    return re.sub(r"[,.;:?!]", lambda _: draw.choice(["", " ;", " -", "..."]), changed).replace(
        " ", draw.choice(["  ", "\n", " "])
    )


def planted(items: Sequence[Question], corpus: list[CorpusText], seed: int = 0) -> dict[str, str]:
    """The text of each planted item by its id; the texts themselves are changed."""
    draw, where = random.Random(seed), {}
    for item, place in zip(draw.sample(items, PLANTED), draw.sample(range(len(corpus)), PLANTED), strict=True):
        parts = corpus[place].text.split(". ")
        parts.insert(draw.randrange(len(parts) + 1), dressed(item.stem, draw))
        text = ". ".join(parts)
        corpus[place] = CorpusText(corpus[place].text_id, "book", "train", text, [], "")
        where[item.question_id] = corpus[place].text_id
    return where


def by_13_grams(items: Sequence[Question], corpus: Sequence[CorpusText]) -> set[str]:
    """The ids of the items that share a word 13-gram with a text."""

    def grams(text: str) -> Iterator[tuple[str, ...]]:
        own = words(text)
        return (tuple(own[n : n + 13]) for n in range(len(own) - 12))

    holders: dict[tuple[str, ...], set[str]] = {}
    for item in items:
        for gram in grams(item.stem):
            holders.setdefault(gram, set()).add(item.question_id)
    return set().union(*(holders.get(gram, set()) for text in corpus for gram in grams(text.text)))


def found() -> bool:
    """Whether each planted item is found, in its own text, and no other is."""
    items, corpus = list(medqa("medqa")), texts(TEXTS)
    clean = {
        one.question_id
        for one in best_of(expose(items, training_documents(corpus, ()))).values()
        if one.coverage >= DIRTY
    }
    where = planted(items, corpus)
    peer = by_13_grams(items, corpus)
    best = {one.question_id: one for one in best_of(expose(items, training_documents(corpus, ()))).values()}
    dirty = {name for name, one in best.items() if one.coverage >= DIRTY}
    right = sum(name in dirty and best[name].document_id == text for name, text in where.items())
    beside = sorted(dirty - set(where))
    for name in beside:
        print(f"beside: {best[name]}", file=sys.stderr)
    print(distribution(best.values()), file=sys.stderr)
    good = say(f"planted MedQA items found in their own text, of {PLANTED}, among {TEXTS:,} texts", right, str(PLANTED),
               right == PLANTED, "items", len(peer & set(where)))  # fmt: skip
    name = f"other items of {len(items):,} held for dirty: with the planted / before them"
    return good & say(name, f"{len(beside)} / {len(clean)}", "<= 5 / 0", len(beside) <= 5 and not clean, "items",
                      f"{len(peer - set(where))}")  # fmt: skip


def speed() -> bool:
    """The time of two benchmarks against many texts."""
    items, corpus = [*medqa("medqa"), *medmcqa()], texts(MANY)
    began = time.perf_counter()
    expose(items, [])
    ready = time.perf_counter() - began
    expose(items, training_documents(corpus, ()))
    seconds = time.perf_counter() - began - ready
    name = f"{len(items):,} items against {MANY:,} texts, one process ({ready:.0f} s of them to read the items)"
    return say(name, round(seconds / 60, 2), "<= 10 min", seconds <= 600, "min")


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    if not EXAMS.exists():
        say("contamination of MedQA planted in a corpus", "skipped", str(PLANTED), None)
        return 0
    return 0 if all([found(), speed()]) else 1


if __name__ == "__main__":
    sys.exit(main())
