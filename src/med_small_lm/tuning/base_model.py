"""The base model: a tiny Llama of random weights, or any other causal language model in Hugging Face layout."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from med_small_lm.errors import UserError
from med_small_lm.hub import hub_open
from med_small_lm.params.knowledge_injection import TINY, BaseModelParams
from med_small_lm.tuning.cards import CARD
from med_small_lm.tuning.checkpoint import (
    MANIFEST,
    Checkpoint,
    CheckpointError,
    Draft,
    Outcome,
    Plan,
    digest,
    finished,
)
from med_small_lm.tuning.templates import TokenizerError
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer, check_vocabulary, ready_tokenizer, train_tokenizer
from med_small_lm.tuning.weights import save, without_bars

LOG = logging.getLogger(__name__)


def make_base(texts: Sequence[str], params: BaseModelParams, seed: int, folder: Path) -> Checkpoint:
    """Returns the base model's checkpoint in ``folder``.

    Args:
        texts: what the tiny model's tokenizer is trained on; another source brings its own.
        params: the source, and the tiny model's shape.
        seed: of the tiny model's random weights.
        folder: where the checkpoint goes.

    Raises:
        CheckpointError: the source cannot be read, or ``folder`` holds something else.
        UserError: its tokenizer or chat template does not serve, or is another model's.
    """
    tiny = params.source == TINY
    data = {"texts": digest(sorted(texts))} if tiny else {"source": _source_digest(params.source)}
    plan = Plan("base", {}, data, {**params.model_dump(mode="json"), **({"seed": seed} if tiny else {})})
    if done := finished(folder, plan):
        return done
    draft, began = Draft(folder, plan), time.perf_counter()
    model, tokenizer = tiny_model(texts, params, seed) if tiny else _other_model(params)
    save(model, tokenizer, draft.path)
    n = sum(weight.numel() for weight in model.parameters())
    LOG.info("base: %s, %.2f M parameters, %d tokens of vocabulary", params.source, n / 1e6, len(tokenizer))
    spent = time.perf_counter() - began
    return draft.publish(Outcome(0, 0, float("nan"), spent, licences=() if tiny else _licences(params.source)), [])


def tiny_model(texts: Sequence[str], params: BaseModelParams, seed: int) -> tuple[Any, PreTrainedTokenizer]:
    """Returns a Llama with random weights in float32, and a tokenizer trained on the texts."""
    tokenizer = train_tokenizer(texts, params.vocab_size, params.positions)
    torch.manual_seed(seed)
    return LlamaForCausalLM(llama_config(params, tokenizer)), tokenizer


def llama_config(params: BaseModelParams, tokenizer: PreTrainedTokenizer) -> LlamaConfig:
    """Returns the shape of the tiny model; its output layer is its embedding, which saves a third of the weights."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=params.hidden_size,
        intermediate_size=params.intermediate_size,
        num_hidden_layers=params.layers,
        num_attention_heads=params.heads,
        num_key_value_heads=params.heads,
        max_position_embeddings=params.positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _other_model(params: BaseModelParams) -> tuple[Any, PreTrainedTokenizer]:
    """Returns a model of a folder or of the hub: no code of its own is run, no pickled weights are read."""
    closed: dict[str, Any] = {
        "trust_remote_code": False, "local_files_only": not params.allow_download, "revision": params.revision or "main"
    }  # fmt: skip
    with hub_open(params.allow_download), without_bars():
        try:
            tokenizer = AutoTokenizer.from_pretrained(params.source, **closed)
            model = AutoModelForCausalLM.from_pretrained(params.source, use_safetensors=True, dtype="auto", **closed)
        except (OSError, ValueError, KeyError) as error:
            hint = "" if params.allow_download else " (not in the local cache? allow_download: true lets it be fetched)"
            raise CheckpointError(f"the base model {params.source!r} cannot be read{hint}: {error}") from error
    try:
        ready = ready_tokenizer(tokenizer, params.source)
        embedding: Any = model.get_input_embeddings()
        check_vocabulary(ready, embedding.num_embeddings, params.source)
    except TokenizerError as error:
        raise UserError(f"knowledge_injection.base.source: {error}") from error
    return model, ready


def _licences(source: str) -> tuple[str, ...]:
    """Returns the licences of a model from elsewhere: those of our own manifest, that of its card, else unknown."""
    folder = Path(source)
    if (folder / MANIFEST).is_file():
        return tuple(Checkpoint.read(folder).manifest.licences)
    card = (folder / CARD).read_text(encoding="utf-8", errors="replace") if (folder / CARD).is_file() else ""
    named = re.search(r"^license:\s*(\S+)", card, re.MULTILINE)
    told = folder.resolve().name if folder.is_dir() else source  # others need not know where it lay
    return (named.group(1) if named else f"unknown: see the base model {told}",)


def _source_digest(source: str) -> str:
    """Returns what tells one source from another: a folder's files with sizes and times, or a name on the hub."""
    folder = Path(source)
    if not folder.is_dir():
        return source
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(path.relative_to(folder).as_posix(), path.stat()) for path in files]
    return digest([[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats])
