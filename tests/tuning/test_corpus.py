"""What of books and rephrasings is trained on, and what is held out."""

from __future__ import annotations

import dataclasses

from med_small_lm.params.knowledge_injection import CorpusParams
from med_small_lm.schemas.rows import CorpusText, Passage, Rephrasing, Verdict
from med_small_lm.tuning.corpus import (
    build_corpus,
    held_out_by_book,
    held_out_passages,
    held_out_texts,
    train_texts,
    train_texts_by_source,
)


def test_every_text_stands_once_with_its_passages(corpus: list[CorpusText], passages: list[Passage]) -> None:
    assert len({text.text_id for text in corpus}) == len(corpus) == 20
    assert [text.text for text in corpus if text.source == "book"] == [p.text for p in passages]
    assert all(text.licence == "CC0" and text.passage_ids for text in corpus)
    assert len(train_texts(corpus)) == 18 and len(held_out_texts(corpus)) == 1


def test_a_rephrasing_of_a_held_out_passage_is_held_out_too(corpus: list[CorpusText]) -> None:
    held_out = {text.text_id for text in corpus if text.split == "held_out" and text.source == "book"}
    told = [text for text in corpus if text.source == "rephrasing"]
    assert all((text.split == "held_out") == (text.passage_ids[0] in held_out) for text in told)
    assert held_out_passages(corpus) == held_out


def test_the_seed_decides_what_is_held_out(passages: list[Passage]) -> None:
    drawn = [held_out_texts(build_corpus(passages, [], CorpusParams(held_out_share=0.2), seed)) for seed in range(9)]
    assert all(len(texts) == 2 for texts in drawn) and len({tuple(texts) for texts in drawn}) > 1
    assert drawn[0] == held_out_texts(build_corpus(passages, [], CorpusParams(held_out_share=0.2), 0))
    assert held_out_texts(build_corpus(passages, [], CorpusParams(held_out_share=0.0), 0)) == []
    assert held_out_texts(build_corpus(passages[:1], [], CorpusParams(), 0)) == []


def test_titles_stand_above_their_passages_if_asked(passages: list[Passage]) -> None:
    titled = build_corpus(passages, [], CorpusParams(section_titles=True), 0)
    assert titled[0].text == f"Diseases > Causes\n{passages[0].text}"


def test_rephrasings_that_a_gate_stopped_or_that_say_nothing_are_left_out(
    passages: list[Passage], rephrasings: list[Rephrasing]
) -> None:
    stopped = dataclasses.replace(rephrasings[0], gates=[Verdict("length", "fail", 0.0)])
    empty = dataclasses.replace(rephrasings[1], text=" ")
    passed = dataclasses.replace(rephrasings[2], gates=[Verdict("length", "pass", 1.0)])
    texts = build_corpus(passages, [stopped, empty, passed], CorpusParams(), 0)
    assert [text.text_id for text in texts if text.source == "rephrasing"] == ["r-2"]


def of_source(passages: list[Passage], source: str) -> list[Passage]:
    """The same passages as those of another source."""
    return [dataclasses.replace(p, passage_id=f"{source}-{p.ordinal}", source=source) for p in passages]


def test_papers_and_general_text_are_held_out_beside_the_books(
    passages: list[Passage], rephrasings: list[Rephrasing]
) -> None:
    params = CorpusParams(held_out_share=0.2)
    whole = [*of_source(passages, "general"), *passages, *of_source(passages, "paper")]
    texts = build_corpus(whole, rephrasings, params, 0)
    assert [text.source for text in texts] == ["general"] * 10 + ["book"] * 10 + ["paper"] * 10 + ["rephrasing"] * 10
    assert all(len(held_out_texts(texts, source)) == 2 for source in ("book", "paper", "general"))
    alone = build_corpus(passages, rephrasings, params, 0)
    assert held_out_texts(texts) == held_out_texts(alone)
    assert [text for text in texts if text.source in ("book", "rephrasing")] == alone


def test_a_rephrasing_is_trained_on_as_its_book(passages: list[Passage], rephrasings: list[Rephrasing]) -> None:
    texts = build_corpus([*passages, *of_source(passages, "paper")], rephrasings, CorpusParams(held_out_share=0), 0)
    told = train_texts_by_source(texts)
    assert {source: len(own) for source, own in told.items()} == {"book": 20, "paper": 10, "general": 0}
    assert told["book"] == [p.text for p in passages] + [r.text for r in rephrasings]


def test_each_book_has_its_share_held_out_and_the_whole_no_more(passages: list[Passage]) -> None:
    """Three books of 10 passages and one of 2: a tenth of each of the three, and 3 of 32 in all."""
    shelf = [dataclasses.replace(p, passage_id=f"{b}-{p.ordinal}", book=b) for b in ("x", "y", "z") for p in passages]
    shelf += [dataclasses.replace(p, passage_id=f"short-{p.ordinal}", book="short") for p in passages[:2]]
    for seed in range(5):
        told = held_out_by_book(build_corpus(shelf, [], CorpusParams(held_out_share=0.1), seed))
        assert {key: len(texts) for key, texts in told.items()} == {("book", b): 1 for b in ("x", "y", "z")}
        few = held_out_by_book(build_corpus(shelf, [], CorpusParams(held_out_share=0.04), seed))
        assert sum(map(len, few.values())) == 1, "books too short for their share give one together"


def test_of_a_large_source_no_more_is_held_out_than_may_be(passages: list[Passage]) -> None:
    """Half of 120 books of 5 passages is 300; of 130 at most each book gives one, and the rest together ten."""
    shelf = [
        dataclasses.replace(p, passage_id=f"{b}-{p.ordinal}", book=str(b)) for b in range(120) for p in passages[:5]
    ]
    whole = [*shelf, *(dataclasses.replace(p, passage_id=f"w-{p.passage_id}", source="general") for p in shelf)]
    for most in (1, 50, 130):
        params = CorpusParams(held_out_share=0.5, held_out_max=most)
        drawn = [build_corpus(whole, [], params, seed) for seed in range(2)]
        assert all(len(held_out_texts(one, source)) == most for one in drawn for source in ("book", "general"))
        assert held_out_passages(drawn[0]) != held_out_passages(drawn[1])
    free = CorpusParams(held_out_share=0.5)
    assert build_corpus(shelf, [], free.model_copy(update={"held_out_max": 300}), 0) == build_corpus(shelf, [], free, 0)


def test_enough_general_text_is_held_out_for_an_interval(passages: list[Passage]) -> None:
    many = [
        dataclasses.replace(p, passage_id=f"web-{k}-{p.ordinal}", source="general", book="web")
        for k in range(12)
        for p in passages
    ]
    told = held_out_by_book(build_corpus([*passages, *many], [], CorpusParams(held_out_share=0.02), 0))
    assert {key: len(texts) for key, texts in told.items()} == {("book", "book"): 1, ("general", ""): 10}
    few = build_corpus(many[:50], [], CorpusParams(held_out_share=0.02), 0)
    assert len(held_out_texts(few, "general")) == 5
