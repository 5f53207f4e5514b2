"""The tokenizer is the same for the same texts, loses nothing, and spends a token a turn."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tuning.families import llama, made
from tokenizers import normalizers
from transformers import AutoTokenizer

from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks import models
from med_small_lm.errors import UserError
from med_small_lm.params.knowledge_injection import BaseModelParams
from med_small_lm.schemas.rows import Conversation, CorpusText, Message, Question
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.held_out import read_held_out
from med_small_lm.tuning.injection import token_ids, tokenise
from med_small_lm.tuning.masking import encode
from med_small_lm.tuning.packing import Documents, PackedTexts
from med_small_lm.tuning.tokenizer import (
    BEGIN,
    PLAIN_TEMPLATE,
    TokenizerError,
    begins,
    ready_tokenizer,
    train_tokenizer,
)

TEXTS = ["Scurvy is caused by lack of vitamin C.", "Beriberi is caused by lack of thiamine.", "Naïve β-blockers."]
CHAT = [{"role": "system", "content": "Explain."}, {"role": "user", "content": "What causes scurvy?"},
        {"role": "assistant", "content": "Lack of vitamin C."}]  # fmt: skip
TOKENIZER = train_tokenizer(TEXTS, 400, 128)


def test_order_of_the_texts_does_not_matter() -> None:
    other = train_tokenizer(TEXTS[::-1], 400, 128)
    assert other.backend_tokenizer.to_str() == TOKENIZER.backend_tokenizer.to_str()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\ue000\ue001"), max_size=60))
def test_round_trip_of_any_text(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    told = TOKENIZER.decode(ids)
    assert told in (text, f" {text}")


def test_a_sentence_is_the_same_tokens_wherever_it_stands() -> None:
    alone = TOKENIZER("Lack of vitamin C.", add_special_tokens=False)["input_ids"]
    inside = TOKENIZER("Scurvy. Lack of vitamin C.", add_special_tokens=False)["input_ids"]
    turn = TOKENIZER.apply_chat_template(CHAT[2:], tokenize=True, return_dict=True)["input_ids"]
    assert inside[1 - len(alone) :] == alone[1:]  # the mark of the capital grows together with the full stop
    assert turn == [TOKENIZER.convert_tokens_to_ids("<|assistant|>"), *alone, TOKENIZER.eos_token_id]


def test_prompt_is_the_beginning_of_the_whole_and_a_turn_costs_one_token() -> None:
    whole = TOKENIZER.apply_chat_template(CHAT, tokenize=True, return_dict=True)["input_ids"]
    prompt = TOKENIZER.apply_chat_template(CHAT[:2], tokenize=True, return_dict=True, add_generation_prompt=True)
    words = sum(len(TOKENIZER(m["content"], add_special_tokens=False)["input_ids"]) for m in CHAT)
    assert whole[: len(prompt["input_ids"])] == prompt["input_ids"]
    assert len(whole) == words + 3 + 1  # a token for each turn, and the end


def test_saved_tokenizer_is_the_same(tmp_path: Path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(str(tmp_path), local_files_only=True)
    assert again.chat_template == TOKENIZER.chat_template
    assert again(TEXTS)["input_ids"] == TOKENIZER(TEXTS)["input_ids"]
    told = again.apply_chat_template(CHAT, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    assert sum(told["assistant_masks"]) == len(TOKENIZER(CHAT[2]["content"], add_special_tokens=False)["input_ids"]) + 1


def test_unknown_role_is_refused() -> None:
    with pytest.raises(Exception, match="no such role"):
        TOKENIZER.apply_chat_template([{"role": "doctor", "content": "Hm."}])


def test_another_models_tokenizer_gets_what_is_missing() -> None:
    other = train_tokenizer(TEXTS, 400, 128)
    other.backend_tokenizer.normalizer = normalizers.NFC()
    other.chat_template, other.pad_token = None, None
    ready = ready_tokenizer(other, "other")
    assert ready.pad_token_id == ready.eos_token_id and ready.chat_template == PLAIN_TEMPLATE
    told = ready.apply_chat_template(CHAT, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    reply = [i for i, flag in zip(told["input_ids"], told["assistant_masks"], strict=True) if flag]
    assert ready.decode(reply) == " Lack of vitamin C.<|end|>"


def test_a_model_that_reads_behind_a_beginning_is_trained_and_measured_behind_it(
    corpus: list[CorpusText], questions: list[Question], forms: dict[str, Form], tmp_path: Path
) -> None:
    """LLaMA's and Mistral's tokenizers put <s> before each text; ours, and GPT-2's, nothing."""
    own = llama()
    bos, eos = own.bos_token_id, own.eos_token_id
    asked = models.token_ids(own, [models.prompt_text(own, forms["explain"], questions[0])])[0]
    turns = [*forms["explain"].messages(questions[0]), Message("assistant", "Uric acid.")]
    (told,) = encode(own, [Conversation("e", "s", "m", turns, [], "q", [], "CC0")])
    assert own.chat_template == BEGIN + PLAIN_TEMPLATE and told.input_ids.tolist().count(bos) == 1
    assert told.input_ids[: len(asked)].tolist() == asked and asked[0] == bos and not told.under_loss[0]
    tokenise(own, corpus, tmp_path)
    documents = Documents.read(tmp_path, "book")
    assert all(ids[0] == bos and bos not in ids[1:] for ids in documents)
    stream = PackedTexts(documents, eos, 8, sum(documents.lengths) // 8, 0, separate=False)
    ids = np.concatenate([stream[row]["input_ids"] for row in range(len(stream))]).tolist()
    assert {before for before, one in zip(ids, ids[1:], strict=False) if one == bos} == {eos} and ids[0] == bos
    held_out = [text for texts in read_held_out(tmp_path).values() for text in texts]
    assert held_out and all(text.input_ids[0] == bos for text in held_out)
    assert all(not learnt[0] and learnt[1:].all() for text in held_out for _, learnt in text.stretches(1000))
    assert not begins(TOKENIZER) and token_ids(TOKENIZER, ["Gout."]) == [TOKENIZER("Gout.")["input_ids"]]
    assert not begins(made("gpt2", None)) and token_ids(own, [""]) == [[]]


def test_tokenizer_that_cannot_serve_is_refused() -> None:
    other = train_tokenizer(TEXTS, 400, 128)
    other.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    with pytest.raises(TokenizerError, match="generation markers"):
        ready_tokenizer(other, "other")
    other.eos_token = None
    with pytest.raises(TokenizerError, match="end-of-text"):
        ready_tokenizer(other, "other")


def test_a_base_model_with_another_models_tokenizer_is_told_in_a_line(base: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(base.path, folder)
    (folder / "manifest.json").unlink()
    words = [f"word{n} is number {n} of many others" for n in range(3000)]
    train_tokenizer(words, 900, 128).save_pretrained(folder)
    with pytest.raises(UserError, match="base.source: .*its tokenizer does not match the model"):
        make_base([], BaseModelParams(source=str(folder)), 0, tmp_path / "base")


def test_a_base_model_without_padding_and_template_gets_both(base: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(base.path, folder)
    (folder / "manifest.json").unlink()
    bare = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    bare.chat_template, bare.pad_token = None, None
    for file in folder.glob("chat_template*"):
        file.unlink()
    bare.save_pretrained(folder)
    made = make_base([], BaseModelParams(source=str(folder)), 0, tmp_path / "base")
    ready = AutoTokenizer.from_pretrained(str(made.path), local_files_only=True)
    assert ready.chat_template == PLAIN_TEMPLATE and ready.pad_token_id == ready.eos_token_id
