"""Exports are read by those that they are made for, say whence they come and under which terms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from med_small_lm.answers.forms import Form
from med_small_lm.params.instruction_tune import ConversationParams
from med_small_lm.schemas.rows import Conversation, Message, Passage, Question, Rationale
from med_small_lm.tuning.conversations import build_conversations
from med_small_lm.tuning.export.chats import alpaca, in_turns, sharegpt
from med_small_lm.tuning.export.write import CHATS, FORMS, Exported, export

S, U, A = "system", "user", "assistant"


def chat(name: str, *turns: tuple[str, str]) -> Conversation:
    return Conversation(name, "talks", "messages", [Message(*turn) for turn in turns], [f"talks.jsonl:{name}"], "", [],
                        "CC BY-NC-SA 4.0")  # fmt: skip


LONG = chat("1", (S, "Be kind."), (U, "Gout?"), (A, "Joints."), (U, "Scurvy?"), (A, "Vitamin C."), (U, "Thanks"))
ODD = chat("2", (A, "Hello."), (U, "Gout?"), (A, "Joints."))


@pytest.fixture(scope="session")
def data(
    passages: list[Passage], questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]
) -> Exported:
    made = build_conversations(questions, rationales, forms, ConversationParams(), 0)
    return Exported([*made, LONG, ODD], questions, rationales, passages, "1.2", {"write_questions": "a-teacher"})


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Any]:
    """Reads what was exported, with the `datasets` library and nothing else."""
    import datasets

    def load(kind: str, *rest: str, **more: Any) -> Any:
        return datasets.load_dataset(kind, *rest, split="train", cache_dir=str(tmp_path / "cache"), **more)

    return load


def test_turns_begin_with_the_user_and_end_with_the_assistant() -> None:
    assert [message.content for message in in_turns(LONG) or []] == [
        "Be kind.", "Gout?", "Joints.", "Scurvy?", "Vitamin C."
    ]  # fmt: skip
    assert in_turns(ODD) is None
    assert in_turns(chat("3", (U, "Gout?"), (U, "Gout?"), (A, "Joints."))) is None
    assert in_turns(chat("4", (S, "Be kind."))) is None


def test_rows_of_the_forms() -> None:
    messages = in_turns(LONG) or []
    [row] = sharegpt(messages)
    assert [turn["from"] for turn in row["conversations"]] == ["system", "human", "gpt", "human", "gpt"]
    first, second = alpaca(messages)
    assert first == {"instruction": "Gout?", "input": "", "output": "Joints.", "system": "Be kind."}
    assert second["input"] == "User: Gout?\nAssistant: Joints." and second["output"] == "Vitamin C."


def test_a_dataset_for_the_hub(data: Exported, tmp_path: Path, loaded: Callable[..., Any]) -> None:
    folder = tmp_path / "hub"
    parts = export("huggingface", data, folder, "a-model")
    for part in parts:
        assert len(loaded(str(folder), part.name)) == part.rows == len(getattr(data, part.name))
    first = loaded(str(folder))[0]
    assert first["messages"][0] == {"role": "system", "content": "Explain."} and first["passage_ids"] == ["book-0"]
    places = loaded("parquet", data_files=str(folder / "places.parquet"))
    assert set(first["passage_ids"]) <= set(places["passage_id"]) and "text" not in places.column_names


@pytest.mark.parametrize("form", sorted(CHATS))
def test_a_chat_form_is_read_back_row_by_row(
    form: str, data: Exported, tmp_path: Path, loaded: Callable[..., Any]
) -> None:
    folder = tmp_path / form
    [part] = export(form, data, folder, "a-model")  # type: ignore[arg-type]
    rows = loaded(str(folder))  # the folder as it stands: what lies beside the data is no row of it
    origins = [json.loads(line) for line in (folder / "provenance.jsonl").read_text().splitlines()]
    assert len(rows) == part.rows == len(origins) == 21 + (form == "alpaca") and part.left_out == 1
    assert [one["row"] for one in origins] == list(range(len(rows)))
    places = loaded("parquet", data_files=str(folder / "places.parquet"))
    assert {key for one in origins for key in one["passage_ids"]} <= set(places["passage_id"]), "lead to a page"
    assert origins[0]["passage_ids"] == ["book-0"] and origins[-1]["parent_ids"] == ["talks.jsonl:1"]
    if form in ("openai", "llama-factory", "axolotl"):
        assert rows.column_names == ["messages"], "OpenAI takes no other field"


@pytest.mark.parametrize("form", sorted(set(CHATS) - {"alpaca"}))
def test_trl_takes_the_chats(form: str, data: Exported, base: Any, tmp_path: Path, loaded: Callable[..., Any]) -> None:
    from transformers import AutoTokenizer
    from trl import apply_chat_template, is_conversational, maybe_convert_to_chatml

    export(form, data, tmp_path / form, "a-model")  # type: ignore[arg-type]
    tokenizer = AutoTokenizer.from_pretrained(base.path)
    if form == "sharegpt":  # its roles have other names, which a chat template must know
        tokenizer.chat_template = tokenizer.chat_template.replace("'assistant'", "'gpt'").replace("'user'", "'human'")
    for row in loaded("json", data_files=str(tmp_path / form / "conversations.jsonl")):
        chatml = maybe_convert_to_chatml(row)
        assert is_conversational(chatml)
        assert "<|assistant|>" in apply_chat_template(chatml, tokenizer)["text"]


def test_the_trainers_configuration_fits_the_data(data: Exported, tmp_path: Path) -> None:
    export("llama-factory", data, tmp_path / "l", "a-model")
    train = yaml.safe_load((tmp_path / "l/train.yaml").read_text())
    told = json.loads((tmp_path / "l/dataset_info.json").read_text())[train["dataset"]]
    row = json.loads((tmp_path / "l" / told["file_name"]).read_text().splitlines()[0])
    tags = told["tags"]
    roles = {tags["user_tag"], tags["assistant_tag"], tags["system_tag"]}
    assert {turn[tags["role_tag"]] for turn in row[told["columns"]["messages"]]} <= roles
    assert all(turn[tags["content_tag"]] for turn in row[told["columns"]["messages"]])
    assert train["model_name_or_path"] == "a-model"
    export("axolotl", data, tmp_path / "a", "a-model")
    config = yaml.safe_load((tmp_path / "a/axolotl.yaml").read_text())
    [source] = config["datasets"]
    assert (tmp_path / "a" / source["path"]).is_file() and source["field_messages"] in row
    assert config["base_model"] == "a-model" and source["roles_to_train"] == ["assistant"]


@pytest.mark.parametrize("form", FORMS)
def test_the_card_says_counts_terms_and_makers(form: str, data: Exported, tmp_path: Path) -> None:
    parts = export(form, data, tmp_path / form, "a-model")  # type: ignore[arg-type]
    card = (tmp_path / form / "README.md").read_text()
    head = yaml.safe_load(card.split("---")[1])
    assert head["license"] == "other"
    assert [one["data_files"][0]["path"] for one in head["configs"]] == [part.file for part in parts]
    assert "CC BY-NC-SA 4.0 (non-commercial, share-alike)" in card and "write_questions: a-teacher" in card
    assert all(f"`{part.file}` | {part.rows}" in card and part.sha256 in card for part in parts)


def test_one_plain_licence_is_named_as_the_hub_names_it(data: Exported, tmp_path: Path) -> None:
    alone = Exported([Conversation("1", "a", "alpaca", LONG.messages, [], "", [], "CC BY 4.0")], [], [], [], "1", {})
    export("huggingface", alone, tmp_path / "a", "a-model")
    card = (tmp_path / "a/README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["license"] == "cc-by-4.0" and "asks for more" in card
    assert not (tmp_path / "a/places.parquet").exists()


def test_a_folder_that_holds_something_is_left_alone(data: Exported, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds something already"):
        export("openai", data, tmp_path, "a-model")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
