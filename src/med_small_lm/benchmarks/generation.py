"""What a model writes when it is asked to reason and to answer, and the option that its text names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import GenerationConfig

from med_small_lm.answers.extraction import extract
from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.batches import batches, pad
from med_small_lm.benchmarks.likelihood import Progress
from med_small_lm.benchmarks.models import (
    Model,
    Tokenizer,
    context_length,
    end_ids,
    pad_id,
    prompt_text,
    token_ids,
)
from med_small_lm.schemas.rows import Prediction, Question


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote: ``n_tokens`` without the end; ``cut`` where it had not come to an end."""

    text: str
    n_tokens: int
    cut: bool


def replies(
    model: Model,
    tokenizer: Tokenizer,
    questions: Sequence[Question],
    form: Form,
    *,
    max_new_tokens: int,
    batch_tokens: int,
    progress: Progress | None = None,
) -> list[Reply]:
    """Returns the likeliest reply to each question, token by token (greedy), up to its end or ``max_new_tokens``.

    A prompt that leaves no room in the model's context gets an empty reply that is cut.
    """
    prompts = token_ids(tokenizer, [prompt_text(tokenizer, form, question) for question in questions])
    found = [Reply("", 0, True) for _ in questions]
    room = [min(max_new_tokens, context_length(model) - len(prompt)) for prompt in prompts]
    fitting = [index for index, left in enumerate(room) if left > 0]
    done = len(questions) - len(fitting)
    sizes = [len(prompts[index]) + room[index] for index in fitting]
    for batch in batches(sizes, batch_tokens):
        picked = [fitting[number] for number in batch]
        # One room for the batch: a row near the context's end must not stop the others early, so it goes by itself.
        for group in _by_room(picked, room):
            wrote = _write(model, tokenizer, [prompts[index] for index in group], room[group[0]])
            for index, reply in zip(group, wrote, strict=True):
                found[index] = reply
        done += len(picked)
        if progress:
            progress(done, len(questions))
    return found


def _by_room(picked: Sequence[int], room: Sequence[int]) -> list[list[int]]:
    """The questions of a batch, parted by how many tokens may be written."""
    groups: dict[int, list[int]] = {}
    for index in picked:
        groups.setdefault(room[index], []).append(index)
    return list(groups.values())


@torch.inference_mode()
def _write(model: Model, tokenizer: Tokenizer, prompts: Sequence[Sequence[int]], room: int) -> list[Reply]:
    """The replies to one batch; prompts are padded on the left, so that all replies begin at one place."""
    ends = end_ids(model, tokenizer)
    ids, mask = pad(prompts, "left", pad_id(tokenizer), model.device)
    settings = GenerationConfig(
        do_sample=False, max_new_tokens=room, eos_token_id=ends or None, pad_token_id=pad_id(tokenizer)
    )
    # What ``settings`` leave open is filled from the checkpoint's own: a repetition penalty there would slip in.
    kept, model.generation_config = model.generation_config, settings
    try:
        wrote = model.generate(input_ids=ids, attention_mask=mask)
    finally:
        model.generation_config = kept
    return [_reply(tokenizer, row, ends) for row in wrote[:, ids.shape[1] :].tolist()]


def _reply(tokenizer: Tokenizer, row: list[int], ends: Sequence[int]) -> Reply:
    """The reply in a row of new tokens: all before the first end."""
    stop = next((place for place, token in enumerate(row) if token in ends), len(row))
    text = tokenizer.decode(row[:stop], skip_special_tokens=True).strip()
    return Reply(text, stop, cut=stop == len(row))


def predictions_of(
    questions: Sequence[Question],
    written: Sequence[Reply],
    form: Form,
    *,
    model_name: str,
    benchmark: str,
    variant: str,
) -> list[Prediction]:
    """Returns one prediction a question: the reply, the state in which its answer was read, and the answer."""
    made = []
    for question, reply in zip(questions, written, strict=True):
        read = extract(reply.text, question.options, form, truncated=reply.cut)
        asked = (model_name, question.question_id, benchmark, "generation", variant, 0)
        made.append(Prediction(*asked, reply.text, read.state, read.keys, [], reply.n_tokens))
    return made
