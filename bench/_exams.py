"""The public exams and texts at hand (`../shared/data`), read for the contamination figures."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from med_small_lm.schemas.rows import Option, Question

SHARED = Path(__file__).resolve().parents[2] / "shared/data"
EXAMS = SHARED / "benchmarks"
KEYS = "ABCDEFGHIJ"

_CHOICES = re.compile(r"\s*Answer Choices:\s*")
_CHOICE = re.compile(r"\(([A-J])\)\s*")


def question(
    name: str, source: str, stem: str, options: Mapping[str, str], keys: Sequence[str], **more: str
) -> Question:
    """A single-answer question of the test split."""
    rows = [Option(key, text) for key, text in options.items()]
    answer = more.pop("answer", "; ".join(options[key] for key in keys if key in options))
    return Question(name, source, "test", "single" if rows else "open", stem, rows, list(keys), answer, **more)


def exams() -> list[Question]:
    """Every item at hand: MedQA with 4 and 5 options, MedMCQA, PubMedQA, MMLU, K-QA."""
    return [*medqa("medqa"), *medqa("medqa_5options"), *medmcqa(), *pubmedqa(), *mmlu(), *k_qa()]


def medqa(folder: str) -> Iterator[Question]:
    """MedQA-USMLE, test."""
    for n, row in enumerate(lines(EXAMS / folder / "test.jsonl")):
        yield question(f"{folder}-{n}", folder, row["question"], row["options"], [row["answer_idx"]])


def medmcqa() -> Iterator[Question]:
    """MedMCQA, dev; the options stand in the question."""
    for n, row in enumerate(lines(EXAMS / "medmcqa/dev.jsonl")):
        stem, _, rest = row["question"].partition("\nAnswer Choices:")
        parts = _CHOICE.split(rest)[1:]
        options = dict(zip(parts[::2], (text.strip() for text in parts[1::2]), strict=True))
        yield question(f"medmcqa-{n}", "medmcqa", stem, options, row["label"])


def pubmedqa() -> Iterator[Question]:
    """PubMedQA, the labelled 1,000, with their abstracts."""
    for name, row in json.loads((EXAMS / "pubmedqa/ori_pqal.json").read_text(encoding="utf-8")).items():
        options = {"A": "yes", "B": "no", "C": "maybe"}
        key = next(key for key, text in options.items() if text == row["final_decision"])
        context = " ".join(row["CONTEXTS"])
        yield question(f"pubmedqa-{name}", "pubmedqa", row["QUESTION"], options, [key], context=context)


def mmlu() -> Iterator[Question]:
    """MMLU's six medical subjects, test."""
    for n, row in enumerate(lines(EXAMS / "mmlu_medical/test.jsonl")):
        yield question(f"mmlu-{n}", "mmlu_medical", row["question"], row["options"], [row["answer_idx"]])


def k_qa() -> Iterator[Question]:
    """K-QA's questions; the answers where there are any."""
    answers = {row["Question"]: row["Free_form_answer"] for row in lines(EXAMS / "k_qa/questions_w_answers.jsonl")}
    for n, row in enumerate(lines(EXAMS / "k_qa/questions.jsonl")):
        yield question(f"k_qa-{n}", "k_qa", row["Question"], {}, [], answer=answers.get(row["Question"], ""))


def own_exam() -> Iterator[Question]:
    """The multiple-choice questions of the anatomy textbook."""
    for n, row in enumerate(lines(SHARED / "textbooks/anatomy_physiology.exam.jsonl")):
        options = dict(zip(KEYS, row["options"], strict=False))
        yield question(f"openstax-{n}", "openstax", row["question"], options, [row["answer"]])


def medquad() -> Iterator[tuple[str, str]]:
    """MedQuAD's questions and answers."""
    for page in medquad_pages():
        yield from page


def medquad_pages() -> Iterator[list[tuple[str, str]]]:
    """The same page by page, where there is an answer."""
    for path in sorted((SHARED / "instructions/medquad").glob("*/*.xml")):
        pairs = ET.parse(path).getroot().iter("QAPair")
        told = [((pair.findtext("Question") or "").strip(), pair.findtext("Answer") or "") for pair in pairs]
        if found := [(stem, " ".join(answer.split())) for stem, answer in told if answer.strip()]:
            yield found


def notes() -> Iterator[tuple[str, str]]:
    """MTS-Dialog's dialogues and the notes on them."""
    for path in sorted((SHARED / "instructions/mts_dialog").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield row["dialogue"], row["section_text"]


def instructions() -> Iterator[tuple[str, str]]:
    """The general instructions and their outputs."""
    for path in sorted((SHARED / "instructions/alpaca_seed_tasks").glob("*.jsonl")):
        for row in lines(path):
            yield row["instruction"], row["instances"][0]["output"]


def sentences(book: str) -> list[str]:
    """The sentences of a textbook's paragraphs, 8 to 40 words."""
    texts = [row["text"] for row in lines(SHARED / f"textbooks/{book}.truth.jsonl") if row["kind"] == "para"]
    found = [s.strip() for text in texts for s in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)]
    return [s for s in dict.fromkeys(found) if 8 <= len(s.split()) <= 40]


def lines(path: Path) -> Iterator[dict]:
    """The rows of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())
