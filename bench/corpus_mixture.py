"""The corpus mixture's figures: `python bench/corpus_mixture.py`.

The pocket textbooks stand for all three sources: twelve as books, three as papers (longer texts, too few for their
share), three as general text (single sentences, plenty). What is drawn is counted in the rows that a training would
read, by the words that stand in them, and a short training says the same in its manifest. The peer is
`datasets.interleave_datasets` with the same ratio as probabilities.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _figures import say

from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.params.knowledge_injection import BaseModelParams, CorpusParams, InjectionParams
from med_small_lm.schemas.rows import CorpusText, Passage
from med_small_lm.textbooks.books import read_file
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.corpus import build_corpus, train_texts, train_texts_by_source
from med_small_lm.tuning.injection import inject, mixed, n_steps, token_ids
from med_small_lm.tuning.mixture import MixedTexts, epoch_tokens, shares_of
from med_small_lm.tuning.packing import PackedTexts
from med_small_lm.tuning.weights import load

BOOKS = Path(__file__).resolve().parents[1] / "data/01_raw/textbooks"
EPOCHS = InjectionParams(tokens=None, epochs=3.0, evaluations=0, log_steps=500, save_steps=0)
RATIO = EPOCHS.mixture.model_dump()
SMALL = BaseModelParams(hidden_size=32, intermediate_size=64, layers=1, heads=2)  # it need not learn much here
STRETCH = 400  # rows
WINDOW = 6  # tokens by which the source of a row is known

Documents = Mapping[str, Sequence[Sequence[int]]]


def shelf() -> list[Passage]:
    """The pocket library's passages as those of three sources."""
    found: list[Passage] = []
    for n, file in enumerate(sorted(BOOKS.glob("*.pdf"))):
        source = "book" if n < 12 else "paper" if n < 15 else "general"
        own = read_file(SourceFile(file.stem, file, "CC0", source), IngestTextbooks()).passages
        texts = [passage.text for passage in own]
        if source == "paper":
            texts = ["\n".join(texts[start : start + 6]) for start in range(0, len(texts), 6)]
        if source == "general":
            texts = [f"{sentence.strip()}." for text in texts for sentence in text.split(".") if sentence.strip()]
        found += [made(file.stem, place, text, source) for place, text in enumerate(texts)]
    return found


def made(book: str, place: int, text: str, source: str) -> Passage:
    """A passage of one source."""
    sha = hashlib.sha256(text.encode()).hexdigest()
    return Passage(f"{book}-{place}", book, place, "", 1, 1, text, len(text.split()), sha, "CC0", source)


def sources_of(rows: MixedTexts, documents: Documents) -> list[str]:
    """The source of each row, by the windows of tokens that only one source has."""
    owner: dict[tuple[int, ...], str] = {}
    for name, texts in documents.items():
        for text in texts:
            for start in range(len(text) - WINDOW + 1):
                window = tuple(text[start : start + WINDOW])
                owner[window] = name if owner.get(window, name) == name else ""
    found = []
    for n in range(len(rows)):
        tokens = rows[n]["input_ids"].tolist()
        votes = Counter(owner.get(tuple(tokens[i : i + WINDOW]), "") for i in range(len(tokens) - WINDOW + 1))
        del votes[""]
        found.append(votes.most_common(1)[0][0] if len(votes) == 1 else f"unclear: {dict(votes)}")
    return found


def distance(counts: Mapping[str, float], shares: Mapping[str, float]) -> float:
    """The largest distance of a realised share from the wanted one."""
    total = sum(counts.values())
    return max(abs(counts.get(name, 0) / total - share) for name, share in shares.items())


def interleaved(documents: Documents, tokens: int) -> float:
    """The same distance where `datasets.interleave_datasets` draws the texts of about as many tokens."""
    from datasets import Dataset, disable_progress_bars, interleave_datasets

    disable_progress_bars()
    parts = [Dataset.from_dict({"source": [n] * len(t), "n": [len(x) + 1 for x in t]}) for n, t in documents.items()]
    shares = shares_of(RATIO, set(documents))
    drawn = interleave_datasets(parts, list(shares.values()), seed=0, stopping_strategy="all_exhausted")
    counts: Counter[str] = Counter()
    for row in drawn:
        counts[row["source"]] += row["n"]
        if counts.total() >= tokens:
            break
    return distance(counts, shares)


