"""Written answers: the same token by token as without batch and cache, ended and cut as they should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from med_small_lm.benchmarks.batches import batches, pad
from med_small_lm.benchmarks.generation import Reply, predictions_of, replies
from med_small_lm.benchmarks.models import end_ids


def plain_reply(model: Any, tokenizer: Any, question: Any, form: Any, most: int) -> tuple[list[int], bool]:
    """One question at a time, the whole text read again for each token."""
    turns = [{"role": m.role, "content": m.content} for m in form.messages(question)]
    prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    new: list[int] = []
    while len(new) < most:
        with torch.inference_mode():
            token = int(model(torch.tensor([ids + new])).logits[0, -1].argmax())
        if token == tokenizer.eos_token_id:
            return new, False
        new.append(token)
    return new, True


@pytest.mark.parametrize("batch_tokens", [64, 100_000])
def test_equals_the_plain_way(model: Any, tokenizer: Any, questions: Any, forms: Any, batch_tokens: int) -> None:
    seen: list[tuple[int, int]] = []
    found = replies(
        model,
        tokenizer,
        questions,
        forms["explain"],
        max_new_tokens=12,
        batch_tokens=batch_tokens,
        progress=lambda *at: seen.append(at),
    )
    for question, reply in zip(questions, found, strict=True):
        ids, cut = plain_reply(model, tokenizer, question, forms["explain"], 12)
        assert reply == Reply(tokenizer.decode(ids, skip_special_tokens=True).strip(), len(ids), cut)
    assert seen[-1] == (4, 4)


def test_stops_at_the_end_and_only_there(
    make_llama: Any, tokenizer: Any, questions: Any, forms: Any, monkeypatch: Any
) -> None:
    model = make_llama(len(tokenizer))
    ids, _ = plain_reply(model, tokenizer, questions[0], forms["explain"], 6)
    monkeypatch.setattr(model.generation_config, "eos_token_id", [2, ids[3]])
    assert end_ids(model, tokenizer) == sorted({2, ids[3]})
    limits = {"max_new_tokens": 6, "batch_tokens": 1000}
    ended = replies(model, tokenizer, questions[:1], forms["explain"], **limits)[0]
    before = ids.index(ids[3])
    assert ended == Reply(tokenizer.decode(ids[:before], skip_special_tokens=True).strip(), before, False)
    short = replies(model, tokenizer, questions[:1], forms["explain"], max_new_tokens=before, batch_tokens=9)[0]
    assert short.cut


def test_sampling_settings_of_the_checkpoint_are_not_used(
    make_llama: Any, tokenizer: Any, questions: Any, forms: Any
) -> None:
    model = make_llama(len(tokenizer))
    limits = {"max_new_tokens": 8, "batch_tokens": 1000}
    plain = replies(model, tokenizer, questions, forms["explain"], **limits)
    model.generation_config.do_sample = True
    model.generation_config.temperature = 5.0
    model.generation_config.repetition_penalty = 3.0
    model.generation_config.no_repeat_ngram_size = 1
    assert replies(model, tokenizer, questions, forms["explain"], **limits) == plain


def test_prompt_beyond_the_context_is_cut_not_wrong(model: Any, tokenizer: Any, questions: Any, forms: Any) -> None:
    long = replace(questions[0], question_id="long", stem="Which drug? " * 200)
    near = replace(questions[0], question_id="near", stem="Why?" * 100)
    found = replies(
        model, tokenizer, [long, near, questions[0]], forms["explain"], max_new_tokens=90, batch_tokens=2000
    )
    made = predictions_of([long, near], found[:2], forms["explain"], model_name="m", benchmark="b", variant="v")
    assert made[0].state == "truncated" and made[0].answer_keys == [] and made[0].n_tokens == 0
    alone = replies(model, tokenizer, [questions[0]], forms["explain"], max_new_tokens=90, batch_tokens=2000)
    assert found[2] == alone[0]


def test_predictions_say_what_was_read(questions: Any, forms: Any) -> None:
    written = [
        Reply("It calms them. The answer is valproate.", 9, False),
        Reply("The answer is third pharyngeal pouch.", 9, True),
    ]
    made = predictions_of(questions[:2], written, forms["explain"], model_name="m", benchmark="b", variant="v")
    assert [(entry.state, entry.answer_keys) for entry in made] == [("parsed", ["A"]), ("truncated", [])]
    assert made[0].mode == "generation" and made[0].text == written[0].text and made[0].option_logprobs == []


def test_batches_hold_everything_once_and_keep_to_the_limit() -> None:
    sizes = [5, 50, 7, 7, 90, 3, 200, 12]
    found = list(batches(sizes, 100))
    assert sorted(index for batch in found for index in batch) == list(range(len(sizes)))
    assert found[0] == [6]
    for batch in found[1:]:
        assert max(sizes[index] for index in batch) * len(batch) <= 100
    assert list(batches([], 100)) == []
    assert [len(batch) for batch in batches([1] * 7, 100, rows=3)] == [3, 3, 1]


def test_pad() -> None:
    ids, mask = pad([[1, 2, 3], [4]], "left", 9, torch.device("cpu"))
    assert ids.tolist() == [[1, 2, 3], [9, 9, 4]] and mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    ids, mask = pad([[1, 2, 3], [4]], "right", 9, torch.device("cpu"))
    assert ids.tolist() == [[1, 2, 3], [4, 9, 9]] and mask.tolist() == [[1, 1, 1], [1, 0, 0]]
