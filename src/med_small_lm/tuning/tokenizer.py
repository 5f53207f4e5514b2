"""The tokenizer: byte-level BPE of the texts themselves, with a chat template that costs one token a turn."""

from __future__ import annotations

import logging
import string
from collections.abc import Iterable
from typing import Any, TypeAlias

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from med_small_lm.tuning.templates import TRIED, TokenizerError, check_template, ready_template

LOG = logging.getLogger(__name__)

PreTrainedTokenizer: TypeAlias = Any

PAD, EOS, SYSTEM, USER, ASSISTANT = "<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"
SPECIAL = (PAD, EOS, SYSTEM, USER, ASSISTANT)

CAPITAL, NEWLINE = "\ue000", "\ue001"
"""Stand for a word's capital and for the end of a line; private characters that no text has."""

# One token opens a turn, and only the assistant's has an end: the next turn's token ends the others.
# What stands between the generation markers, the end of the turn too, is what the loss is taken on.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|>' }}{% generation %}{{ message['content'] | trim + '<|end|>' }}{% endgeneration %}"
    "{% elif message['role'] in ('system', 'user') %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] | trim }}"
    "{% else %}{{ raise_exception('no such role: ' + message['role']) }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

# For a base model of any make that has no template: roles in plain words (Meerkat's cards write them so), because new
# special tokens would need new rows in the embedding.
PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ 'ASSISTANT:' }}{% generation %}{{ ' ' + message['content'] | trim + eos_token }}{% endgeneration %}"
    "{% elif message['role'] == 'user' %}{{ 'USER: ' + message['content'] | trim + '\\n' }}"
    "{% elif message['role'] == 'system' %}{{ message['content'] | trim + '\\n' }}"
    "{% else %}{{ raise_exception('no such role: ' + message['role']) }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


BEGIN = "{{ bos_token }}"
"""Stands before the plain template of a model that reads texts behind a beginning-of-text token."""


def train_tokenizer(texts: Iterable[str], vocab_size: int, max_length: int) -> PreTrainedTokenizer:
    """Returns a byte-level BPE tokenizer of the texts, the same for the same texts in any order.

    A word is the same tokens wherever it stands, which saves a small model from learning each twice: every text and
    every line is read as if a space stood before it, and a word's capital is written as a mark of its own::

        Gout is painful. In gout, DNA …      CAPITAL gout is painful .CAPITAL in gout , DNA …

    Args:
        texts: what the merges are counted on.
        vocab_size: tokens in all, the 256 bytes and the special ones among them; fewer where the texts have fewer.
        max_length: the longest text that the model takes, in tokens.
    """
    bpe = Tokenizer(models.BPE())
    bpe.normalizer = _capitals_marked()
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = _capitals_restored()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=list(SPECIAL), initial_alphabet=sorted(alphabet), show_progress=False
    )
    bpe.train_from_iterator(sorted(texts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        eos_token=EOS,
        extra_special_tokens=[SYSTEM, USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
    )


def _capitals_marked() -> normalizers.Normalizer:
    """Returns what puts a space before a line, and turns " Gout" into CAPITAL " gout"; "DNA" stays as it is."""
    marks = [
        normalizers.Replace(Regex(f" {letter}(?=[a-z])"), f"{CAPITAL} {letter.lower()}")
        for letter in string.ascii_uppercase
    ]
    return normalizers.Sequence([normalizers.Prepend(" "), normalizers.Replace("\n", f"{NEWLINE} "), *marks])


def _capitals_restored() -> decoders.Decoder:
    """Returns what turns tokens into text again, a mark that stands before no word left out."""
    letters = [decoders.Replace(f"{CAPITAL} {letter.lower()}", f" {letter}") for letter in string.ascii_uppercase]
    left = [decoders.Replace(f"{NEWLINE} ", "\n"), decoders.Replace(NEWLINE, "\n"), decoders.Replace(CAPITAL, "")]
    return decoders.Sequence([decoders.ByteLevel(), *letters, *left])


def ready_tokenizer(tokenizer: PreTrainedTokenizer, name: str) -> PreTrainedTokenizer:
    """Returns another model's tokenizer with what training needs: an end, a padding and a template with markers.

    Raises:
        TokenizerError: it has no end-of-text token, or a template that does not serve: see ``check_template``.
    """
    if tokenizer.eos_token_id is None:
        raise TokenizerError(f"{name}: its tokenizer has no end-of-text token")
    if tokenizer.pad_token_id is None:
        LOG.info("%s: no padding token, its end-of-text token serves for it", name)
        tokenizer.pad_token = tokenizer.eos_token
    if not tokenizer.is_fast:
        raise TokenizerError(f"{name}: its tokenizer does not say where in a text a token stands (it is no fast one)")
    if tokenizer.chat_template:
        tokenizer.chat_template = ready_template(tokenizer, name)
    else:
        LOG.info("%s: no chat template, a plain one is added (USER: … ASSISTANT: …)", name)
        tokenizer.chat_template = (BEGIN if begins(tokenizer) else "") + PLAIN_TEMPLATE
    check_template(tokenizer, name)
    return tokenizer


def begins(tokenizer: PreTrainedTokenizer) -> bool:
    """Returns whether a model reads texts behind a beginning-of-text token: its tokenizer puts one there itself."""
    return tokenizer.bos_token_id is not None and tokenizer("x")["input_ids"][:1] == [tokenizer.bos_token_id]


def check_vocabulary(tokenizer: PreTrainedTokenizer, rows: int, name: str) -> None:
    """Returns nothing if the model has an embedding for each token that texts and chats are made of.

    Args:
        tokenizer: ready for training.
        rows: of the model's embedding.
        name: of the model, for the error.

    Raises:
        TokenizerError: it has not: the tokenizer is another model's.
    """
    chat = tokenizer.apply_chat_template(list(TRIED), tokenize=True, return_dict=True)["input_ids"]
    highest = max(tokenizer.vocab_size - 1, *chat, *(n for n in tokenizer.all_special_ids if n is not None))
    if highest >= rows:
        raise TokenizerError(
            f"{name}: its tokenizer does not match the model: it has a token {highest}, "
            f"the embedding ends at {rows - 1}"
        )
