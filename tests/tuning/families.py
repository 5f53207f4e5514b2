"""Small tokenizers of the families of models that TRL has training templates for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import trl
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from med_small_lm.tuning.tokenizer import ready_tokenizer, train_tokenizer

TEXTS = ["What causes scurvy? Lack of vitamin C, says the book. USER: ASSISTANT: user assistant model system\n\n"] * 3
TEMPLATES = {
    path.name.removesuffix("_training.jinja"): path.read_text(encoding="utf-8")
    for path in sorted((Path(trl.__file__).parent / "chat_templates").glob("*_training.jinja"))
}
OF_IMAGES = {"idefics3", "llava_next", "smolvlm"}  # their messages are lists of pieces: they write no plain text
PIECES = ("gemma", "phi3")  # families whose tokenizer is SentencePiece's; the others' is byte-level
MODERN = (  # the pre-tokenizer of Llama 3, Qwen and most after them
    r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SAID = "scurvy Gout? 3.5 is (A) caused by naïve β-cells, 40% C."


def made(kind: str, template: str | None) -> Any:
    """A small tokenizer of a family's kind, with the special tokens that its template names."""
    named = re.findall(r"<[|｜/]?[^<>\s'\"{}%=+]{1,40}[|｜]?>", template or "")
    special = list(dict.fromkeys(["</s>", "<s>", *sorted(named)]))
    own = Tokenizer(models.BPE())
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if kind == "pieces":
        own.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        own.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
        own.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
        alphabet = sorted({*"".join(TEXTS), *SAID, "▁"} - {" "})
    elif kind == "modern":
        bytes_alone = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        split = pre_tokenizers.Split(Regex(MODERN), "isolated")
        own.pre_tokenizer, own.decoder = pre_tokenizers.Sequence([split, bytes_alone]), decoders.ByteLevel()
    else:  # GPT-2's leaves white space out of the offsets
        own.pre_tokenizer, own.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        own.post_processor = processors.ByteLevel(trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=len(special) + 330, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    own.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=own,
        eos_token="</s>",
        bos_token="<s>",
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )


def ready(name: str) -> Any:
    if name == "own":
        return train_tokenizer(TEXTS, 400, 128)
    if name.startswith("plain"):
        return ready_tokenizer(made(name.removeprefix("plain, "), None), name)
    return ready_tokenizer(made("pieces" if name.startswith(PIECES) else "modern", TEMPLATES[name]), name)


def llama() -> Any:
    """A small tokenizer like LLaMA's, made ready: pieces, no template, and texts begin with <s>."""
    own = made("pieces", None)
    begin = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", own.bos_token_id)])
    own.backend_tokenizer.post_processor = begin
    return ready_tokenizer(own, "llama")


NAMES = ["own", "plain, gpt2", "plain, modern", "plain, pieces", *sorted(set(TEMPLATES) - OF_IMAGES)]
