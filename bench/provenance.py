"""Whether every kept record of a run leads back to where it came from: `python bench/provenance.py [FOLDER OF DATA]`.

Without a folder, a copy of the project is run with every method switched on at a small share, an exam with a train
split, instruction sets and a knowledge graph that this script makes. Each kept record must name passages of the books,
or records and lines from outside that are there, a call of the teacher's ledger where the teacher wrote it, and a
licence. The files are read here without the project's code. No peer's published records name what they were made from.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from _figures import say
from _project import ROOT, copy, environment, ran

TEACHERS = ("questions", "book_exam", "cases", "rephrasings", "rationales", "exam_rationales", "refusals", "dialogues",
            "rewritings", "paraphrases")  # fmt: skip
OUTSIDE = ("exam_questions", "instructions", "instructions_raw", "graph_prompts")
IDS = {"question_id", "rationale_id", "rephrasing_id", "example_id"}
METHODS = ("exam_like", "exam_like: multi", "exam_like: yes_no", "case", "rephrasing", "summary", "atomic_facts",
           "link", "passage_cot", "gold_shown: general", "gold_shown: optionwise", "exam_cot", "dialogue", "refusal",
           "rewriting: clean", "rewriting: flashcard", "rewriting: heading", "paraphrase")  # fmt: skip
PARAMETERS = {
    "generate_questions": {
        "kinds": {"multi": 0.05, "yes_no": 0.05},
        "cases": {"share": 1.0},
        "augmentation": {"summary_share": 0.03, "atomic_facts_share": 0.03, "link_share": 0.03},
        "refusals": {"share": 0.05},
    },
    "synthesize_cot": {
        "styles": {"general": {"share": 0.05}, "optionwise": {"share": 0.05}},
        "exams": {"share": 1.0, "passages": 3},
        "dialogues": {"share": 0.05},
        "paraphrases": {"per_instruction": 2},
    },
}
CHAT = ("Hello doctor, I have a dry cough and my knees hurt when I climb {n} stairs.",
        "Hello, thanks for your question. A dry cough with sore knees for {n} days needs rest and fluids. Knees that "
        "hurt on stairs are often overworked. Hope I have answered your question. Regards.")  # fmt: skip
CARD = ("Colour of tendon band {n}", "pale grey, later a dull yellow")
SECTION = ("Treatment", "Tendon band {n} is treated with rest, ice and slow stretching of the calf.")
PLAIN = ("Name colour {n} of a tendon band.", "Tendon band {n} is grey at first and turns yellow within a week.")
SETS = {"chats": ("clean", CHAT), "cards": ("flashcard", CARD), "wiki": ("heading", SECTION), "plain": ("", PLAIN)}


def project(folder: Path) -> Path:
    """A copy of the project with every method switched on, and what it reads from outside."""
    made = copy(folder)
    (made / "outside").mkdir()
    sets: dict[str, dict[str, Any]] = {}
    for name, (way, (asked, said)) in SETS.items():
        rows = [{"instruction": asked.format(n=n), "output": said.format(n=n)} for n in range(2, 22)]
        (made / f"outside/{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        sets[name] = {"file": f"outside/{name}.jsonl", "reader": "alpaca", "licence": "CC BY 4.0"}
        sets[name] |= {"rewrite": way} if way else {}
    told = [f"tendon band {n}\ttreated with\tankle sling {n}\tA grey band of kind {n}." for n in range(20)]
    (made / "outside/graph.tsv").write_text("\n".join(["head\trelation\ttail\tdescription", *told]) + "\n", "utf-8")
    columns = {name: name for name in ("head", "relation", "tail", "description")}
    graphs = {"tendons": {"file": "outside/graph.tsv", "kind": "tsv", "licence": "CC0-1.0", "columns": columns}}
    pocket = "data/01_raw/benchmarks/pocket_exam.jsonl"
    train = train_items((made / pocket).read_text(encoding="utf-8").casefold())
    (made / "outside/exam.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in train), encoding="utf-8")
    exams = {"pocket_exam": {"file": pocket}, "with_train": {"file": "outside/exam.jsonl", "scored": False}}
    files = {"instructions": sets, "graphs": graphs, "benchmarks": exams, "parameters": PARAMETERS}
    for name, content in files.items():
        (made / f"conf/local/{name}.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return made


def train_items(known: str) -> Iterator[dict[str, Any]]:
    """The train split of an exam: questions on facts of the books whose subject no exam names."""
    facts = pd.read_csv(ROOT / "data/01_raw/pocket_facts.csv", dtype=str)
    for n, fact in enumerate(facts[[subject.casefold() not in known for subject in facts["subject"]]].itertuples()):
        same = facts[(facts["kind"] == fact.kind) & (facts["attribute"] == fact.attribute)]["value"]
        texts = [fact.value, *dict.fromkeys(value for value in same if value != fact.value)][:4]
        if len(texts) == 4:
            yield {
                "question_id": f"train-{n}", "source": "with_train", "split": "train", "kind": "single",
                "stem": f"Which of the following is the {fact.attribute} of {fact.subject}?", "answer_text": fact.value,
                "options": [{"key": key, "text": text} for key, text in zip("ABCD", texts, strict=True)],
                "answer_keys": ["A"], "licence": "CC0",
            }  # fmt: skip


def finished(folder: Path) -> bool:
    """Whether the three data pipelines and the two assemblies end well in a copy of the project."""
    if not ran(folder):
        return False
    command = [sys.executable, "-m", "kedro", "run", "--nodes", "assemble_corpus,assemble_conversations"]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True)
    print(done.stderr[-3000:] if done.returncode else "", end="", file=sys.stderr)
    return not done.returncode


class Known:
    """Everything that a record of a run may name."""

    def __init__(self, data: Path) -> None:
        """Read it from the run's folder of data."""
        self.passages = set(pd.read_parquet(data / "03_primary/passages.parquet")["passage_id"])
        self.records: dict[str, dict[str, Any]] = {}
        for name in (*TEACHERS, *OUTSIDE, "benchmarks"):
            for row in rows(data / f"04_feature/{name}.parquet"):
                self.records |= {row[key]: row for key in IDS & row.keys() if row[key]}
        with closing(sqlite3.connect(f"file:{data / '02_intermediate/teacher.sqlite'}?mode=ro", uri=True)) as ledger:
            self.calls = {row[0] for row in ledger.execute("SELECT call_id FROM calls WHERE status = 'ok'")}
        sets, graphs = (rows(data / f"08_reporting/{name}_report.parquet") for name in ("instructions", "graphs"))
        self.files = {one["source"]: Path(one["file"]) for one in sets}
        self.graphs: dict[str, dict[str, int]] = defaultdict(dict)
        for one in graphs:
            self.graphs[one["graph"]][Path(one["file"]).name] = one["rows"]

    def has(self, parent: str, record: Mapping[str, Any]) -> bool:
        """Whether a parent is there: a passage, a record, a line of a set's file, a graph's entity, an instruction."""
        if parent in self.passages or parent in self.records:
            return True
        name, _, line = parent.rpartition(":")
        if record.get("source", "") in self.graphs:  # a row's place, or the key of an entity that the row names
            n_rows = self.graphs[record.get("source", "")].get(name)
            return bool(parent) if n_rows is None else line.isdigit() and 0 < int(line) <= n_rows + 1
        if record.get("method") == "paraphrase":
            return parent == f"i-{sha256(record['messages'][0]['content'].encode()).hexdigest()[:12]}"
        file = self.files.get(record.get("source", ""), Path())
        file = file if file.is_file() else file / name
        return line.isdigit() and file.is_file() and 0 < int(line) <= len(file.read_bytes().splitlines())

    def fault(self, record: Mapping[str, Any]) -> str:
        """What a record lacks, empty if it leads back to where it came from."""
        passages, parents = list(record["passage_ids"]), list(record.get("parent_ids", ()))
        if not set(passages) <= self.passages:
            return "a passage is not there"
        if not passages and "rationale_id" in record:
            parents = [record["question_id"]]
        if not passages and not parents:
            return "neither passage nor source"
        if not all(self.has(parent, record) for parent in parents):
            return "a parent is not there"
        rows_of = self.graphs.get(record.get("source", ""))
        if rows_of and not any(parent.rpartition(":")[0] in rows_of for parent in parents):
            return "no row of the graph"
        return "" if record["licence"].strip() else "no licence"


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The records of a file, one after another."""
    yield from pd.read_parquet(file).to_dict("records")  # type: ignore[misc]


def resolved(data: Path) -> tuple[bool, Counter[str]]:
    """Whether all resolves, by the kept records of each method and what is trained on; how many of each are kept."""
    known, good = Known(data), True
    kept: Counter[str] = Counter()
    faults: dict[str, Counter[str]] = defaultdict(Counter)
    for name in (*TEACHERS, "instructions", "graph_prompts"):
        for record in rows(data / f"04_feature/{name}.parquet"):
            method = record["method"] if name in TEACHERS else name
            fault = known.fault(record)
            if not fault and name in TEACHERS and record["call_id"] not in known.calls:
                fault = "no call of the ledger's"
            kept[method] += 1
            faults[method][fault] += 1
    for method, n in kept.items():
        share = faults[method][""] / n
        print({method: {fault: n for fault, n in faults[method].items() if fault}}, file=sys.stderr)
        good &= say(f"{method}: {n:,} kept records that lead back to their source", share, "1", share == 1, "share")
    for name in ("corpus", "conversations"):
        trained = list(rows(data / f"05_model_input/{name}.parquet"))
        bad = Counter(known.fault(record) for record in trained)
        share = bad[""] / max(len(trained), 1)
        said = f"{name}: {len(trained):,} texts trained on that lead back to their source"
        good &= say(said, share, "1", share == 1, "share")
    return good, kept


def main(arguments: list[str]) -> int:
    """The exit status: 0 if every figure met its goal."""
    if arguments:
        return 0 if resolved(Path(arguments[0]))[0] else 1
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = project(Path(folder) / "every_method")
        if not finished(made):
            return 1
        good, kept = resolved(made / "data")
        none = [method for method in METHODS if not any(name.startswith(method) for name in kept)]
        said = f"methods that kept a record, of {len(METHODS)}" + (f" (none: {', '.join(none)})" if none else "")
        return 0 if say(said, len(METHODS) - len(none), f"{len(METHODS)}", not none, "methods") and good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