def mixture(start: Checkpoint, corpus: list[CorpusText], folder: Path) -> bool:
    """The shares of 15:4:1, in all and in every stretch, and the books' texts in an epoch."""
    _, tokenizer = load(start)
    documents = {name: token_ids(tokenizer, texts) for name, texts in train_texts_by_source(corpus).items()}
    sizes = {name: sum(len(text) + 1 for text in texts) for name, texts in documents.items()}
    steps = n_steps(EPOCHS, epoch_tokens(sizes, RATIO))
    rows = mixed(tokenizer, documents, EPOCHS, steps, 0)
    named, shares = sources_of(rows, documents), shares_of(RATIO, set(RATIO))
    print({"tokens": sizes, "rows": Counter(named), "drawn": rows.drawn}, file=sys.stderr)
    whole = distance(Counter(named), shares)
    peer = interleaved(documents, len(rows) * EPOCHS.block_size)
    good = say("mixture 15:4:1: furthest a share of all tokens is off", whole, "<= 0.01", whole <= 0.01, "share", peer)
    parts = [Counter(named[n : n + STRETCH]) for n in range(0, len(named) - STRETCH + 1, 50)]
    worst = max(distance(part, shares) for part in parts)
    name = f"mixture 15:4:1: the same in the worst stretch of {STRETCH} rows"
    good &= say(name, worst, "<= 0.01", worst <= 0.01, "share")
    checkpoint, _ = inject(start, corpus, EPOCHS, 0, folder / "injected")
    told = {name: one["tokens"] for name, one in checkpoint.manifest.drawn.items()}
    same = told == {name: n * EPOCHS.block_size for name, n in Counter(named).items()}
    good &= say("mixture 15:4:1: the manifest tells the counts that stand in the rows", same, "True", same)
    books = np.concatenate([rows[n]["input_ids"].numpy() for n in range(len(rows)) if named[n] == "book"])
    return good & once(books, documents["book"], int(tokenizer.eos_token_id))


def once(stream: Any, texts: Sequence[Sequence[int]], eos: int) -> bool:
    """Whether each pass over the books' stream holds each of their texts once."""
    size, wanted = sum(len(text) + 1 for text in texts), Counter(map(tuple, texts))
    wrong = 0
    for number in range(int(EPOCHS.epochs or 0)):
        part = stream[number * size : (number + 1) * size]
        ends = np.flatnonzero(part == eos)
        found = Counter(tuple(piece[piece != eos].tolist()) for piece in np.split(part, ends + 1) if len(piece))
        wrong += (found - wanted).total() + (wanted - found).total()
    name = f"texts of the books, of {len(texts)}, not exactly once in one of {EPOCHS.epochs:g} epochs"
    return say(name, wrong, "0", wrong == 0, "texts")


def books_alone(start: Checkpoint, corpus: list[CorpusText]) -> bool:
    """Whether books alone give the rows that they gave before there was a mixture."""
    _, tokenizer = load(start)
    texts = token_ids(tokenizer, train_texts([text for text in corpus if text.source == "book"]))
    params = InjectionParams()
    rows = mixed(tokenizer, {"book": texts}, params, n_steps(params, 0), 0)
    plain = PackedTexts(texts, int(tokenizer.eos_token_id), params.block_size, len(rows), 0, separate=False)
    other = sum(bool((rows[n]["input_ids"] != plain[n]["input_ids"]).any()) for n in range(len(rows)))
    return say(f"books alone: rows, of {len(rows)}, that are not as without a mixture", other, "0", other == 0, "rows")


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        corpus = build_corpus(shelf(), [], CorpusParams(), 0)
        start = make_base(train_texts(corpus), SMALL, 0, Path(folder) / "base")
        good = mixture(start, corpus, Path(folder))
        return 0 if books_alone(start, corpus) & good else 1


if __name__ == "__main__":
    sys.exit(main())
