"""Written answers: the same token by token as without batch and cache, ended and cut as they should be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from med_small_lm.answers.forms import proposition_form
from med_small_lm.benchmarks.answered import Raw, Reply, predictions_of
from med_small_lm.benchmarks.batches import batches, pad
from med_small_lm.benchmarks.decoding import Draw, shared_head, write
from med_small_lm.benchmarks.generation import replies
from med_small_lm.benchmarks.models import end_ids, prompt_text, token_ids
from med_small_lm.benchmarks.runs import Run
from med_small_lm.params.answers import PropositionParams
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import KeyScore


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
    made = read([long, near], found[:2], forms)
    assert made[0].state == "truncated" and made[0].answer_keys == [] and made[0].n_tokens == 0
    alone = replies(model, tokenizer, [questions[0]], forms["explain"], max_new_tokens=90, batch_tokens=2000)
    assert found[2] == alone[0]


def read(questions: Any, written: Any, forms: Any, how: str = "explain") -> list[Any]:
    """The predictions that are read from replies, one a question."""
    raws = [Raw(question.question_id, 0, [reply], []) for question, reply in zip(questions, written, strict=True)]
    by_id = {question.question_id: question for question in questions}
    return list(predictions_of(Run("generation", how, 0), raws, by_id, forms, Evaluate(), "m", "b"))


def test_predictions_say_what_was_read(questions: Any, forms: Any) -> None:
    written = [
        Reply("It calms them. The answer is valproate.", 9, False),
        Reply("The answer is third pharyngeal pouch.", 9, True),
        Reply("", 0, False, "failed"),
        Reply("", 0, False, "refused"),
    ]
    made = read(questions, written, forms)
    assert [(entry.state, entry.answer_keys) for entry in made] == [
        ("parsed", ["A"]), ("truncated", []), ("failed", []), ("refused", []),
    ]  # fmt: skip
    assert made[0].mode == "generation" and made[0].text == written[0].text and made[0].option_logprobs == []


def test_what_is_said_of_propositions_is_read_together(questions: Any) -> None:
    forms = {"proposition": proposition_form(PropositionParams())}
    several = replace(questions[3], kind="multi", answer_keys=["A", "C"])

    def told(*said: Reply) -> Any:
        raw = Raw(several.question_id, 0, list(said), [])
        run = Run("generation", "proposition", 0)
        [made] = predictions_of(run, [raw], {several.question_id: several}, forms, Evaluate(), "m", "b")
        return made

    true, false = Reply("True.", 2, False), Reply("False", 1, False)
    made = told(true, false, true)
    assert (made.state, made.answer_keys, made.text, made.n_tokens) == (
        "parsed",
        ["A", "C"],
        "(A) True. (B) False (C) True.",
        5,
    )
    assert (told(false, false, false).state, told(false, false, false).answer_keys) == ("parsed", [])
    assert (told(true, Reply("Perhaps.", 2, False), true).state, told(true, false, Reply("Tr", 1, True)).state) == (
        "ambiguous", "truncated",
    )  # fmt: skip
    assert told(true, true, Reply("", 0, False, "failed")).state == "failed"


def test_propositions_by_likelihood(questions: Any) -> None:
    forms = {"proposition": proposition_form(PropositionParams())}
    scores = [[KeyScore("T", t, 1), KeyScore("F", f, 1)] for t, f in ((-0.1, -2.0), (-3.0, -0.5), (-1.0, -1.0))]
    raw, run = Raw("exam-0004", 0, [], scores), Run("likelihood", "proposition", 0)
    [made] = predictions_of(run, [raw], {"exam-0004": questions[3]}, forms, Evaluate(), "m", "b")
    assert (made.state, made.answer_keys, made.variant) == ("parsed", ["A", "C"], "proposition/0-shot")
    assert [one.key for one in made.option_logprobs] == ["A", "B", "C"]
    assert made.option_logprobs[2].logprob == pytest.approx(math.log(0.5))
    cut = replace(raw, scores=[scores[0], [], scores[2]])
    [made] = predictions_of(run, [cut], {"exam-0004": questions[3]}, forms, Evaluate(), "m", "b")
    assert (made.state, made.answer_keys, made.option_logprobs) == ("truncated", [], [])


def test_what_all_prompts_begin_with_is_read_once(model: Any, tokenizer: Any, questions: Any, forms: Any) -> None:
    shots = [replace(questions[0], question_id="s", stem="Which drug treats one? And which another?")]
    texts = [prompt_text(tokenizer, forms["explain"], question, shots) for question in questions]
    prompts = token_ids(tokenizer, texts)
    head = shared_head(model, prompts)
    assert head is not None and head.get_seq_length() >= 32
    assert write(model, tokenizer, prompts, 9, head=head) == write(model, tokenizer, prompts, 9)
    assert write(model, tokenizer, prompts, 9, head=head) == write(model, tokenizer, prompts, 9, head=head)
    assert shared_head(model, prompts[:1]) is None


def test_a_closed_reply_is_ended_and_only_that(
    make_llama: Any, tokenizer: Any, questions: Any, forms: Any, monkeypatch: Any
) -> None:
    model = make_llama(len(tokenizer))
    script = [
        "So. The answer is valproate. It is old. The drug is cheap.", "The answer is third. No.", "The answer is left.",
        "Because. The answer is rickets.\nQuestion: Which?",
    ]  # fmt: skip
    limits: dict[str, Any] = {"max_new_tokens": 40, "batch_tokens": 4_000}
    monkeypatch.setattr(model, "generate", scripted(tokenizer, questions, forms["explain"], script))
    whole = replies(model, tokenizer, questions, forms["explain"], **limits)
    assert [reply.text for reply in whole] == script
    ended = replies(model, tokenizer, questions, forms["explain"], **limits, early_stop=True)
    assert [reply.text for reply in ended] == [
        "So. The answer is valproate.",
        script[1],
        script[2],
        "Because. The answer is rickets.",
    ]
    assert not any(reply.cut for reply in ended) and ended[0].n_tokens < whole[0].n_tokens
    states = [[(one.state, one.answer_keys) for one in read(questions, said, forms)] for said in (whole, ended)]
    assert states[0] == states[1]


def scripted(tokenizer: Any, questions: Any, form: Any, script: list[str]) -> Any:
    """A model's ``generate`` that writes the script's reply to each question, token by token, until a row is ended."""
    prompts = token_ids(tokenizer, [prompt_text(tokenizer, form, question) for question in questions])
    told = {
        tuple(ids): [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        for ids, text in zip(prompts, script, strict=True)
    }

    def generate(input_ids: Any, attention_mask: Any, stopping_criteria: Any, **_: Any) -> Any:
        said = [told[tuple(row[mask.bool()].tolist())] for row, mask in zip(input_ids, attention_mask, strict=True)]
        ended = torch.zeros(len(said), dtype=torch.bool)
        for step in range(max(map(len, said))):
            new = [row[step] if step < len(row) and not over else 0 for row, over in zip(said, ended, strict=True)]
            input_ids = torch.cat([input_ids, torch.tensor(new).unsqueeze(1)], dim=1)
            ended |= stopping_criteria(input_ids, None) if stopping_criteria else False
        return input_ids

    return generate


def test_draws_are_repeatable_and_differ(model: Any, tokenizer: Any, questions: Any, forms: Any) -> None:
    limits: dict[str, Any] = {"max_new_tokens": 8, "batch_tokens": 4_000}
    state = torch.random.get_rng_state()
    drawn = replies(model, tokenizer, questions * 2, forms["explain"], draw=Draw(1.0, 1.0, 3), **limits)
    assert drawn == replies(model, tokenizer, questions * 2, forms["explain"], draw=Draw(1.0, 1.0, 3), **limits)
    assert drawn[:4] != drawn[4:] and torch.equal(state, torch.random.get_rng_state())
    assert drawn != replies(model, tokenizer, questions * 2, forms["explain"], draw=Draw(1.0, 1.0, 4), **limits)
    cold = replies(model, tokenizer, questions, forms["explain"], draw=Draw(1e-4, 1.0, 4), **limits)
    assert cold == replies(model, tokenizer, questions, forms["explain"], **limits)


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
