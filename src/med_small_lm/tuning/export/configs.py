"""What LLaMA-Factory and Axolotl want beside the data: a description of it, and a run that starts as it stands."""

from __future__ import annotations

import json
from typing import Any

import yaml

DATASET = "med_small_lm"
EPOCHS, LEARNING_RATE = 3, 2e-5
"""MedAlpaca, Meerkat and PMC-LLaMA: 3 epochs; MedAlpaca and PMC-LLaMA: 2e-5, full fine-tuning."""


def configs_of(form: str, data: str, model: str) -> dict[str, str]:
    """Returns the files beside the data by name; none for a form that is no trainer's.

    Args:
        form: the export's form.
        data: name of the data's file, in the same folder.
        model: name or folder of the model to train.
    """
    if form == "llama-factory":
        return {
            "dataset_info.json": json.dumps(_described(data), indent=2) + "\n",
            "train.yaml": _yaml(_factory(model)),
        }
    return {"axolotl.yaml": _yaml(_axolotl(data, model))} if form == "axolotl" else {}


def _described(data: str) -> dict[str, Any]:
    """The description by which LLaMA-Factory finds the columns and the roles of OpenAI's form."""
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    }
    return {DATASET: {"file_name": data, "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}}


def _factory(model: str) -> dict[str, Any]:
    return {
        "model_name_or_path": model,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full",
        "dataset_dir": ".",
        "dataset": DATASET,
        "template": "default",
        "cutoff_len": 2048,
        "output_dir": "out",
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 16,
        "learning_rate": LEARNING_RATE,
        "num_train_epochs": float(EPOCHS),
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.03,
        "bf16": True,
    }


def _axolotl(data: str, model: str) -> dict[str, Any]:
    source = {
        "path": data,
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "roles_to_train": ["assistant"],
    }
    return {
        "base_model": model,
        "datasets": [source],
        "chat_template": "tokenizer_default_fallback_chatml",
        "val_set_size": 0,
        "output_dir": "out",
        "sequence_len": 2048,
        "sample_packing": True,
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 16,
        "num_epochs": EPOCHS,
        "optimizer": "adamw_torch",
        "lr_scheduler": "cosine",
        "learning_rate": LEARNING_RATE,
        "warmup_ratio": 0.03,
        "bf16": "auto",
    }


def _yaml(settings: dict[str, Any]) -> str:
    return yaml.safe_dump(settings, sort_keys=False)
