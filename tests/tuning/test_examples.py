"""What is trained on, how often, and what is kept for dev: nothing is lost without a count."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from med_small_lm.errors import UserError
from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.schemas.rows import Conversation, Message
from med_small_lm.tuning.examples import dev_places, examples_of
from med_small_lm.tuning.tokenizer import train_tokenizer

TOKENIZER = train_tokenizer(["What causes scurvy? Lack of vitamin C, says the book."], 400, 128)
PARAMS = TuneParams(block_size=32, dev_share=0.0)


def example(
    n: int, source: str = "book", question: str = "", reply: str = "Lack.", parents: tuple[str, ...] = ()
) -> Any:
    messages = [Message("user", f"What causes {n}?"), Message("assistant", reply)]
    return Conversation(f"e-{n}", source, "m", messages, [question, *parents] if question else [], question, [], "CC0")


def on(n: int, *passages: str, source: str = "book") -> Conversation:
    return dataclasses.replace(example(n, source), passage_ids=list(passages))


def params(**given: Any) -> TuneParams:
    return TuneParams(**{**PARAMS.model_dump(), **given})


def test_what_comes_from_a_held_out_passage_is_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    given = [on(0, "a"), on(1, "b", "held"), on(2, "b"), on(3, source="notes"), on(4, "held", source="cards")]
    with caplog.at_level("INFO"):
        told = examples_of(TOKENIZER, given, params(mixture={"cards": 2.0}), 0, {"held", "other"})
    assert [TOKENIZER.decode(one.input_ids).split("?")[0][-1] for one in told.train] == ["0", "2", "3"]
    assert {name: (one.examples, one.held_out, one.draws) for name, one in told.drawn.items()} == {
        "book": (3, 1, 2), "notes": (1, 0, 1), "cards": (1, 1, 0),
    }  # fmt: skip
    assert "2 of 5 examples are of held-out passages and left out (book 1, cards 1)" in caplog.text
    with pytest.raises(UserError, match="no conversation but on held-out passages: lower .*held_out_share"):
        examples_of(TOKENIZER, given[1:2], PARAMS, 0, {"held"})


LONG = " ".join(["scurvy"] * 40)


def test_long_examples_are_dropped_and_counted_by_source(caplog: pytest.LogCaptureFixture) -> None:
    given = [example(0), example(1, "notes", reply=LONG), example(2, "notes")]
    with caplog.at_level("INFO"):
        told = examples_of(TOKENIZER, given, PARAMS, 0)
    assert len(told.train) == 2
    assert (told.drawn["notes"].examples, told.drawn["notes"].dropped, told.drawn["notes"].draws) == (2, 1, 1)
    assert "1 of 3 examples are longer than 32 tokens and left out (notes 1)" in caplog.text
    assert sum(one.tokens for one in told.drawn.values()) == sum(len(one.input_ids) for one in told.train)
    assert sum(one.under_loss for one in told.drawn.values()) == sum(int(one.under_loss.sum()) for one in told.train)


def test_long_examples_are_cut_and_those_of_which_no_reply_is_left_dropped(caplog: pytest.LogCaptureFixture) -> None:
    asked = Conversation("e", "notes", "m", [Message("user", LONG), Message("assistant", "Lack.")], [], "", [], "CC0")
    given = [example(0), example(1, reply=LONG), asked]
    with caplog.at_level("INFO"):
        told = examples_of(TOKENIZER, given, params(long_examples="cut"), 0)
    assert [len(one.input_ids) <= 32 and one.under_loss.any() for one in told.train] == [True, True]
    words = TOKENIZER.decode(told.train[1].input_ids[told.train[1].under_loss]).split()
    assert len(words) > 5 and set(words) == {"scurvy"}
    assert (told.drawn["book"].cut, told.drawn["notes"].dropped) == (1, 1)
    assert "1 of 3 examples are longer than 32 tokens and cut at the end of a word (book 1)" in caplog.text
    with pytest.raises(UserError, match=r"block_size: no training example fits into 32 tokens, .* has \d+: raise it"):
        examples_of(TOKENIZER, [asked], PARAMS, 0)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), st.floats(0, 3), max_size=3), st.integers(0, 5))
def test_the_mixture_draws_each_source_by_its_weight(mixture: dict[str, float], seed: int) -> None:
    given = [example(n, "abc"[n % 3]) for n in range(30)]
    if all(mixture.get(source, 1) * 10 < 0.5 for source in "abc"):
        return
    told = examples_of(TOKENIZER, given, params(mixture=mixture), seed)
    copies = Counter(bytes(one.input_ids) for one in told.train)
    for source in "abc":
        weight = mixture.get(source, 1.0)
        assert abs(told.drawn[source].draws - 10 * weight) <= 0.5
    assert sum(one.draws for one in told.drawn.values()) == len(told.train) == sum(copies.values())
    again = examples_of(TOKENIZER, given, params(mixture=mixture), seed)
    assert [one.input_ids.tolist() for one in again.train] == [one.input_ids.tolist() for one in told.train]


def test_a_mixture_that_cannot_be_is_refused() -> None:
    given = [example(0, "book"), example(1, "notes")]
    with pytest.raises(UserError, match=r"mixture: no example is of 'note' \(did you mean notes\?\); .*: book, notes"):
        examples_of(TOKENIZER, given, params(mixture={"note": 2}), 0)
    with pytest.raises(UserError, match="leaves nothing to train on"):
        examples_of(TOKENIZER, given, params(mixture={"book": 0, "notes": 0}), 0)
    for weight in (-1, float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            params(mixture={"book": weight})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=24), st.sampled_from([0, 0.02, 0.3, 0.5]),
       st.integers(0, 3))  # fmt: skip
def test_what_is_asked_on_one_question_or_case_goes_together(asked: list[Any], share: float, seed: int) -> None:
    """Question n of rank r has those of lower ranks as parents; rank 0 of question 0 is on no question."""
    given = [
        example(place, question=f"q{n}-{rank}" if n else "", parents=tuple(f"q{n}-{before}" for before in range(rank)))
        for place, (n, rank) in enumerate(asked)
    ]
    dev = dev_places(given, share, seed)
    assert dev == dev_places(given, share, seed)
    sides = defaultdict(set)
    for place, one in enumerate(given):
        sides[one.question_id or place].add(place in dev)
    assert all(len(side) == 1 for side in sides.values())
    for one in given:
        assert all(sides[parent] == sides[one.question_id] for parent in one.parent_ids if parent in sides)
    assert bool(dev) == (share > 0 and _units(given) > 1) and (len(dev) < len(given) or not given)


def _units(given: list[Conversation]) -> int:
    """How many groups there are, found in another way: by joining sets until none share a question."""
    known = {one.question_id for one in given if one.question_id}
    sets = [{one.question_id, *known.intersection(one.parent_ids)} for one in given if one.question_id]
    joined: list[set[str]] = []
    for own in sets:
        apart = [one for one in joined if not one & own]
        joined = [*apart, own.union(*(one for one in joined if one & own))]
    return len(joined) + sum(not one.question_id for one in given)


def test_dev_examples_are_not_trained_on_and_come_with_what_they_say() -> None:
    given = [example(n, question=f"q-{n // 2}") for n in range(40)]
    told = examples_of(TOKENIZER, given, params(dev_share=0.1, mixture={"book": 2}), 0)
    assert len(told.dev) == len(told.dev_conversations) == 4 and len(told.train) == 72
    held = {bytes(one.input_ids) for one in told.dev}
    assert not held & {bytes(one.input_ids) for one in told.train}
    assert len({one.question_id for one in told.dev_conversations}) == 2
    assert told.drawn["book"].dev == 4
    asked = [one.messages[0].content for one in told.dev_conversations]
    assert all(text in TOKENIZER.decode(one.input_ids) for text, one in zip(asked, told.dev, strict=True))
