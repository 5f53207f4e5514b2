"""What several samples of one question say together."""

from __future__ import annotations

from med_small_lm.benchmarks.voting import flips, majority, vote_shares
from med_small_lm.schemas.rows import Prediction


def sample(number: int, keys: str, state: str = "parsed", tokens: int = 2) -> Prediction:
    text = f"{number}: {keys}"
    return Prediction("m", "q", "exam", "generation", "explain-sc5", number, text, state, list(keys), [], tokens)


def test_majority() -> None:
    votes = [sample(0, "B"), sample(1, "A"), sample(2, "A", "repaired"), sample(3, "", "truncated"), sample(4, "A")]
    won = majority(votes)
    assert (won.answer_keys, won.state, won.sample, won.text, won.n_tokens) == (["A"], "parsed", 0, "1: A", 10)
    assert vote_shares(votes) == {"B": 0.2, "A": 0.6}


def test_a_vote_is_a_set_of_keys() -> None:
    assert majority([sample(0, "AB"), sample(1, "BA"), sample(2, "A")]).answer_keys == ["A", "B"]


def test_ties_are_ambiguous_and_nothing_read_is_not() -> None:
    tie = majority([sample(0, "A"), sample(1, "B"), sample(2, "", "refused")])
    assert (tie.state, tie.answer_keys, tie.text) == ("ambiguous", [], "")
    unread = [sample(0, "", "refused"), sample(1, "", "truncated"), sample(2, "", "refused")]
    assert majority(unread).state == "refused"
    assert majority([sample(0, "A", "repaired")]).state == "repaired"


def test_failed_samples_have_no_vote() -> None:
    votes = [sample(0, "", "failed"), sample(1, "", "failed"), sample(2, "C")]
    assert majority(votes).answer_keys == ["C"] and vote_shares(votes) == {"C": 1.0}
    assert majority(votes[:2]).state == "failed" and vote_shares(votes[:2]) == {}


def test_flips() -> None:
    assert flips([sample(0, "A"), sample(1, "A"), sample(2, "B")]) is True
    assert flips([sample(0, "AB"), sample(1, "BA"), sample(2, "", "empty")]) is False
    assert flips([sample(0, "A"), sample(1, "", "empty")]) is None
