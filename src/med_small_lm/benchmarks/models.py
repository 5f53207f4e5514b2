"""A checkpoint's model and tokenizer, read from its folder and from nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from med_small_lm.adapters import AdapterError, chain, merged
from med_small_lm.answers.forms import Form
from med_small_lm.schemas.rows import Question

Model: TypeAlias = Any
Tokenizer: TypeAlias = Any


class CheckpointError(ValueError):
    """A folder that holds no checkpoint that can be evaluated."""


def load(
    folder: Path, device: str | None = None, *, chat: bool = True, adapters: Sequence[Path] = ()
) -> tuple[Model, Tokenizer]:
    """Returns the model, ready to be asked, and its tokenizer.

    Only safetensors are read, no code of the folder is run, nothing is fetched. On a CPU the weights are float32; on
    a GPU they are bfloat16. An adapter is merged into the models that it was trained on.

    Args:
        folder: a checkpoint in Hugging Face layout, a chat template in its tokenizer.
        device: "cpu", "cuda" or "cuda:1"; a GPU where there is one unless it is said.
        chat: whether it is asked in turns; one without a chat template can only be asked in plain text.
        adapters: folders of PEFT adapters from elsewhere that are put on it; the last tokenizer that one has is used.

    Raises:
        CheckpointError: the folder is missing, or holds no model, no safetensors, not all weights, no tokenizer, or
            no chat template for turns; or it holds an adapter whose parents are gone or are others.
    """
    disable_progress_bar()
    folder = Path(folder)
    try:
        known = chain(folder)
    except AdapterError as error:
        raise CheckpointError(str(error)) from error
    if not (known.base / "config.json").is_file():
        raise CheckpointError(f"{known.base} holds no model: config.json is missing")
    if not any(known.base.glob("*.safetensors")):
        raise CheckpointError(f"{known.base} holds no *.safetensors; other weight files are not read")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    closed: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        own = [adapter for adapter in adapters if (adapter / "tokenizer_config.json").is_file()]
        tokenizer = AutoTokenizer.from_pretrained(str([folder, *own][-1]), **closed)
        read: Any = AutoModelForCausalLM.from_pretrained(
            str(known.base), dtype=dtype, use_safetensors=True, output_loading_info=True, **closed
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} cannot be read: {error}") from error
    model, said = read
    if said["missing_keys"]:
        # transformers would fill these with random numbers, and the scores would look like a model that learnt nothing.
        raise CheckpointError(f"{known.base} lacks weights: {', '.join(sorted(said['missing_keys'])[:3])} …")
    if chat and not tokenizer.chat_template:
        raise CheckpointError(f"{folder} has no chat template in its tokenizer, so nothing says how it is asked")
    try:
        model = merged(model, [*known.adapters, *adapters])
    except AdapterError as error:
        raise CheckpointError(str(error)) from error
    return model.to(device).eval(), tokenizer


def prompt_text(tokenizer: Tokenizer, form: Form, question: Question, shots: Sequence[Question] = ()) -> str:
    """Returns the prompt as the chat template writes it, up to where the reply begins, special tokens spelt out.

    ``shots`` are examples that stand before the question with their right answers.
    """
    messages = [{"role": message.role, "content": message.content} for message in form.messages(question, shots)]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def answered_text(
    tokenizer: Tokenizer, form: Form, question: Question, reply: str, shots: Sequence[Question] = ()
) -> str:
    """Returns prompt and reply as the chat template writes them, up to the reply's last character.

    Between the two some families write more than the prompt ends with: a space, a channel, an empty thought. A template
    that rewrites what is replied leaves the prompt and the reply one behind the other.
    """
    messages = [{"role": message.role, "content": message.content} for message in form.messages(question, shots)]
    turn = {"role": "assistant", "content": reply}
    text = str(tokenizer.apply_chat_template([*messages, turn], tokenize=False))
    end = text.rfind(reply)
    return prompt_text(tokenizer, form, question, shots) + reply if end < 0 else text[: end + len(reply)]


def token_ids(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """Returns the token ids of templated texts; the template has put in every special token, so none is added."""
    return [list(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []


def context_length(model: Model) -> int:
    """Returns how many tokens the model can read at once."""
    return int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)


def pad_id(tokenizer: Tokenizer) -> int:
    """Returns a token id to fill batches with; masks hide it, so that any will do."""
    for known in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if known is not None:
            return int(known)
    return 0


def end_ids(model: Model, tokenizer: Tokenizer) -> list[int]:
    """Returns the ids that end a reply: the tokenizer's and those of the checkpoint's generation settings."""
    settings = getattr(model, "generation_config", None)
    named = getattr(settings, "eos_token_id", None)
    ids = [named] if isinstance(named, int) else list(named or [])
    return sorted({int(token) for token in [tokenizer.eos_token_id, *ids] if token is not None})
