"""Books, papers and general text are drawn in their shares, everywhere alike, and books alone as if nothing mixed."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.tuning.mixture import MixedTexts, epoch_tokens, row_counts, schedule, shares_of
from med_small_lm.tuning.packing import PackedTexts

EOS = 1
RATIO = {"book": 15.0, "paper": 4.0, "general": 1.0}
FIRST = {"book": 100, "paper": 200, "general": 300}  # a source's texts are of tokens of its own, one for each text
TEXTS = st.lists(st.integers(1, 9), max_size=8)
SIZES = st.fixed_dictionaries({name: TEXTS for name in RATIO}).filter(lambda sizes: any(sizes.values()))


def documents(sizes: dict[str, list[int]]) -> dict[str, list[list[int]]]:
    """Texts of the given lengths, each of one token repeated, by which text and source are known again."""
    return {name: [[FIRST[name] + n] * size for n, size in enumerate(own)] for name, own in sizes.items()}


def made(sizes: dict[str, list[int]], rows: int, seed: int = 0, block: int = 8) -> MixedTexts:
    return MixedTexts(documents(sizes), RATIO, EOS, block, rows, seed, separate=False)


def source_of(row: list[int]) -> str:
    """The one source that a row is of; a row of ends alone belongs to none."""
    names = {next(name for name in reversed(FIRST) if token >= FIRST[name]) for token in row if token != EOS}
    assert len(names) == 1
    return names.pop()


def digest(rows: MixedTexts | PackedTexts) -> str:
    seen = hashlib.sha256()
    for n in range(len(rows)):
        seen.update(rows[n]["input_ids"].numpy().tobytes())
    return seen.hexdigest()


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 600), st.integers(0, 5))
def test_the_shares_hold_whatever_there_is_of_each_source(sizes: dict[str, list[int]], rows: int, seed: int) -> None:
    mixed = made(sizes, rows, seed)
    wanted = shares_of(RATIO, {name for name, own in sizes.items() if own})
    seen = Counter(source_of(mixed[n]["input_ids"].tolist()) for n in range(rows))
    assert set(seen) <= set(wanted)
    for name, share in wanted.items():
        assert abs(seen[name] - share * rows) <= 1
        assert rows < 100 or abs(seen[name] / rows - share) <= 0.01
        assert mixed.drawn[name].tokens == seen[name] * 8
        assert mixed.drawn[name].share == seen[name] / rows


@settings(max_examples=40, deadline=None)
@given(st.integers(200, 5_000), st.integers(0, 9), st.data())
def test_every_stretch_has_about_the_ratio(rows: int, seed: int, data: st.DataObject) -> None:
    shares = list(shares_of(RATIO, set(RATIO)).values())
    which, _ = schedule(row_counts(shares, rows), seed)
    start = data.draw(st.integers(0, rows - 200))
    for source, share in enumerate(shares):
        assert abs(int((which[start : start + 200] == source).sum()) - 200 * share) <= 2


@settings(max_examples=60, deadline=None)
@given(SIZES.filter(lambda sizes: bool(sizes["book"])), st.integers(1, 3), st.integers(0, 5))
def test_an_epoch_holds_every_text_of_the_books_once(sizes: dict[str, list[int]], epochs: int, seed: int) -> None:
    tokens = {name: sum(size + 1 for size in own) for name, own in sizes.items()}
    rows = -(-epochs * epoch_tokens(tokens, RATIO) // 8)
    mixed = made(sizes, rows, seed)
    drawn = [mixed[n]["input_ids"].tolist() for n in range(rows)]
    books = [token for row in drawn if source_of(row) == "book" for token in row]
    for number in range(epochs):
        one_pass = Counter(books[number * tokens["book"] : (number + 1) * tokens["book"]])
        assert one_pass == Counter(t for text in documents(sizes)["book"] for t in [*text, EOS])
    assert mixed.drawn["book"].passes >= epochs


def test_plenty_is_fresh_in_every_epoch_and_too_little_is_repeated_as_a_whole() -> None:
    mixed = made({"book": [9] * 30, "paper": [9] * 90, "general": [3]}, 400)
    papers = [row for n in range(400) if source_of(row := mixed[n]["input_ids"].tolist()) == "paper"]
    begun = Counter(token for row in papers for token in set(row) - {EOS})
    assert len(begun) == mixed.drawn["paper"].texts == 64 and mixed.drawn["paper"].passes < 1
    general = [
        token for n in range(400) if source_of(row := mixed[n]["input_ids"].tolist()) == "general" for token in row
    ]
    assert general == ([300, 300, 300, EOS] * 40)
    assert mixed.drawn["general"].texts == 40 == mixed.drawn["general"].passes


def test_the_seed_decides_rows_and_their_order() -> None:
    sizes = {"book": [5] * 60, "paper": [4] * 60, "general": [3] * 60}
    assert digest(made(sizes, 300)) == digest(made(sizes, 300)) != digest(made(sizes, 300, seed=1))
    backwards, forwards = made(sizes, 300), made(sizes, 300)
    assert [backwards[n]["input_ids"].tolist() for n in reversed(range(300))][::-1] == [
        forwards[n]["input_ids"].tolist() for n in range(300)
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(2, 90), max_size=9), min_size=1, max_size=6).filter(any), st.integers(0, 5))
def test_books_alone_are_packed_as_if_nothing_was_mixed(texts: list[list[int]], seed: int) -> None:
    plain = PackedTexts(texts, EOS, 8, 50, seed, separate=True)
    mixed = MixedTexts({"book": texts, "paper": [], "general": [[]]}, RATIO, EOS, 8, 50, seed, separate=True)
    for n in range(50):
        assert {key: value.tolist() for key, value in plain[n].items()} == {
            key: value.tolist() for key, value in mixed[n].items()
        }
    assert epoch_tokens({"book": plain.pass_tokens, "paper": 0}, RATIO) == plain.pass_tokens
    assert mixed.drawn["book"].share == 1.0 and list(mixed.drawn) == ["book"]


def test_the_rows_of_books_alone_are_those_that_the_measured_scores_were_trained_on() -> None:
    """The digest was taken before there was a mixture: other rows would be another training."""
    texts = [[n + 2] * (n % 7 + 1) for n in range(40)]
    mixed = MixedTexts({"book": texts}, RATIO, EOS, 16, 64, 3, separate=False)
    assert digest(mixed) == "eb23b29cf1e2a7c3d15348cb6d989870d9238d67e6554b4e4f2cae425825663a"


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ("book paper general", {"book": 0.75, "paper": 0.2, "general": 0.05}),
        ("paper general", {"paper": 0.8, "general": 0.2}),
        ("book general", {"book": 15 / 16, "general": 1 / 16}),
        ("general", {"general": 1.0}),
        ("", {}),
    ],
)
def test_the_share_of_an_absent_source_goes_to_the_others(present: str, expected: dict[str, float]) -> None:
    shares = shares_of(RATIO, set(present.split()))
    assert list(shares) == list(expected) and np.allclose(list(shares.values()), list(expected.values()))
    assert shares_of({**RATIO, "paper": 0.0}, {"paper"}) == {}


def test_without_any_text_there_is_nothing_to_train_on() -> None:
    with pytest.raises(ValueError, match="no text to train on"):
        made({"book": [], "paper": [], "general": []}, 5)
    assert len(made({"book": [], "paper": [], "general": []}, 0)) == 0
    assert epoch_tokens({"book": 0, "paper": 0}, RATIO) == 0
