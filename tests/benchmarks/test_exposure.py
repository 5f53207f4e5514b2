"""What of each exam item stands in the training data is found item by item; scores are split by it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from med_small_lm.benchmarks.exposure import (
    BANDS,
    band,
    best_of,
    by_unit,
    distribution,
    expose,
    split_scores,
    training_documents,
)
from med_small_lm.benchmarks.tasks import units
from med_small_lm.schemas.rows import Conversation, CorpusText, Exposure, Message, Option, Prediction, Question

STEMS = {
    "long": "A potter who fires lead glazes complains of wrist drop and a blue line along the gums. Why?",
    "half": "Which vessel, tied too close to the thyroid gland, harms the nerve that tightens the vocal cords most?",
    "short": "Drug of choice for absence seizures?",
    "far": "During a dive a sponge fisher feels a sharp pain in one ear while the other stays free. What tore?",
    "term": "Pickling:",
}


def item(name: str, exam: str = "exam", **more: object) -> Question:
    told = {"stem": STEMS[name], **more}
    options = [Option("A", "one"), Option("B", "two")]
    return Question(name, exam, "test", "single", told.pop("stem"), options, ["A"], "one", **told)  # type: ignore[arg-type]


ITEMS = [item(name) for name in STEMS]


def corpus(*texts: str, split: str = "train", source: str = "book") -> list[CorpusText]:
    return [CorpusText(f"{source}-{n}", source, split, text, [], "own") for n, text in enumerate(texts)]


def found(*texts: CorpusText, conversations: list[Conversation] | None = None) -> dict[tuple[str, str], Exposure]:
    made = expose(ITEMS, training_documents(texts, conversations or []))
    return {(one.question_id, one.source): one for one in made}


def test_coverage_by_the_best_single_document() -> None:
    words = STEMS["half"].split()
    told = corpus(
        "Nothing of it stands here, only birds and the weather of yesterday.",
        f"IN OLD TIMES -- {STEMS['long'].upper().replace('.', ' ;')} It was lead.",
        f"First {' '.join(words[:11])} and then nothing.",
        f"Then {' '.join(words[9:])}",
        "The drug of choice for absence-seizures is told elsewhere.",
        "Pickling keeps herrings.",
    )
    by_item = {name: one for (name, _), one in found(*told).items()}
    assert (by_item["long"].coverage, by_item["long"].document_id) == (1.0, "book-1")
    assert (by_item["short"].coverage, by_item["short"].document_id) == (1.0, "book-4")
    assert (by_item["far"].coverage, by_item["far"].document_id) == (0.0, "")
    assert math.isnan(by_item["term"].coverage)
    # 18 words are 11 grams: the two halves, of 4 and of 2, are never added up.
    assert len(words) == 18 and by_item["half"].coverage == pytest.approx(4 / 11)
    assert by_item["half"].document_id == "book-2"


def test_every_source_has_a_row_for_every_item() -> None:
    said = [Message("system", "Answer."), Message("user", STEMS["long"]), Message("assistant", "Lead.")]
    chats = [
        Conversation("q-1", "surgery", "explain", said, [], "q", ["surgery-1"], "own"),
        Conversation("m-1", "medset", "direct", said[1:2], [], "", [], "own"),
    ]
    rows = found(*corpus("Nothing."), *corpus("No.", source="paper"), conversations=chats)
    assert {source for _, source in rows} == {
        "corpus/book", "corpus/paper", "conversations/explain", "conversations/medset/direct",
    }  # fmt: skip
    assert len(rows) == 4 * len(ITEMS)
    assert rows["long", "conversations/explain"].document_id == "q-1"
    assert rows["long", "corpus/paper"].coverage == 0.0


def test_a_text_that_is_held_out_was_not_seen() -> None:
    assert not found(*corpus(STEMS["long"], split="held_out"))


def test_no_run_of_words_reaches_over_two_turns() -> None:
    words = STEMS["long"].split()
    turns = [Message("user", " ".join(words[:7])), Message("assistant", " ".join(words[7:14]))]
    one = Conversation("d-1", "surgery", "dialogue", turns, [], "", ["s-1"], "own")
    assert found(conversations=[one])["long", "conversations/dialogue"].coverage == 0.0


def test_bands() -> None:
    values = (0.0, 0.1, 0.2, 0.49, 0.5, 0.8, 1.0, math.nan)
    assert [BANDS.index(band(value)) for value in values] == [0, 1, 2, 2, 3, 4, 4, 5]


def test_the_best_of_all_sources_counts() -> None:
    rows = [
        Exposure("exam", "long", "a", 0.1, "x"),
        Exposure("exam", "long", "b", 0.9, "y"),
        Exposure("exam", "far", "a", 0.0, ""),
        Exposure("other", "long", "a", 0.3, "z"),
    ]
    assert best_of(rows)["exam", "long"].document_id == "y"
    assert distribution(rows)["exam"] == {BANDS[4]: 1, BANDS[0]: 1} and distribution(rows)["other"] == {BANDS[2]: 1}


def answer(name: str, key: str, exam: str = "exam") -> Prediction:
    return Prediction("m", name, exam, "likelihood", "option_text/0-shot", 0, "", "parsed", [key], [], 1)


def test_scores_of_clean_and_dirty_items() -> None:
    names = list(STEMS)
    coverage = dict(zip(names, (1.0, 0.36, 0.2, 0.0, math.nan), strict=True))
    rows = [Exposure("exam", name, "a", value, "") for name, value in coverage.items()]
    rows += [Exposure("untouched", name, "a", 0.0, "") for name in names]
    exams = {"exam": ITEMS, "untouched": [item(name, "untouched") for name in names]}
    made = [answer(name, "A" if name in ("long", "half") else "B", exam) for exam in exams for name in names]
    scores = {(one.benchmark, one.subset, one.metric): one for one in split_scores(made, exams, rows, samples=200)}
    assert (scores["exam", "dirty", "accuracy"].value, scores["exam", "dirty", "accuracy"].n) == (2 / 3, 3)
    assert (scores["exam", "clean", "accuracy"].value, scores["exam", "clean", "accuracy"].n) == (0.0, 1)
    assert not [key for key in scores if key[0] == "untouched"]
    assert scores["exam", "dirty", "accuracy"].ci_low < 2 / 3 < scores["exam", "dirty", "accuracy"].ci_high
    assert not [one for one in scores if one[2].startswith("case_")]
    stricter = split_scores(made, exams, rows, threshold=0.5, samples=200)
    assert {one.subset: one.n for one in stricter if one.metric == "accuracy"} == {"dirty": 1, "clean": 3}


def test_cases_are_split_whole() -> None:
    """Ranks 3 and 4 of each case are dirty: each is split as a whole, and no case is right in its clean half."""
    asked = [item("far", case_id=f"c{n // 4}", rank=n % 4 + 1, stem=f"{STEMS['far']} {n}") for n in range(16)]
    asked = [replace(one, question_id=f"q{n}") for n, one in enumerate(asked)]
    rows = [Exposure("exam", f"q{n}", "a", 0.9 if n % 4 > 1 and n < 12 else 0.0, "") for n in range(16)]
    made = [answer(f"q{n}", "A" if n % 4 < 2 else "B") for n in range(16)]
    scores = {(one.subset, one.metric): one for one in split_scores(made, {"exam": asked}, rows, samples=200)}
    assert (scores["dirty", "case_exact_match"].value, scores["dirty", "case_exact_match"].n) == (0.0, 3)
    assert (scores["clean", "case_exact_match"].value, scores["clean", "case_exact_match"].n) == (0.0, 1)
    assert scores["clean", "accuracy"].n == 4


def test_questions_that_two_benchmarks_ask_are_counted_once() -> None:
    four = [item(name, "medqa", method="medqa") for name in ("long", "far")]
    five = [replace(one, source="medqa_5", method="medqa_5options", question_id=f"{one.question_id}-5") for one in four]
    own = [item("half", "mine")]
    rows = [Exposure(one.source, one.question_id, "a", 0.3, "x") for one in (*four, *own)]
    rows += [Exposure("medqa_5", "long-5", "a", 0.9, "y"), Exposure("medqa_5", "far-5", "b", math.nan, "")]
    counted = by_unit(rows, [*four, *five, *own])
    assert len(counted) == 4, "a question and source each"
    assert distribution(counted) == {"medqa, medqa_5": {BANDS[4]: 1, BANDS[2]: 1}, "mine": {BANDS[2]: 1}}


def test_a_stem_of_few_words_asks_nothing_without_its_answer() -> None:
    false = item("short", stem="Which of the following statements is false?")
    answers = ("The ulna is medial.", "The liver stores iron.", "the ulna is medial")
    counted = units(replace(false, question_id=f"q{n}", answer_text=text) for n, text in enumerate(answers))
    assert counted["q0"] == counted["q2"] != counted["q1"]
    longer = [replace(item("long"), question_id=name, answer_text=name) for name in ("a", "b")]
    assert len(set(units(longer).values())) == 1
