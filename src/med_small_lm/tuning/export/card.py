"""The card of exported data: what it holds, whence it comes, under which terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from med_small_lm.markdown import table
from med_small_lm.schemas.rows import Conversation, Question, Rationale
from med_small_lm.tuning.cards import PURPOSE, binding, head
from med_small_lm.tuning.licences import terms_of

Records = Sequence[Conversation] | Sequence[Question] | Sequence[Rationale]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of an export: the records that it was made from, and how many rows it has."""

    name: str
    file: str
    records: Records
    rows: int
    sha256: str
    left_out: int = 0


def card(form: str, parts: Sequence[Part], extra: Mapping[str, str], version: str, models: Mapping[str, str]) -> str:
    """Returns the README: for the hub a head that names licence and files, then counts, terms and provenance.

    Args:
        form: the export's form.
        parts: the files of records.
        extra: what else lies in the folder, and what it is.
        version: the project's version.
        models: what the records' makers were, by what they made.
    """
    licences = sorted({record.licence for part in parts for record in part.records})
    lines = [
        *head(licences, _told(parts)),
        "# Training data from medical textbooks", "",
        f"Made by med-small-lm {version}, form `{form}`. {PURPOSE}", "",
        "## Files", "",
        table(["file", "rows", "records", "left out", "SHA-256"], [
            [f"`{p.file}`", f"{p.rows:,}", f"{len(p.records):,}", f"{p.left_out:,}", f"`{p.sha256}`"] for p in parts
        ]), "",
        *(f"`{name}`: {what}" + "  " for name, what in extra.items()), "",
        *(["Left out are conversations in which user and assistant do not take turns.", ""]
          if any(part.left_out for part in parts) else []),
        "## Licences", "",
        table(["part", "source", "licence", "records", "terms"], _uses(parts)), "",
        binding(licences, "these data"), "",
        "## Provenance", "",
        "Every record names what it was made from: `passage_ids` are a book and a hash of section and text,"
        " `parent_ids` are questions and rationales, or file and line of an instruction set from outside.", "",
        *(f"- {what}: {model}" for what, model in models.items()), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _told(parts: Sequence[Part]) -> dict[str, Any]:
    """Returns what the hub reads: which file is which configuration, and that nothing else in the folder is."""
    configs: list[dict[str, Any]] = [
        {"config_name": part.name, "data_files": [{"split": "train", "path": part.file}]} for part in parts
    ]
    configs[0]["default"] = True
    kind = {"task_categories": ["text-generation", "question-answering"], "tags": ["medical", "synthetic"]}
    return {**kind, "configs": configs}


def _uses(parts: Sequence[Part]) -> list[list[str]]:
    """Returns a line of the licences' table for each part, source and licence."""
    lines = []
    for part in parts:
        counts = Counter((getattr(record, "source", ""), record.licence) for record in part.records)
        for (source, licence), count in counts.items():
            lines.append([part.name, source, licence, f"{count:,}", ", ".join(terms_of(licence).named())])
    return lines
