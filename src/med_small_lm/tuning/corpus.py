"""The corpus of knowledge injection: passages of books, papers and general text, and rephrasings beside them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from med_small_lm.params.knowledge_injection import CorpusParams
from med_small_lm.schemas.rows import CorpusText, Passage, Rephrasing, Verdict

TRAIN, HELD_OUT = "train", "held_out"
BOOK, GENERAL = "book", "general"
SOURCES = (BOOK, "paper", GENERAL)
BESIDE = 10  # texts held out of papers and of general text where that is a tenth at most: fewer tell no spread


def build_corpus(
    passages: Sequence[Passage], rephrasings: Iterable[Rephrasing], params: CorpusParams, seed: int
) -> list[CorpusText]:
    """Returns a text for each passage, then one for each rephrasing, in the order given.

    A share of the passages of each source is held out for perplexity, and of each of its books, ``held_out_max`` of a
    source at most. Rephrasings of them are held out too: they say the same.
    """
    held_out = set[str]()
    for source in SOURCES:
        own, least = [passage for passage in passages if passage.source == source], 1 if source == BOOK else BESIDE
        held_out |= _drawn(own, params.held_out_share, seed, least, params.held_out_max)
    texts = [_passage_text(passage, params, held_out) for passage in passages]
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


def train_texts_by_source(corpus: Iterable[CorpusText]) -> dict[str, list[str]]:
    """Returns the texts that are trained on by source; a rephrasing counts as the book that it retells."""
    told: dict[str, list[str]] = {source: [] for source in SOURCES}
    for text in corpus:
        if text.split == TRAIN:
            told[text.source if text.source in SOURCES else BOOK].append(text.text)
    return told


def held_out_texts(corpus: Iterable[CorpusText], source: str = BOOK) -> list[str]:
    """Returns the texts that perplexity is measured on: held-out passages of a source itself, no rephrasings."""
    return [text.text for text in corpus if text.split == HELD_OUT and text.source == source]


def held_out_passages(corpus: Iterable[CorpusText]) -> set[str]:
    """Returns the ids of the passages that no training may see: neither themselves nor what was made of them."""
    return {passage for text in corpus if text.split == HELD_OUT for passage in text.passage_ids}


def held_out_by_book(corpus: Iterable[CorpusText]) -> dict[tuple[str, str], list[str]]:
    """Returns the texts that perplexity is measured on by source and book, the sources in their order.

    Papers and general text count as a whole, under the book "": a paper alone is too short to be measured.
    """
    told: dict[tuple[str, str], list[str]] = {}
    for text in corpus:
        if text.split == HELD_OUT and text.source in SOURCES:
            book = text.text_id.rpartition("-")[0] if text.source == BOOK else ""
            told.setdefault((text.source, book), []).append(text.text)
    return dict(sorted(told.items(), key=lambda item: SOURCES.index(item[0][0])))


def kept(gates: Iterable[Verdict]) -> bool:
    """Returns whether no gate stopped a record."""
    return all(gate.verdict != "fail" for gate in gates)


def _drawn(passages: Sequence[Passage], share: float, seed: int, least: int, most: int) -> set[str]:
    """Returns the ids of the passages held out: the share of each book, then of all books' rest up to the whole's.

    Where a share is asked for and two are there, it is one at least, and ``least`` if these are not over a tenth. Where
    the share is more than ``most``, all books give less.
    """
    books: dict[str, set[str]] = {}
    for passage in passages:
        books.setdefault(passage.book, set()).add(passage.passage_id)
    n, draw, drawn = sum(map(len, books.values())), random.Random(seed), set[str]()
    share = min(share, most / max(n, 1))
    for _, ids in sorted(books.items()):
        drawn |= set(draw.sample(sorted(ids), round(share * len(ids))))
    wanted = min(max(round(share * n), min(least, n // 10), 1), most) if share > 0 and n > 1 else 0
    rest = sorted(set[str]().union(*books.values()) - drawn)
    drawn |= set(draw.sample(rest, max(wanted - len(drawn), 0)))
    return drawn if len(drawn) <= most else set(draw.sample(sorted(drawn), most))


def _passage_text(passage: Passage, params: CorpusParams, held_out: set[str]) -> CorpusText:
    """Returns a passage as a text of the corpus, under its section's title if that is asked for."""
    text = f"{passage.section}\n{passage.text}" if params.section_titles and passage.section else passage.text
    split = HELD_OUT if passage.passage_id in held_out else TRAIN
    return CorpusText(passage.passage_id, passage.source, split, text, [passage.passage_id], passage.licence)
