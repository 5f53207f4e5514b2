"""Every family's chat template: exactly the replies carry loss, and evaluation asks as training wrote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tuning.families import NAMES, OF_IMAGES, SAID, TEMPLATES, made, ready

from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.models import prompt_text, token_ids
from med_small_lm.benchmarks.prompts import ChatPrompts
from med_small_lm.schemas.rows import Conversation, Message, Option, Question
from med_small_lm.tuning.masking import encode
from med_small_lm.tuning.templates import TokenizerError
from med_small_lm.tuning.tokenizer import check_vocabulary, ready_tokenizer

LEADS = ("", "<think></think>", "final", "to=user")  # what some families put between the prompt and a reply's words
WORDS = st.lists(st.sampled_from(SAID.split()), min_size=1,
                 max_size=8).map(" ".join)  # fmt: skip
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3)


TOKENIZERS: dict[str, Any] = {}


def test_the_installed_trl_has_templates_to_meet() -> None:
    assert len(TEMPLATES) >= 30 and set(TEMPLATES) >= OF_IMAGES | {"llama3", "qwen3", "gemma", "phi3"}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4, deadline=None)
@given(pairs=PAIRS, system=st.one_of(st.just(""), WORDS))
def test_replies_alone_carry_loss_and_the_prompt_is_evaluations(name: str, pairs: list[Any], system: str) -> None:
    tokenizer = TOKENIZERS.setdefault(name, None) or ready(name)
    TOKENIZERS[name] = tokenizer
    turns = [Message("system", system)] if system else []
    for asked, told in pairs:
        turns += [Message("user", asked), Message("assistant", told)]
    (example,) = encode(tokenizer, [Conversation("e", "s", "m", turns, [], "", [], "CC0")])
    ids, flags = example.input_ids.tolist(), example.under_loss.tolist()
    closing = {*tokenizer.get_added_vocab().values(), tokenizer.eos_token_id}
    expected = [False] * len(ids)
    for place, turn in enumerate(turns):
        if turn.role != "assistant":
            continue
        chat = [{"role": one.role, "content": one.content} for one in turns[:place]]
        prompt = tokenizer.apply_chat_template(chat, tokenize=True, add_generation_prompt=True, return_dict=True)
        start = len(prompt["input_ids"])
        assert ids[:start] == prompt["input_ids"]  # what is learnt stands behind what will be asked, token by token
        end = start + flags[start:].index(False) if False in flags[start:] else len(ids)
        lead, _, rest = tokenizer.decode(ids[start:end], skip_special_tokens=True).rpartition(turn.content)
        assert "".join(lead.split()) in LEADS and not rest.strip()
        assert next(n for n in reversed(ids[start:end]) if tokenizer.decode([n]).strip()) in closing
        expected[start:end] = [True] * (end - start)
    assert flags == expected  # 1.0 and 1.0: loss on the replies with their ends, and on nothing else
    assert np.count_nonzero(flags)


@pytest.mark.parametrize("name", NAMES)
def test_the_prompt_of_evaluation_and_the_reply_are_the_training_text(name: str) -> None:
    tokenizer = TOKENIZERS.get(name) or ready(name)
    form = Form("direct", "Answer.", "listed", "The answer is", True)
    options = [Option("A", "lack of vitamin C"), Option("B", "lack of niacin")]
    question = Question("q", "s", "test", "single", "What causes scurvy?", options, ["A"], "", context="At sea.")
    turns = [*form.messages(question), Message("assistant", form.reply(options[0]))]
    (example,) = encode(tokenizer, [Conversation("e", "s", "m", turns, [], "", [], "CC0")])
    (prompt,) = token_ids(tokenizer, [prompt_text(tokenizer, form, question)])
    first = int(np.argmax(example.under_loss))
    assert example.input_ids[: len(prompt)].tolist() == prompt and first == len(prompt)
    (scored,) = ChatPrompts(form).ask(tokenizer, [question])  # by likelihood the reply is read where training has it
    whole = [*scored.prompt, *scored.replies[0]]
    assert example.input_ids[: len(whole)].tolist() == whole


@pytest.mark.parametrize("name", sorted(OF_IMAGES))
def test_a_template_that_writes_no_plain_text_is_refused(name: str) -> None:
    with pytest.raises(TokenizerError, match=f"{name}: its chat template"):
        ready_tokenizer(made("modern", TEMPLATES[name]), name)


def test_a_template_that_asks_otherwise_than_it_writes_is_refused() -> None:
    template = (
        "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ 'A:' }}"
        "{% generation %}{{ m['content'] + eos_token }}{% endgeneration %}"
        "{% else %}{{ 'Q:' + m['content'] }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'B:' }}{% endif %}"
    )
    with pytest.raises(TokenizerError, match="asks in another way than it writes"):
        ready_tokenizer(made("modern", template), "m")
    endless = template.replace(" + eos_token", "").replace("'B:'", "'A:'")
    with pytest.raises(TokenizerError, match="marks no end of a reply"):
        ready_tokenizer(made("modern", endless), "m")
    assert ready_tokenizer(made("modern", template.replace("'B:'", "'A:'")), "m").chat_template


def test_a_tokenizer_of_another_model_is_refused() -> None:
    tokenizer = ready("plain, gpt2")
    check_vocabulary(tokenizer, len(tokenizer), "m")
    with pytest.raises(
        TokenizerError, match=rf"m: its tokenizer does not match the model: .*ends at {len(tokenizer) - 2}"
    ):
        check_vocabulary(tokenizer, len(tokenizer) - 1, "m")
