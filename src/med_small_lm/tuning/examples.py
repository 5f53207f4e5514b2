"""The examples of a tuning: which are trained on, how often, and which are kept for the dev score."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from med_small_lm.errors import UserError, nearest
from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.schemas.rows import Conversation
from med_small_lm.tuning.masking import Encoded, encode
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer

LOG = logging.getLogger(__name__)

MIXTURE, BLOCK = "instruction_tune.tune.mixture", "instruction_tune.tune.block_size"


@dataclass(frozen=True, slots=True)
class DrawnExamples:
    """What became of one source's examples: all of them, those left out, those cut as too long, those kept for dev.

    Attributes:
        examples: conversations of the source.
        held_out: left out, as they come from a passage that no training may see.
        dropped: left out, as longer than a row.
        cut: cut at the end of a word.
        dev: kept for the dev score.
        draws: examples of a pass; with a weight of the mixture more or fewer than are left.
        tokens: of these draws.
        under_loss: of these tokens.
    """

    examples: int
    held_out: int
    dropped: int
    cut: int
    dev: int
    draws: int
    tokens: int
    under_loss: int


@dataclass(frozen=True, slots=True)
class Examples:
    """What a tuning trains on in one pass, and what it is measured on.

    Attributes:
        train: the examples of a pass, one of weight 2 twice.
        dev: the examples of the dev score, and in ``dev_conversations`` what they say.
        drawn: what became of the examples, by source.
    """

    train: list[Encoded]
    dev: list[Encoded]
    dev_conversations: list[Conversation]
    drawn: dict[str, DrawnExamples]


def examples_of(
    tokenizer: PreTrainedTokenizer,
    conversations: Sequence[Conversation],
    params: TuneParams,
    seed: int,
    held_out: AbstractSet[str] = frozenset(),
) -> Examples:
    """Returns the examples in their draws, and those kept for the dev score.

    A part of a weight, the half of 0.5 or of 1.5, is the same examples in every pass: rows are packed once.

    Args:
        tokenizer: with a chat template that has generation markers.
        conversations: the examples.
        params: length of a row, loss, what becomes of long examples, mixture, share kept for dev.
        seed: of what is kept for dev and of the parts of weights.
        held_out: passages of which no example may come: rationales say again what they say.

    Raises:
        UserError: the mixture names a source that there is not, or nothing is left to train on.
    """
    counts = Counter(one.source for one in conversations)
    _check_mixture(params.mixture, list(counts))
    conversations = [one for one in conversations if held_out.isdisjoint(one.passage_ids)]
    if not conversations:
        raise UserError(
            "instruction_tune: there is no conversation but on held-out passages: "
            "lower knowledge_injection.corpus.held_out_share, or ask more questions"
        )
    kept_for_dev = dev_places(conversations, params.dev_share, seed)
    whole = encode(tokenizer, conversations, params.loss)
    long = [place for place, one in enumerate(whole) if len(one.input_ids) > params.block_size]
    fitting: dict[int, Encoded] = dict(enumerate(whole))
    for place in long:
        del fitting[place]
    if params.long_examples == "cut" and long:
        parts = encode(tokenizer, [conversations[place] for place in long], params.loss, params.block_size)
        fitting |= {place: part for place, part in zip(long, parts, strict=True) if part.under_loss.any()}
        fitting = dict(sorted(fitting.items()))
    if not fitting:
        shortest = min(len(one.input_ids) for one in whole)
        raise UserError(
            f"{BLOCK}: no training example fits into {params.block_size} tokens, the shortest has {shortest}: raise it"
        )
    draws = _draws([place for place in fitting if place not in kept_for_dev], conversations, params.mixture, seed)
    if not draws:
        raise UserError(f"{MIXTURE} leaves nothing to train on: give a source of {', '.join(counts)} a weight above 0")
    dev = [place for place in fitting if place in kept_for_dev]
    drawn = _counted(counts, conversations, fitting, set(long), dev, draws)
    _tell(drawn, params)
    return Examples(
        [fitting[place] for place in draws], [fitting[place] for place in dev],
        [conversations[place] for place in dev], drawn,
    )  # fmt: skip


def dev_places(conversations: Sequence[Conversation], share: float, seed: int) -> set[int]:
    """Returns the places of the conversations that are kept for the dev score: at least one where there are two.

    All that is asked on one question goes together, its forms, its dialogues and the questions of its case; what is
    on no question goes by itself.
    """
    groups = _groups(conversations)
    wanted = max(round(share * len(groups)), 1) if share > 0 and len(groups) > 1 else 0
    names = random.Random(seed).sample(sorted(groups), wanted)
    return {place for name in names for place in groups[name]}


def _groups(conversations: Sequence[Conversation]) -> dict[str, list[int]]:
    """Returns the places of the conversations that belong together, under the first of their ids."""
    known = {one.question_id for one in conversations if one.question_id}
    head: dict[str, str] = {}

    def found(name: str) -> str:
        while head.setdefault(name, name) != name:
            name = head[name]
        return name

    for one in conversations:
        if one.question_id:
            for parent in known.intersection(one.parent_ids):
                first, last = sorted((found(one.question_id), found(parent)))
                head[last] = first
    groups: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(conversations):
        groups[found(one.question_id) if one.question_id else f"{one.example_id} {place}"].append(place)
    return groups


def _check_mixture(mixture: Mapping[str, float], sources: Sequence[str]) -> None:
    """Raises UserError if the mixture names a source that there is not."""
    for source in mixture:
        if source not in sources:
            hint = nearest(source, sources)
            raise UserError(f"{MIXTURE}: no example is of {source!r}{hint}; there are: {', '.join(sources)}")


def _draws(
    places: Sequence[int], conversations: Sequence[Conversation], mixture: Mapping[str, float], seed: int
) -> list[int]:
    """Returns the places drawn in a pass: whole rounds of each source, then the part of a round that is left."""
    by_source: dict[str, list[int]] = defaultdict(list)
    for place in places:
        by_source[conversations[place].source].append(place)
    copies: Counter[int] = Counter()
    for source, own in by_source.items():
        weight = mixture.get(source, 1.0)
        part = random.Random(f"{seed} {source}").sample(own, round(weight % 1 * len(own)))
        copies.update({place: int(weight) for place in own})
        copies.update(part)
    rounds = max(copies.values(), default=0)
    return [place for number in range(rounds) for place in places if copies[place] > number]


def _counted(
    examples: Mapping[str, int],
    conversations: Sequence[Conversation],
    fitting: Mapping[int, Encoded],
    long: set[int],
    dev: Sequence[int],
    draws: Sequence[int],
) -> dict[str, DrawnExamples]:
    """Returns what became of each source's ``examples``, of which ``conversations`` are not held out."""

    def by_source(places: Sequence[int] | Iterator[int]) -> Counter[str]:
        return Counter(conversations[place].source for place in places)

    tokens, learnt = Counter[str](), Counter[str]()
    for place in draws:
        tokens[conversations[place].source] += len(fitting[place].input_ids)
        learnt[conversations[place].source] += int(np.count_nonzero(fitting[place].under_loss))
    left = by_source(range(len(conversations)))
    cut, in_dev, drawn = by_source([place for place in long if place in fitting]), by_source(dev), by_source(draws)
    dropped = by_source([place for place in long if place not in fitting])
    return {
        source: DrawnExamples(
            n, n - left[source], *(one[source] for one in (dropped, cut, in_dev, drawn, tokens, learnt))
        )
        for source, n in examples.items()
    }


