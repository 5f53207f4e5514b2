"""The corpus of knowledge injection: the books' passages, and their rephrasings beside them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from med_small_lm.params.knowledge_injection import CorpusParams
from med_small_lm.schemas.rows import CorpusText, Passage, Rephrasing, Verdict

TRAIN, HELD_OUT = "train", "held_out"


def build_corpus(
    passages: Sequence[Passage], rephrasings: Iterable[Rephrasing], params: CorpusParams, seed: int
) -> list[CorpusText]:
    """Returns a text for each passage, then one for each rephrasing, in the order given.

    A share of the passages is held out for perplexity. Their rephrasings are held out too: they say the same.
    """
    held_out = _drawn(passages, params.held_out_share, seed)
    texts = [_book_text(passage, params, held_out) for passage in passages]
    for told in rephrasings:
        if kept(told.gates) and told.text.strip():
            split = HELD_OUT if held_out.intersection(told.passage_ids) else TRAIN
            texts.append(
                CorpusText(told.rephrasing_id, "rephrasing", split, told.text, list(told.passage_ids), told.licence)
            )
    return texts


def train_texts(corpus: Iterable[CorpusText]) -> list[str]:
    """Returns the texts that are trained on."""
    return [text.text for text in corpus if text.split == TRAIN]


def held_out_texts(corpus: Iterable[CorpusText]) -> list[str]:
    """Returns the texts that perplexity is measured on: held-out pages of the books themselves."""
    return [text.text for text in corpus if text.split == HELD_OUT and text.source == "book"]


def kept(gates: Iterable[Verdict]) -> bool:
    """Returns whether no gate stopped a record."""
    return all(gate.verdict != "fail" for gate in gates)


def _drawn(passages: Sequence[Passage], share: float, seed: int) -> set[str]:
    """Returns the ids of the passages held out: at least one where a share is asked for and two are there."""
    ids = sorted({passage.passage_id for passage in passages})
    wanted = max(round(share * len(ids)), 1) if share > 0 and len(ids) > 1 else 0
    return set(random.Random(seed).sample(ids, wanted))


def _book_text(passage: Passage, params: CorpusParams, held_out: set[str]) -> CorpusText:
    """Returns a passage as a text of the corpus, under its section's title if that is asked for."""
    text = f"{passage.section}\n{passage.text}" if params.section_titles and passage.section else passage.text
    split = HELD_OUT if passage.passage_id in held_out else TRAIN
    return CorpusText(passage.passage_id, "book", split, text, [passage.passage_id], passage.licence)
