"""What several answers to one question say together: the majority's, whether they agree, how the votes fell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from med_small_lm.benchmarks.metrics import READ
from med_small_lm.schemas.rows import Prediction

FAILED = "failed"
"""The state of a question that could not be asked: neither right nor wrong."""


def majority(answers: Sequence[Prediction]) -> Prediction:
    """Returns the answer that most samples of a question give (self-consistency), as one prediction.

    A vote is the set of keys of a sample that was read. Where two sets have the most votes the state is "ambiguous";
    where no sample was read it is the state that most of them have. Failed samples are not asked, and have no vote.

    Args:
        answers: the samples of one question, at least one, each with the keys of the question as it stands in the
            benchmark, whatever order of the options was shown.
    """
    asked = [one for one in answers if one.state != FAILED] or list(answers)
    votes = Counter(frozenset(one.answer_keys) for one in asked if one.state in READ)
    (best, most), *others = votes.most_common(2) or [(frozenset(), 0)]
    if not most:
        state = Counter(one.state for one in asked).most_common(1)[0][0]
        chosen = next(one for one in asked if one.state == state)
    elif others and others[0][1] == most:
        chosen, state = replace(asked[0], text="", answer_keys=[]), "ambiguous"
    else:
        won = [one for one in asked if one.state in READ and frozenset(one.answer_keys) == best]
        chosen = won[0]
        state = "parsed" if any(one.state == "parsed" for one in won) else "repaired"
    tokens = sum(one.n_tokens for one in asked)
    return replace(chosen, sample=0, state=state, option_logprobs=[], n_tokens=tokens)


def flips(answers: Sequence[Prediction]) -> bool | None:
    """Returns whether the samples of a question name different options; None where fewer than two were read.

    Over permuted options it says that the order decides. Their keys are those of the question as it stands in the
    benchmark, so that equal keys are equal texts.
    """
    read = [frozenset(one.answer_keys) for one in answers if one.state in READ]
    return len(set(read)) > 1 if len(read) > 1 else None


def vote_shares(answers: Sequence[Prediction]) -> Mapping[str, float]:
    """Returns the share of the asked samples that name each key alone; what was not read votes for none."""
    asked = [one for one in answers if one.state != FAILED]
    votes = Counter(one.answer_keys[0] for one in asked if one.state in READ and len(set(one.answer_keys)) == 1)
    return {key: count / len(asked) for key, count in votes.items()}
