"""What a model writes when it is asked to reason and to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from med_small_lm.answers.forms import Form
from med_small_lm.answers.thinking import without_thinking
from med_small_lm.benchmarks.answered import Reply
from med_small_lm.benchmarks.batches import batches
from med_small_lm.benchmarks.closing import can_close, is_closed
from med_small_lm.benchmarks.decoding import Closed, Draw, shared_head, write
from med_small_lm.benchmarks.likelihood import Progress
from med_small_lm.benchmarks.models import Model, Tokenizer, context_length, prompt_text, token_ids
from med_small_lm.schemas.rows import Question

_TAIL = 64
"""Last characters of a prompt, in which a template may have begun to think."""


def replies(
    model: Model,
    tokenizer: Tokenizer,
    questions: Sequence[Question],
    form: Form,
    *,
    max_new_tokens: int,
    batch_tokens: int,
    shots: Sequence[Question] = (),
    draw: Draw | None = None,
    early_stop: bool = False,
    progress: Progress | None = None,
) -> list[Reply]:
    """Returns a reply to each question, up to its end or ``max_new_tokens``.

    A prompt that leaves no room in the model's context gets an empty reply that is cut.

    Args:
        model: any causal language model of transformers.
        tokenizer: its own, with a chat template.
        questions: in any order; one that stands there twice is asked twice.
        form: how they are asked.
        max_new_tokens: the longest reply.
        batch_tokens: most tokens of a batch, prompts, replies and padding.
        shots: examples before each question, with their right answers.
        draw: how tokens are drawn; the likeliest (greedy) unless it is said.
        early_stop: whether a reply ends with the sentence that gives its answer.
        progress: told after each batch.
    """
    texts = [prompt_text(tokenizer, form, question, shots) for question in questions]
    prompts = token_ids(tokenizer, texts)
    found = [Reply("", 0, True) for _ in questions]
    room = [min(max_new_tokens, context_length(model) - len(prompt)) for prompt in prompts]
    fitting = [index for index, left in enumerate(room) if left > 0]
    done = len(questions) - len(fitting)
    head = shared_head(model, [prompts[index] for index in fitting])
    sizes = [len(prompts[index]) + room[index] for index in fitting]
    for number, batch in enumerate(batches(sizes, batch_tokens)):
        picked = [fitting[place] for place in batch]
        own = replace(draw, seed=draw.seed + number) if draw else None
        # One room for the batch: a row near the context's end must not stop the others early, so it goes by itself.
        for group in _by_room(picked, room):
            at, asked = [prompts[index] for index in group], [questions[index] for index in group]
            tails = [texts[index][-_TAIL:] for index in group]
            closed = _closing(asked, form, tails) if early_stop else None
            wrote = write(model, tokenizer, at, room[group[0]], head=head, draw=own, closed=closed)
            for index, (ids, ended) in zip(group, wrote, strict=True):
                found[index] = Reply(tokenizer.decode(ids, skip_special_tokens=True).strip(), len(ids), not ended)
        done += len(picked)
        if progress:
            progress(done, len(questions))
    return found


def _closing(questions: Sequence[Question], form: Form, tails: Sequence[str]) -> Closed:
    """Tells of each row of a batch whether it has its answer."""
    before = ["" if without_thinking(tail)[1] else tail for tail in tails]
    able = [can_close(question) for question in questions]
    return lambda row, text: able[row] and is_closed(text, questions[row], form, before[row])


def _by_room(picked: Sequence[int], room: Sequence[int]) -> list[list[int]]:
    """The questions of a batch, parted by how many tokens may be written."""
    groups: dict[int, list[int]] = {}
    for index in picked:
        groups.setdefault(room[index], []).append(index)
    return list(groups.values())
