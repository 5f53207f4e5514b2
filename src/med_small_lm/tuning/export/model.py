"""A checkpoint as a folder for others: merged weights, tokenizer, chat template, settings of generation, card.

The folder is a whole checkpoint as well, so that it can be a base model here, its licences known.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import GenerationConfig

from med_small_lm.atomic import fsync, replace_folder
from med_small_lm.tuning.cards import CARD
from med_small_lm.tuning.checkpoint import MANIFEST, Checkpoint, write_manifest
from med_small_lm.tuning.export.evidence import public
from med_small_lm.tuning.export.gguf import GGUF
from med_small_lm.tuning.weights import load, save

EXPORT = "export.json"
"""Says of a folder that it is an export, which files are its own, and their SHA-256."""
LOADING = ("is_local", "local_files_only", "name_or_path", "trust_remote_code")
"""How a tokenizer was loaded here, which transformers saves with it; it concerns nobody else."""


def export_model(checkpoint: Checkpoint, folder: Path, card: str, version: str) -> dict[str, str]:
    """Returns the SHA-256 of each file that was written to ``folder``, which is whole or as it was before.

    Args:
        checkpoint: what is exported; adapters are merged into their model.
        folder: where it goes; an earlier export there is replaced.
        card: the text of ``README.md``.
        version: the project's version.

    Raises:
        FileExistsError: see ``check_target``.
    """
    folder = folder.resolve()
    check_target(folder)
    made = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    try:
        _write_model(checkpoint, made)
        (made / CARD).write_text(card, encoding="utf-8")
        sizes = {file.name: file.stat().st_size for file in sorted(made.iterdir())}
        digests = {name: _sha256(made / name) for name in sizes}
        write_manifest(made, replace(public(checkpoint.manifest), files=sizes))
        told = {"made_by": f"med-small-lm {version}", "sha256": digests}
        (made / EXPORT).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        for file in made.iterdir():
            file.chmod(0o644)  # safetensors are written for their owner alone; a server may be somebody else
            fsync(file)
        replace_folder(folder, made)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return digests


def check_target(folder: Path) -> None:
    """Return nothing if a folder may be written: it is not there, empty, or holds an export as it was written.

    Raises:
        FileExistsError: it holds what no export wrote, or what was changed since, and would be lost.
    """
    if not folder.exists():
        return
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*")} if folder.is_dir() else {""}
    if not held:
        return
    if EXPORT not in held:
        raise FileExistsError(f"{folder} holds something that is no earlier export: name a new folder")
    try:
        own = json.loads((folder / EXPORT).read_text(encoding="utf-8"))["sha256"]
    except (ValueError, KeyError, TypeError) as problem:
        raise FileExistsError(f"{folder / EXPORT} cannot be read ({problem}): name a new folder") from problem
    if others := sorted(held - {*own, EXPORT, MANIFEST, GGUF}):
        raise FileExistsError(f"{folder} holds {others[0]}, which no export wrote: move it away or name a new folder")
    if changed := [name for name in sorted(held & set(own)) if _sha256(folder / name) != own[name]]:
        raise FileExistsError(
            f"{folder / changed[0]} was changed since it was exported: move it away or name a new folder"
        )


def _write_model(checkpoint: Checkpoint, folder: Path) -> None:
    """Leave the whole model in the folder: as it is asked in the pipeline, it writes the likeliest reply to its end."""
    model, tokenizer = load(checkpoint)
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=end_ids(model, tokenizer), pad_token_id=tokenizer.pad_token_id
    )
    for name in LOADING:
        tokenizer.init_kwargs.pop(name, None)
    save(model, tokenizer, folder)


def end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Returns the tokens that end a reply: the tokenizer's and those of the model's settings of generation."""
    named = model.generation_config.eos_token_id
    ids = [tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])]
    return sorted({token for token in ids if token is not None})


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
