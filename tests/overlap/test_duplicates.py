"""The same passage in two books is one passage with two places; what says anything else stays."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.datasets.records import RecordsDataset
from med_small_lm.overlap.duplicates import holds, link_duplicates, sentences
from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.schemas.rows import Passage, Place
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.textbooks.books import read_file
from med_small_lm.textbooks.documents import SourceFile

TEXT = (
    "Insulin lowers the glucose of the blood within 30 minutes, and its effect increases with the dose. "
    "A dose of 1.5 units is given before a high-calorie meal (see Figure 3.2). "
    "Children under 5 years of age get vitamin A as well, but not on the same day, since absorption decreases. "
    "The right kidney stands lower than the left one."
)
WORDS = [f"{a}{b}" for a in ("cardi", "neur", "hepat", "nephr", "derm") for b in ("itis", "osis", "oma", "algia")]


def passage(book: str, text: str, ordinal: int = 0, page: int = 1) -> Passage:
    sha = hashlib.sha256(f"{book}{ordinal}{text}".encode()).hexdigest()
    return Passage(sha[:12], book, ordinal, "One > Two", page, page + 1, text, len(text.split()), sha, "CC0")


def long_text(draw: random.Random, sentences: int = 6) -> str:
    """Sentences of ten words each that no other text has."""
    return " ".join(" ".join(draw.choices(WORDS, k=10)).capitalize() + "." for _ in range(sentences))


def test_the_survivor_is_the_first_and_keeps_all_places() -> None:
    own, others = passage("a", TEXT, 3, 7), [passage("b", TEXT, 0, 40), passage("c", TEXT, 9, 2)]
    kept, gone = link_duplicates([own, passage("a", "Another text.", 4), *others])
    assert [one.book for one in kept] == ["a", "a"]
    assert kept[0] == replace(own, also_in=[Place("b", 40, 41), Place("c", 2, 3)]) and kept[1].also_in == []
    assert [(one.passage, one.survivor_id, one.similarity) for one in gone] == [
        (p, own.passage_id, 1.0) for p in others
    ]


def test_places_that_are_known_already_are_kept_once() -> None:
    own = replace(passage("a", TEXT), also_in=[Place("b", 1, 2)])
    twin = replace(passage("b", TEXT), also_in=[Place("z", 5, 5)])
    assert link_duplicates([own, twin])[0] == [replace(own, also_in=[Place("b", 1, 2), Place("z", 5, 5)])]


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("high-calorie", "high calorie"),
        TEXT.replace("high-calorie", "high\u00adcalorie"),
        TEXT.replace("Figure 3.2", "Table 14.1"),
        TEXT.replace(" (see Figure 3.2)", ""),
        TEXT.replace("blood within", "blood [12, 13] within"),
        TEXT.replace(". ", ".\n"),
        TEXT.replace(", and its", " and its"),
        TEXT.replace("the glucose of the blood", "glucose of blood"),
        TEXT.rpartition("The right")[0].strip(),
    ],
)
def test_what_differs_in_form_alone_is_the_same(other: str) -> None:
    kept, gone = link_duplicates([passage("a", TEXT), passage("b", other)])
    assert len(kept) == len(gone) == 1 and gone[0].similarity >= 0.8


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("30", "60"),
        ("1.5", "15"),
        ("1.5", "1-5"),
        ("1.5", "-1.5"),
        ("increases", "decreases"),
        ("not on", "on"),
        ("right kidney", "left kidney"),
        ("vitamin A ", "vitamin "),
        ("vitamin A", "vitamin D"),
        ("under 5", "over 5"),
        ("left one.", "left one. It is never removed."),
        ("left one.", "left one?"),
    ],
)
def test_what_says_something_else_stays(old: str, new: str) -> None:
    """Each of these is alike enough in its shingles: the sentences decide."""
    assert old in TEXT
    kept, gone = link_duplicates([passage("a", TEXT), passage("b", TEXT.replace(old, new))], threshold=0.5)
    assert len(kept) == 2 and not gone


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 59))
def test_one_other_word_is_another_text(seed: int, place: int) -> None:
    draw = random.Random(seed)
    own = long_text(draw).split()
    other = [*own[:place], "otherwise" + ("." if own[place].endswith(".") else ""), *own[place + 1 :]]
    copies = [passage("a", " ".join(own)), passage("b", " ".join(own)), passage("c", " ".join(other))]
    kept, gone = link_duplicates(copies)
    assert [one.book for one in kept] == ["a", "c"] and [one.passage.book for one in gone] == ["b"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=12), st.integers(0, 99))
def test_nothing_is_lost_and_every_repeat_has_its_survivor(plan: list[tuple[str, int]], seed: int) -> None:
    texts = [long_text(random.Random(seed + n)) for n in range(6)]
    shelf = [passage(book, texts[n], ordinal) for ordinal, (book, n) in enumerate(sorted(plan))]
    kept, gone = link_duplicates(shelf)
    assert sorted([p.passage_id for p in kept] + [g.passage.passage_id for g in gone]) == sorted(
        p.passage_id for p in shelf
    )
    by_id = {one.passage_id: one for one in kept}
    for one in gone:
        survivor = by_id[one.survivor_id]
        assert survivor.book != one.passage.book and survivor.text == one.passage.text
        assert Place(one.passage.book, one.passage.page_first, one.passage.page_last) in survivor.also_in
    assert sum(len(one.also_in) for one in kept) == len({(g.survivor_id, g.passage.book) for g in gone})
    assert link_duplicates(kept) == (kept, [])


def test_repeats_within_one_book_stay() -> None:
    shelf = [passage("a", TEXT, 0), passage("a", TEXT, 1)]
    assert link_duplicates(shelf) == (shelf, [])


def test_a_line_is_linked_only_beside_a_linked_neighbour() -> None:
    line, draw = "Vital signs and physical examination.", random.Random(0)
    stock = [passage("a", line, 5), passage("b", line, 9), passage("b", long_text(draw), 10)]
    assert link_duplicates(stock) == (stock, [])
    texts = [long_text(draw), line, long_text(draw)]
    copied = [passage(book, text, n) for book in "ab" for n, text in enumerate(texts)]
    assert [one.book for one in link_duplicates(copied)[0]] == ["a"] * 3


def test_without_a_threshold_nothing_is_linked() -> None:
    shelf = [passage("a", TEXT), passage("b", TEXT)]
    assert link_duplicates(shelf, None) == (shelf, [])
    assert link_duplicates([]) == ([], [])


def test_a_repeat_is_laid_beside_its_survivor_and_not_beside_a_repeat_of_it() -> None:
    draw = random.Random(3)
    told = [long_text(draw, 1) for _ in range(12)]
    shelf = [
        passage(book, " ".join(told[first:last])) for book, first, last in (("a", 0, 10), ("b", 0, 9), ("c", 1, 9))
    ]
    kept, gone = link_duplicates(shelf, threshold=0.85)
    assert [one.book for one in kept] == ["a", "c"] and [one.passage.book for one in gone] == ["b"]


def test_numbers_keep_their_signs_and_points() -> None:
    assert sentences("A, b; (c) 1,000 – p <0.05, 5, 10 mg.") == ["Abc1,000–p<0.05,5,10mg"]
    assert sentences("5 10 mg") != sentences("510 mg") and sentences("5, 10 mg") != sentences("5. 10 mg")
    assert holds("One. Two. Three.", "Three. One.") and not holds("One. Two.", "Three.")


def test_places_survive_the_file(tmp_path: Path) -> None:
    kept, _ = link_duplicates([passage("a", TEXT), passage("b", TEXT), passage("c", "Short.")])
    dataset = RecordsDataset(filepath=str(tmp_path / "passages.parquet"), record="Passage")
    dataset.save(to_frame(kept, Passage))
    assert to_rows(dataset.load(), Passage) == kept and kept[0].also_in == [Place("b", 1, 2)]


def test_the_pocket_library_holds_nothing_twice() -> None:
    """Its facts are told in several books, each time in other words; equal lines that open a chapter are no copies."""
    files = sorted((Path(__file__).parents[2] / "data/01_raw/textbooks").glob("*.pdf"))
    shelf = [p for f in files for p in read_file(SourceFile(f.stem, f, "CC0"), IngestTextbooks()).passages]
    assert len(files) == 18 and len(shelf) > 700
    assert link_duplicates(shelf) == (shelf, [])


def test_a_library_takes_seconds() -> None:
    draw = random.Random(0)
    shelf = [passage(f"book-{n // 100}", long_text(draw), n) for n in range(3_000)]
    shelf += [replace(one, book="copy", passage_id=f"copy-{one.passage_id}") for one in shelf[::3]]
    began = time.perf_counter()
    assert len(link_duplicates(shelf)[1]) == 1_000
    assert time.perf_counter() - began < 10
