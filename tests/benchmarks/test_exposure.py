"""What of each exam item stands in the training data is found item by item; scores are split by it."""

from __future__ import annotations

import math

import pytest

from med_small_lm.benchmarks.exposure import (
    BANDS,
    band,
    best_of,
    distribution,
    expose,
    split_scores,
    training_documents,
)
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
    stricter = split_scores(made, exams, rows, threshold=0.5, samples=200)
    assert {one.subset: one.n for one in stricter if one.metric == "accuracy"} == {"dirty": 1, "clean": 3}