def _tell(drawn: Mapping[str, DrawnExamples], params: TuneParams) -> None:
    """Leave a line in the log on what is drawn, and one on what is left out or cut."""
    of = sum(one.examples for one in drawn.values())
    long = f"longer than {params.block_size} tokens and"
    for level, what, said in (
        (logging.INFO, "held_out", "of held-out passages and left out"),
        (logging.WARNING, "dropped", f"{long} left out"),
        (logging.WARNING, "cut", f"{long} cut at the end of a word"),
    ):
        if counts := {source: n for source, one in drawn.items() if (n := getattr(one, what))}:
            each = ", ".join(f"{source} {n}" for source, n in counts.items())
            LOG.log(level, "tuning: %d of %d examples are %s (%s)", sum(counts.values()), of, said, each)
    weighted = [f"{name} {drawn[name].draws} draws of weight {weight:g}" for name, weight in params.mixture.items()]
    LOG.info(
        "tuning: %d draws a pass of %d tokens, %d under loss; %d examples kept for dev%s",
        sum(one.draws for one in drawn.values()), sum(one.tokens for one in drawn.values()),
        sum(one.under_loss for one in drawn.values()), sum(one.dev for one in drawn.values()),
        "; " + ", ".join(weighted) if weighted else "",
    )  # fmt: skip
