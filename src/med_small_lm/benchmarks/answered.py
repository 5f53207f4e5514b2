"""What came back from a model, as it is kept on disk, and the predictions that are read from it.

Nothing that was read is kept with it: a better reader needs no model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from med_small_lm.answers.extraction import extract
from med_small_lm.answers.forms import Form, PropositionForm
from med_small_lm.benchmarks import permuting
from med_small_lm.benchmarks.likelihood import Normalise, best_key
from med_small_lm.benchmarks.metrics import READ
from med_small_lm.benchmarks.runs import LIKELIHOOD, PERMUTED, STEM_HIDDEN, Run
from med_small_lm.benchmarks.voting import FAILED
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import KeyScore, Prediction, Question

_STATES = (FAILED, "truncated", "refused", "ambiguous", "empty", "repaired", "parsed")
"""What the state of several replies together is: the first that one of them has."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote: ``n_tokens`` without the end; ``cut`` where it had not come to an end.

    ``fault`` is "failed" where an endpoint did not answer, "refused" where it withheld the reply.
    """

    text: str
    n_tokens: int
    cut: bool
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """What came back to one question: a reply or the options' scores; of propositions one for each."""

    question_id: str
    sample: int
    replies: list[Reply]
    scores: list[list[KeyScore]]

    @property
    def is_failed(self) -> bool:
        """Whether it is to be asked again."""
        return any(reply.fault == FAILED for reply in self.replies)

    @property
    def is_too_long(self) -> bool:
        """Whether the prompt, or an option behind it, did not fit the context."""
        return not all(self.scores) or any(reply.cut and not reply.n_tokens for reply in self.replies)

    def line(self) -> str:
        """It as a line of JSON."""
        said = [[reply.text, reply.n_tokens, reply.cut, reply.fault] for reply in self.replies]
        scores = [[[one.key, one.logprob, one.n_tokens] for one in each] for each in self.scores]
        return json.dumps([self.question_id, self.sample, said, scores], ensure_ascii=False)

    @classmethod
    def of(cls, line: str) -> Raw:
        """Returns what a line holds."""
        name, sample, said, scores = json.loads(line)
        return cls(name, sample, [Reply(*one) for one in said], [[KeyScore(*one) for one in each] for each in scores])


def predictions_of(
    run: Run, raws: Sequence[Raw], questions: Mapping[str, Question], forms: Mapping[str, Form], params: Evaluate,
    model: str, benchmark: str,
) -> Iterator[Prediction]:  # fmt: skip
    """Yields the predictions that are read from what came back to one way of asking, one a question and sample.

    Likelihoods of option texts give one for each way in which ``params`` normalises them.
    """
    form = forms[run.form]
    for way in _ways(run, params):
        variant = run.variant(way, params.layout)
        for raw in raws:
            question = questions[raw.question_id]
            order = permuting.order_of(question, raw.sample, params.seed) if run.beside == PERMUTED else None
            asked = question if order is None else permuting.shown(question, order)
            state, keys = keys_of(run, raw, asked, form, way)
            scores = _scores(run, raw, asked)
            if order is not None:
                keys = permuting.published(question, order, keys)
                scores = permuting.published_scores(question, order, scores)
            text = _text(run, raw, question, keys)
            tokens = sum(r.n_tokens for r in raw.replies) + sum(one.n_tokens for each in raw.scores for one in each)
            at = (model, raw.question_id, benchmark, run.mode, variant, raw.sample)
            yield Prediction(*at, text, state, keys, scores, tokens)


def _ways(run: Run, params: Evaluate) -> Sequence[Normalise]:
    """How likelihoods are compared: letters and the words for true and false are of one length, and are only summed."""
    if run.mode != LIKELIHOOD or run.how != "option_text":
        return ("sum",)
    return params.normalise[:1] if run.beside == STEM_HIDDEN else params.normalise


def keys_of(run: Run, raw: Raw, question: Question, form: Form, normalise: Normalise = "sum") -> tuple[str, list[str]]:
    """Returns the state of an answer and the keys that it names, as the question was shown.

    Of propositions, one without an answer leaves the whole question without.
    """
    if not isinstance(form, PropositionForm):
        return _likeliest(raw.scores[0], question, normalise) if raw.scores else read(raw.replies[0], question, form)
    asked = form.propositions(question)
    if raw.scores:
        found = [_likeliest(scores, one, normalise) for scores, one in zip(raw.scores, asked, strict=True)]
    else:
        found = [read(reply, one, form) for reply, one in zip(raw.replies, asked, strict=True)]
    state = min((state for state, _ in found), key=_STATES.index)
    true = [option.key for option, (_, keys) in zip(question.options, found, strict=True) if keys == ["T"]]
    return state, true if state in READ else []


def read(reply: Reply, question: Question, form: Form) -> tuple[str, list[str]]:
    """Returns the state in which a reply's answer was read, and the keys that it names."""
    if reply.fault:
        return reply.fault, []
    kind = "single" if isinstance(form, PropositionForm) else question.kind
    found = extract(reply.text, question.options, form, kind=kind, truncated=reply.cut)
    return found.state, found.keys


def _likeliest(scores: Sequence[KeyScore], question: Question, normalise: Normalise) -> tuple[str, list[str]]:
    return ("parsed", [best_key(scores, normalise, question)]) if scores else ("truncated", [])


def _scores(run: Run, raw: Raw, question: Question) -> list[KeyScore]:
    """The options' scores; of propositions how much likelier true is than false, as a log-probability."""
    if not raw.scores or run.how != "proposition":
        return raw.scores[0] if raw.scores else []
    told = [{one.key: one for one in each} for each in raw.scores]
    if not all(told):
        return []
    return [
        KeyScore(option.key, -math.log1p(math.exp(min(700.0, each["F"].logprob - each["T"].logprob))), 1)
        for option, each in zip(question.options, told, strict=True)
    ]


def _text(run: Run, raw: Raw, question: Question, keys: Sequence[str]) -> str:
    """What was said: the reply, of propositions each behind its key; of likelihoods the likeliest option."""
    if run.mode == LIKELIHOOD:
        return " ".join(option.text for option in question.options if option.key in keys)
    if run.how != "proposition":
        return raw.replies[0].text
    told = zip(question.options, raw.replies, strict=True)
    return " ".join(f"({option.key}) {reply.text}" for option, reply in told)
