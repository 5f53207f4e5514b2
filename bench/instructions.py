"""Instruction sets and exports: `python bench/instructions.py`.

The sets lie in `../shared/data/instructions`; "skipped" without them. Records are counted a second time by code of its
own. A made-up set with planted faults shows that these, and only these, are stopped. Exports of a made-up run are read
back by `datasets`; the chat forms train a tiny model for two steps in TRL's `SFTTrainer`.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _figures import say

from med_small_lm import quiet  # noqa: F401  before datasets
from med_small_lm.params.knowledge_injection import BaseModelParams
from med_small_lm.schemas.rows import Conversation, Message, Option, Passage, Question, Rationale, Verdict
from med_small_lm.synthesis.gates.phi import phi
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.export.write import FORMS, Exported, export
from med_small_lm.tuning.instructions.gather import Gathered, gather
from med_small_lm.tuning.instructions.sources import InstructionSource, known_sets

SETS = Path(__file__).resolve().parents[2] / "shared/data/instructions"
SMALL = BaseModelParams(vocab_size=400, hidden_size=32, intermediate_size=64, layers=1, heads=2, positions=256)
KINDS = ("conversations", "questions", "rationales")
N = 2_000  # sound records of the planted set


def unjudged(documents: Iterable[Any]) -> Iterator[Verdict]:
    """A contamination gate that stops nothing: here the readers are measured."""
    return (Verdict("contamination", "pass", 0.0) for _ in documents)


def counted(name: str, folder: Path) -> int:
    """The records of a set's files, counted by their own marks."""
    if name == "medquad":
        texts = (file.read_text(encoding="utf-8") for file in folder.rglob("*.xml"))
        return sum(len(re.findall(r"<question\b", text, re.IGNORECASE)) for text in texts)
    if name == "mts_dialog":
        tables = [csv.DictReader(file.open(encoding="utf-8", newline="")) for file in folder.glob("*.csv")]
        return sum(1 for table in tables for _ in table)
    lines = (folder / "seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    return sum(len(json.loads(line)["instances"]) for line in lines)


def stands(folder: Path, place: str, words: list[str]) -> bool:
    """Whether a record's place leads to it: its first words stand in the file from that line on, before others."""
    file, _, line = place.rpartition(":")
    rest = "\n".join((folder / file).read_text(encoding="utf-8").split("\n")[int(line) - 1 :][:400])
    return " ".join(words) in " ".join(re.findall(r"[a-zA-Z]+", rest))


def real() -> bool:
    """All records of the real sets are read, and each leads back to its file and line."""
    good = True
    for name in ("medquad", "mts_dialog", "alpaca_seed_tasks"):
        if not (SETS / name).exists():
            good &= say(f"{name}: records read", "skipped", "all", None, f"no {SETS / name}")
            continue
        known = known_sets().sets[name]
        found = gather([InstructionSource(name, SETS / name, known.reader, known.licence)], unjudged, phi, 0)
        [report], wanted = found.reports, counted(name, SETS / name)
        lost = sum(one.count for one in report.stopped if one.gate == "schema")
        same = report.read == wanted and not lost
        good &= say(f"{name}: records read", report.read - lost, f"{wanted}, as in the files", same, "records")
        astray = sum(not stands(SETS / name, one.parent_ids[0], key_of(one.messages)) for one in found.kept)
        good &= say(f"{name}: records that do not stand where they say", astray, "0", astray == 0, "records")
        again = [one.first for one in report.stopped if one.gate == "duplicate"]
        print({"set": name, "kept": report.kept, "stopped": report.stopped, "again": again}, file=sys.stderr)
    return good


def key_of(messages: list[Message]) -> list[str]:
    """The first words of a record's first line as its file has them, without our own instruction to write a note."""
    asked = messages[0].content
    said = asked.split("\n\n", 1)[1] if asked.startswith("Write the section ") else asked
    plain = re.split(r"[^ -~]|[\"'&]", said, maxsplit=1)[0]  # what no file writes otherwise
    return re.findall(r"[a-zA-Z]+", plain)[:8]


BAD = {
    "malformed JSON": '{"instruction": "x", "output": ',
    "no object": '["x", "y"]',
    "no output": '{"instruction": "x"}',
    "an empty output": '{"instruction": "x", "output": "  "}',
    "an output that is no text": '{"instruction": "x", "output": 3}',
    "half a character": '{"instruction": "\\ud800", "output": "y"}',
}


def planted(folder: Path) -> bool:
    """A made-up set: its faults are counted one by one, the sound records all come through."""
    lines = [json.dumps({"instruction": f"What is {n}?", "input": "", "output": f"It is {n}."}) for n in range(N)]
    for place, bad in enumerate(BAD.values()):
        lines[place * 300 : place * 300] = [bad] * 10
    lines += [lines[-1]] * 5  # said before
    file = folder / "planted.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found: Gathered = gather([InstructionSource("planted", file, "alpaca", "CC0")], unjudged, phi, 0, shown=0)
    stopped = Counter(one.gates[-1].gate for one in found.rejected)
    wanted = {"schema": 10 * len(BAD), "duplicate": 5}
    ok = len(found.kept) == N and stopped == wanted and len(found.reports[0].stopped) == len(BAD) + 1
    return say(f"planted set of {len(lines)}: kept, stopped by reason", [len(found.kept), dict(stopped)],
               f"{N}, {wanted}, every reason told", ok, "records")  # fmt: skip


def made() -> Exported:
    """A run of twenty questions, and one dialogue of several turns."""
    passage = Passage("book-1", "book", 1, "Scurvy", 3, 4, "Scurvy is a lack of vitamin C.", 7, "0" * 64, "CC BY 4.0")
    options = [Option("A", "vitamin C"), Option("B", "iron")]
    questions = [
        Question(f"q-{n}", "book", "train", "single", f"Case {n}: which lack causes scurvy?", options, ["A"],
                 "vitamin C", passage_ids=["book-1"], licence="CC BY 4.0", call_id="c")
        for n in range(20)
    ]  # fmt: skip
    whys = [
        Rationale(f"r-{q.question_id}", q.question_id, "cot", "It is vitamin C.", ["A"], [], "c", ["book-1"],
                  "CC BY 4.0") for q in questions
    ]  # fmt: skip
    asked = [("system", "Answer."), ("user", "What is scurvy?"), ("assistant", "A lack of vitamin C.")]
    turns = [*asked, ("user", "And rickets?"), ("assistant", "A lack of vitamin D.")]
    chats = [
        Conversation(f"{q.question_id}-explain", "book", "explain",
                     [Message("user", q.stem), Message("assistant", "It is vitamin C.")], [q.question_id],
                     q.question_id, ["book-1"], "CC BY 4.0")
        for q in questions
    ]  # fmt: skip
    chats.append(Conversation("talk-1", "talk", "messages", [Message(*turn) for turn in turns], ["talk.jsonl:1"], "",
                              [], "CC BY-NC-SA 4.0"))  # fmt: skip
    return Exported(chats, questions, whys, [passage], "0", {"questions": "a teacher"})


def exports(folder: Path) -> bool:
    """Every form is read back by `datasets` with the rows that were written; the chat forms by TRL as well."""
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    data, good, cache = made(), True, str(folder / "cache")
    base = make_base([one.stem for one in data.questions], SMALL, 0, folder / "base")
    for form in FORMS:
        target = folder / form
        parts = export(form, data, target, str(base.path))
        if form == "huggingface":
            read = {p.name: list(load_dataset(str(target), p.name, split="train", cache_dir=cache)) for p in parts}
            ok = read == {name: [asdict(one) for one in getattr(data, name)] for name in KINDS}
            good &= say("export huggingface, read back by datasets", sum(map(len, read.values())), "all", ok, "rows")
            continue
        rows = load_dataset(str(target), split="train", cache_dir=cache)
        ok = [spoken(row) for row in rows] == [turns for one in data.conversations for turns in wanted(form, one)]
        good &= say(f"export {form}, read back by datasets", len(rows), "all, word by word", ok, "rows")
        if form != "alpaca":
            loss = trained(base.path, rows, target / "out", form == "sharegpt")
            good &= say(f"export {form}, trained on by TRL: loss", loss, "finite", loss == loss, "nats a token")
    return good


def spoken(row: dict[str, Any]) -> list[str]:
    """What a row of any chat form says, turn by turn."""
    if "instruction" in row:
        return [row["system"], row["input"], row["instruction"], row["output"]]
    return [turn.get("content", turn.get("value")) for turn in row.get("messages", row.get("conversations"))]


def wanted(form: str, one: Conversation) -> list[list[str]]:
    """What the rows of a conversation have to say."""
    texts = [message.content for message in one.messages]
    if form != "alpaca":
        return [texts]
    if len(texts) == 2:
        return [["", "", *texts]]
    system, first, second, third, fourth = texts
    return [[system, "", first, second], [system, f"User: {first}\nAssistant: {second}", third, fourth]]


def trained(base: Path, rows: Any, folder: Path, is_sharegpt: bool) -> float:
    """The loss of two steps of TRL's trainer on the rows; of ShareGPT's roles our template has other names."""
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer, maybe_convert_to_chatml

    transformers.utils.logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)
    tokenizer = AutoTokenizer.from_pretrained(base)
    if is_sharegpt:
        rows = rows.map(maybe_convert_to_chatml)
        tokenizer.chat_template = tokenizer.chat_template.replace("'assistant'", "'gpt'").replace("'user'", "'human'")
    args = SFTConfig(
        output_dir=str(folder), max_steps=2, per_device_train_batch_size=4, report_to="none", use_cpu=True, bf16=False,
        assistant_only_loss=True, disable_tqdm=True, save_strategy="no", logging_strategy="no", max_length=256,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(base)
    loss = SFTTrainer(model, args, train_dataset=rows, processing_class=tokenizer).train().training_loss
    return float(loss)


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        good = real()
        good &= planted(folder)
        good &= exports(folder)
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
