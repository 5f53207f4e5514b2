"""Books and general text stand between the examples in their shares, in every batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.tuning.masking import Encoded, PackedRows, pack
from med_small_lm.tuning.packing import Documents
from med_small_lm.tuning.replay import Mixture

BLOCK, EOS = 8, 1
TEXTS = {"book": [[200] * 5, [201] * 9], "general": [[300] * 4] * 3}
NONE = Documents.of([])


def examples(n: int = 5) -> PackedRows:
    flags = np.array([False] + [True] * 6)
    return pack([Encoded(np.full(7, 100 + place, np.int32), flags) for place in range(n)], BLOCK, 0)


def mixed(shares: dict[str, float], rows: int, seed: int = 0, **texts: list[list[int]]) -> Mixture:
    told = {kind: Documents.of(own) for kind, own in {**TEXTS, **texts}.items()}
    return Mixture(examples(), told, shares, EOS, rows, seed)


def kinds(rows: Mixture) -> list[str]:
    first = [int(max(rows[n]["input_ids"])) // 100 for n in range(len(rows))]
    return [{1: "examples", 2: "book", 3: "general"}[one] for one in first]


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 0.6), st.floats(0, 0.35), st.integers(1, 80), st.integers(0, 3))
def test_each_kind_has_its_share_wherever_one_looks(books: float, general: float, n: int, seed: int) -> None:
    shares = {"book": books, "general": general}
    rows = mixed(shares, n, seed)
    found = kinds(rows)
    shares["examples"] = 1 - books - general
    for kind, share in shares.items():
        assert abs(found.count(kind) - share * n) <= 1
        assert rows.drawn[kind].rows == found.count(kind) if share else kind not in rows.drawn
        for start in range(0, n - 9, 10):
            assert abs(found[start : start + 10].count(kind) - 10 * share) <= 2
    assert sum(one.rows for one in rows.drawn.values()) == n
    assert sum(one.share for one in rows.drawn.values()) == pytest.approx(1)
    assert all(one.tokens == one.rows * BLOCK for one in rows.drawn.values())


def test_a_batch_has_its_part_of_each() -> None:
    found = kinds(mixed({"book": 0.25, "general": 0.25}, 40))
    assert all(sorted(found[n : n + 4]) == ["book", "examples", "examples", "general"] for n in range(0, 40, 4))


def test_what_there_is_none_of_leaves_its_rows_to_the_examples(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        rows = mixed({"book": 0.5, "general": 0.1}, 20, general=[])
    assert kinds(rows).count("book") == 10 and kinds(rows).count("examples") == 10
    assert "nothing to replay of general" in caplog.text
    assert set(kinds(mixed({"book": 0.5, "general": 0.1}, 20, book=[], general=[]))) == {"examples"}


def test_a_pass_holds_every_example_once_in_an_order_of_its_own() -> None:
    rows = mixed({"book": 0.5, "general": 0}, 20)
    told = [int(rows[n]["input_ids"][0]) for n in range(20) if "position_ids" in rows[n]]
    assert sorted(told[:5]) == sorted(told[5:]) == [100, 101, 102, 103, 104] and told[:5] != told[5:]
    assert rows.drawn["examples"].passes == 2 and rows.drawn["book"].passes == pytest.approx(80 / 16)
    again = mixed({"book": 0.5, "general": 0}, 20)
    for n in (13, 0, 19):  # in any order, as after a resume
        assert torch.equal(rows[n]["input_ids"], again[n]["input_ids"])
    with pytest.raises(IndexError):
        rows[20]


def test_no_example_is_an_error() -> None:
    empty = PackedRows(*(np.zeros((0, BLOCK), kind) for kind in (np.int32, np.bool_, np.bool_)))
    with pytest.raises(ValueError, match="no example"):
        Mixture(empty, {"book": NONE}, {"book": 0.5}, EOS, 4, 0)
