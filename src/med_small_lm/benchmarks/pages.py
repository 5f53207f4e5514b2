"""The pages of the books that say most of what a text says."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from med_small_lm.schemas.rows import Passage


def nearest_pages(texts: Sequence[str], passages: Sequence[Passage], k: int) -> list[list[Passage]]:
    """Returns, for each text, its ``k`` nearest passages by BM25, the nearest first; none that shares no word with it.

    A text's word counts once, however often it is repeated. No word is left out as too common: BM25 weighs them, and
    lists of such words are of one language.
    """
    import bm25s  # here because it takes time, which who only lists commands should not wait for

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG
    split = bm25s.tokenize(
        [*(one.text for one in passages), *texts], stopwords=[], return_ids=False, show_progress=False
    )
    pages, asked = split[: len(passages)], split[len(passages) :]
    if not any(pages):
        return [[] for _ in texts]
    index = bm25s.BM25()
    index.index(pages, show_progress=False)
    found: list[list[Passage]] = []
    for words in asked:
        scores = index.get_scores(list(dict.fromkeys(words))) if words else np.zeros(len(passages))
        order = np.argsort(-scores, kind="stable")[:k]
        found.append([passages[int(place)] for place in order if scores[place] > 0])
    return found
