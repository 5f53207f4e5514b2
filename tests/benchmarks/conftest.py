"""A real, tiny Llama with random weights, its tokenizer, and a few questions to ask it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.likelihood import option_scores
from med_small_lm.schemas.rows import Option, Question

TEMPLATE = (
    "{{ '<s>' }}{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ '</s>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
TEXTS = (
    "Which drug treats atonic seizures? The answer is valproate.",
    "The thymus derives from the third pharyngeal pouch. The answer is mesencephalon.",
    "A 45-year-old man has hypertension and metabolic alkalosis. Explain, then answer.",
    "The answer is left sixth aortic arch. Vitamin D deficiency causes rickets.",
)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    special = ["<pad>", "<s>", "</s>", "<system>", "<user>", "<assistant>"]
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bare.train_from_iterator(TEXTS * 3, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=bare, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    made.chat_template = TEMPLATE
    return made


def llama(vocabulary: int, **changes: Any) -> LlamaForCausalLM:
    torch.manual_seed(0)
    settings = {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "initializer_range": 0.3,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "tie_word_embeddings": False,
    }
    return LlamaForCausalLM(LlamaConfig(**{**settings, **changes})).eval()


@pytest.fixture(scope="session")
def make_llama() -> Callable[..., LlamaForCausalLM]:
    return llama


@pytest.fixture(scope="session")
def make_question() -> Callable[..., Question]:
    return question


@pytest.fixture(scope="session")
def model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    return llama(len(tokenizer))


@pytest.fixture(scope="session")
def checkpoint(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tuned"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def plain_score(model: Any, prompt: list[int], reply: list[int]) -> float:
    """The textbook way: no batch, no padding, no cache, one softmax a token."""
    with torch.inference_mode():
        table = torch.log_softmax(model(torch.tensor([prompt + reply])).logits[0].double(), dim=-1)
    return sum(float(table[len(prompt) + place - 1, token]) for place, token in enumerate(reply))


@pytest.fixture(scope="session")
def check_scores() -> Callable[..., None]:
    """Fails where an option's log-probability is not what the textbook way finds."""

    def check(model: Any, tokenizer: Any, questions: Any, prompts: Any, within: float = 1e-4, **limits: Any) -> None:
        found = option_scores(model, tokenizer, questions, prompts, **{"batch_tokens": 10_000, **limits})
        for one, asked, entries in zip(questions, prompts.ask(tokenizer, questions), found, strict=True):
            assert [entry.key for entry in entries] == [option.key for option in one.options]
            assert [entry.n_tokens for entry in entries] == [len(reply) for reply in asked.replies]
            expected = [plain_score(model, asked.prompt, reply) for reply in asked.replies]
            assert [entry.logprob for entry in entries] == pytest.approx(expected, abs=within)

    return check


def question(number: int, stem: str, options: list[str], right: str = "A", **changes: Any) -> Question:
    listed = [Option(key, text) for key, text in zip("ABCDE", options, strict=False)]
    answer = next(option.text for option in listed if option.key == right)
    return Question(f"exam-{number:04}", "exam", "test", "single", stem, listed, [right], answer, **changes)


@pytest.fixture(scope="session")
def questions() -> list[Question]:
    return [
        question(1, "Which drug treats atonic seizures?", ["valproate", "aspirin", "vitamin D", "furosemide"]),
        question(2, "Where does the thymus of a 45-year-old man come from?", ["third pharyngeal pouch", "thymus"], "B"),
        question(3, "Short?", ["left sixth aortic arch", "left", "left sixth", "right", "none"], "C"),
        question(4, "Why?" * 12, ["hypertension", "hypotension", "rickets"], "C", context="A man has been seen."),
    ]


@pytest.fixture(scope="session")
def forms() -> dict[str, Form]:
    return {
        "direct": Form("direct", "Answer.", "hidden", "The answer is", False),
        "explain": Form("explain", "Explain, then answer.", "hidden", "The answer is", False),
        "letters": Form("letters", "", "listed", "Answer:", True),
    }
