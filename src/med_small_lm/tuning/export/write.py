"""An export as a folder: data, card, provenance, and the trainers' configuration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from med_small_lm.atomic import written_aside
from med_small_lm.schemas.parquet import written_records
from med_small_lm.schemas.rows import Conversation, Passage, Question, Rationale
from med_small_lm.tuning.cards import CARD
from med_small_lm.tuning.export.card import Part, Records, card
from med_small_lm.tuning.export.chats import CHATS, in_turns
from med_small_lm.tuning.export.configs import configs_of

Form = Literal["huggingface", "sharegpt", "alpaca", "openai", "llama-factory", "axolotl"]
FORMS: tuple[Form, ...] = get_args(Form)

DATA, PROVENANCE, PLACES = "conversations.jsonl", "provenance.jsonl", "places.parquet"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands, without its text: what a record's ``passage_ids`` lead to."""

    passage_id: str
    book: str
    section: str
    page_first: int
    page_last: int
    sha256: str
    licence: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What is exported: records as the pipeline keeps them; ``models`` says who made them."""

    conversations: Sequence[Conversation]
    questions: Sequence[Question]
    rationales: Sequence[Rationale]
    passages: Sequence[Passage]
    version: str
    models: Mapping[str, str]


def export(form: Form, data: Exported, folder: Path, model: str) -> list[Part]:
    """Returns the files of records that were written to ``folder``, which may hold no files before.

    ``huggingface`` has conversations, questions and rationales as configurations of one dataset; the others hold the
    conversations, and line by line in ``provenance.jsonl`` what each row was made from. All have the passages' places.

    Args:
        form: what is to read it.
        data: the records.
        folder: where it goes; made if it is not there.
        model: name or folder of the model that a trainer's configuration names.

    Raises:
        FileExistsError: the folder holds something.
        ValueError: there is no conversation.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} holds something already: name a new folder")
    if not data.conversations:
        raise ValueError("there is no conversation to export")
    folder.mkdir(parents=True, exist_ok=True)
    parts, extra = (_dataset(data, folder), {}) if form == "huggingface" else _chats(form, data.conversations, folder)
    if places := _places(data.passages, parts):
        with written_records(folder / PLACES, Place) as write:
            write(map(asdict, places))
        extra[PLACES] = "book, section and pages of every `passage_id`, without the text"
    for name, text in configs_of(form, DATA, model).items():
        _write(folder / name, text)
        extra[name] = "for the trainer; run it in this folder"
    _write(folder / CARD, card(form, parts, extra, data.version, data.models))
    return parts


def _dataset(data: Exported, folder: Path) -> list[Part]:
    """Write a Parquet file for each kind of record that there is."""
    kinds: list[tuple[str, type, Records]] = [
        ("conversations", Conversation, data.conversations),
        ("questions", Question, data.questions),
        ("rationales", Rationale, data.rationales),
    ]
    return [_parquet(folder, name, record, records) for name, record, records in kinds if records]


def _places(passages: Sequence[Passage], parts: Sequence[Part]) -> list[Place]:
    """Returns where the passages stand that the exported records were made from."""
    used = {key for part in parts for one in part.records for key in one.passage_ids}
    return [
        Place(p.passage_id, p.book, p.section, p.page_first, p.page_last, p.sha256, p.licence)
        for p in passages
        if p.passage_id in used
    ]


def _parquet(folder: Path, name: str, record: type, records: Records) -> Part:
    file = folder / f"{name}.parquet"
    with written_records(file, record) as write:
        write(asdict(one) for one in records)
    return Part(name, file.name, records, len(records), _sha256(file))


def _chats(form: str, conversations: Sequence[Conversation], folder: Path) -> tuple[list[Part], dict[str, str]]:
    """Write the conversations in one of the chat forms, and their provenance."""
    used: list[Conversation] = []
    rows = 0
    with _lines(folder / DATA) as data, _lines(folder / PROVENANCE) as provenance:
        for one in conversations:
            if messages := in_turns(one):
                made = list(CHATS[form](messages))
                used.append(one)
                data.extend(made)
                provenance.extend({"row": rows + place, **_origin(one)} for place in range(len(made)))
                rows += len(made)
    part = Part("conversations", DATA, used, rows, _sha256(folder / DATA), len(conversations) - len(used))
    return [part], {PROVENANCE: "what each row (counted from 0) was made from, and its licence"}


def _origin(conversation: Conversation) -> dict[str, Any]:
    """Returns all of a conversation but what is said."""
    return {name: value for name, value in asdict(conversation).items() if name != "messages"}


class _Lines:
    """A file of JSON Lines that is being written."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def extend(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _lines(target: Path) -> Iterator[_Lines]:
    with written_aside(target) as aside, aside.open("w", encoding="utf-8") as file:
        yield _Lines(file)
        file.flush()


def _write(target: Path, text: str) -> None:
    with written_aside(target) as aside:
        aside.write_text(text, encoding="utf-8")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
