"""The draw: seeded, shared between the two kinds, worded in many ways, the same whatever the order of the rows."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.synthesis.graphs.prompts import document, shares, wordings

HEADER = "head\ttail\ttext\n"
COLUMNS = {"head": "head", "tail": "tail", "description": "text"}


@pytest.fixture
def table(tmp_path):
    rows = [f"thing{n:03}\tkind{n % 7}\tThe text of {n}.\n" for n in range(400)]
    path = tmp_path / "toy.tsv"
    path.write_text(HEADER + "".join(rows))
    mixed = tmp_path / "mixed.tsv"
    random.Random(1).shuffle(rows)
    mixed.write_text(HEADER + "".join(rows))
    return path, mixed


def drawn(read, path, **told):
    return read(path, "tsv", columns=COLUMNS, relation="is a", **told)[1]


def test_a_cap_draws_half_of_either_kind_by_seed(read, table):
    first = drawn(read, table[0], cap=100)
    assert Counter(one.method for one in first) == {"graph_description": 50, "graph_relation": 50}
    assert drawn(read, table[0], cap=100) == first
    other = drawn(read, table[0], cap=100, seed=1)
    assert {one.example_id for one in other} != {one.example_id for one in first}


def test_the_order_of_the_rows_does_not_matter(read, table):
    plain, mixed = (drawn(read, path, cap=100) for path in table)
    assert [(one.example_id, one.messages) for one in plain] == [(one.example_id, one.messages) for one in mixed]


def test_many_wordings_are_drawn(read, table):
    asked = [one.messages[0].content for one in drawn(read, table[0]) if one.method == "graph_description"]
    ways = {way for way in wordings()["description"] for text in asked if text.startswith(way.split("{")[0])}
    assert len(ways) == len(wordings()["description"]) >= 10
    assert len(set(wordings()["relation"])) >= 10
    assert all("{entity}" in way for way in wordings()["description"])
    assert all("{head}" in way and "{tail}" in way for way in wordings()["relation"])


def test_a_name_with_braces_is_asked_as_it_stands(read, tmp_path):
    path = tmp_path / "toy.tsv"
    path.write_text(HEADER + "a{0}b\tc{x}\tIt {is}.\n")
    assert all("a{0}b" in one.messages[0].content for one in drawn(read, path))


def test_the_gate_reads_question_and_reply(read, table):
    one = drawn(read, table[0], cap=2)[0]
    assert document(one).asserted == tuple(message.content for message in one.messages)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 1100))
def test_the_cap_is_filled_and_shared(entities, pairs, cap):
    described, related = shares(entities, pairs, cap)
    assert 0 <= described <= entities and 0 <= related <= pairs
    assert described + related == (min(cap, entities + pairs) if cap else entities + pairs)
    if cap and min(entities, pairs) * 2 >= cap + 1:
        assert abs(described - related) <= 1
