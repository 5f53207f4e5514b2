"""All that one checkpoint answers to one benchmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks import generation, likelihood
from med_small_lm.benchmarks.models import Model, Tokenizer, load
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import Prediction, Question

Progress = Callable[[str, int, int], None]
"""Told what is run ("likelihood option_text/0-shot"), how many questions are done, of how many."""

OPTION_TEXT = "option_text/0-shot"
STEM_HIDDEN = "stem_hidden/0-shot"
EXPLAIN = "explain/0-shot"


def predict(
    checkpoint: Path,
    model_name: str,
    benchmark: str,
    questions: Sequence[Question],
    forms: Mapping[str, Form],
    params: Evaluate,
    progress: Progress | None = None,
) -> list[Prediction]:
    """Returns a prediction for each question in each mode and control that ``params`` names, in the questions' order.

    Args:
        checkpoint: a folder in Hugging Face layout.
        model_name: what predictions and scores call it: base, injected, tuned.
        benchmark: what they call the benchmark.
        questions: with options; see ``items.read_questions``.
        forms: ``direct`` for the likelihood, ``explain`` for written answers.
        params: modes, controls and limits.
        progress: told how far it is.

    Raises:
        CheckpointError: the folder cannot be evaluated.
        ValueError: a question has no options.
    """
    bare = [question.question_id for question in questions if not question.options]
    if bare:
        raise ValueError(f"{len(bare)} questions of {benchmark} have no options, the first is {bare[0]}")
    model, tokenizer = load(checkpoint)
    made: list[Prediction] = []
    if "likelihood" in params.modes:
        made += by_likelihood(model, tokenizer, model_name, benchmark, questions, forms["direct"], params, progress)
    if "generation" in params.modes:
        made += by_generation(model, tokenizer, model_name, benchmark, questions, forms["explain"], params, progress)
    return made


def by_likelihood(
    model: Model,
    tokenizer: Tokenizer,
    model_name: str,
    benchmark: str,
    questions: Sequence[Question],
    form: Form,
    params: Evaluate,
    progress: Progress | None = None,
) -> list[Prediction]:
    """Returns the predictions by option likelihood: the questions as they are, then the controls."""
    runs = {OPTION_TEXT: list(questions)}
    if "stem_hidden" in params.controls:
        runs[STEM_HIDDEN] = [likelihood.hidden_stem(question) for question in questions]
    made: list[Prediction] = []
    for variant, asked in runs.items():
        scores = likelihood.option_scores(
            model,
            tokenizer,
            asked,
            form,
            batch_tokens=params.batch_tokens,
            shared_prefix=params.shared_prefix,
            progress=_named(progress, f"likelihood {variant}"),
        )
        names = {"model_name": model_name, "benchmark": benchmark, "variant": variant}
        made += likelihood.predictions_of(asked, scores, form, **names, normalise=params.normalise)
    return made


def by_generation(
    model: Model,
    tokenizer: Tokenizer,
    model_name: str,
    benchmark: str,
    questions: Sequence[Question],
    form: Form,
    params: Evaluate,
    progress: Progress | None = None,
) -> list[Prediction]:
    """Returns the predictions read from written replies."""
    written = generation.replies(
        model,
        tokenizer,
        questions,
        form,
        max_new_tokens=params.max_new_tokens,
        batch_tokens=params.batch_tokens,
        progress=_named(progress, f"generation {EXPLAIN}"),
    )
    names = {"model_name": model_name, "benchmark": benchmark, "variant": EXPLAIN}
    return generation.predictions_of(questions, written, form, **names)


def _named(progress: Progress | None, what: str) -> likelihood.Progress | None:
    """The same progress, told what is run as well."""
    if progress is None:
        return None
    return lambda done, total: progress(what, done, total)
