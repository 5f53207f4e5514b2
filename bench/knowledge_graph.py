"""The knowledge graphs' figures: `python bench/knowledge_graph.py`.

A release of UMLS's form, five million rows, of which the maker knows what should become of each, is read and drawn
from in a process of its own, whose peak of memory is taken, and then goes through the whole node, its prompts through
the contamination gate of the pocket exam. The peer is the plain way: pandas reads the three files.
The Disease Ontology and PharmacotherapyDB (`../shared/data/knowledge_graph`) are read as a user would list them and go
through the contamination gate of the pocket exam, and of all benchmarks at hand.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from _exams import exams as public_exams
from _rrf import make

from med_small_lm.datasets.benchmark import BenchmarkDataset
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.pipelines.generate_questions.graphs import prompt_graphs
from med_small_lm.schemas.rows import GraphFile, Instruction, Question
from med_small_lm.schemas.tables import to_rows
from med_small_lm.synthesis.gates.verdicts import contamination
from med_small_lm.synthesis.graphs.model import GraphSource
from med_small_lm.synthesis.graphs.prompts import DESCRIPTION, document, examples_of
from med_small_lm.synthesis.graphs.reading import read_graph
from med_small_lm.synthesis.graphs.store import GraphStore
from med_small_lm.synthesis.heldout import guards_of

ROOT = Path(__file__).resolve().parents[1]
POCKET = ROOT / "data/01_raw/benchmarks/pocket_exam.jsonl"
REAL = ROOT.parent / "shared/data/knowledge_graph"
ROWS, CAP = 5_000_000, 99_000
EDGES = {"head": "disease", "tail": "drug", "head_id": "doid_id", "tail_id": "drugbank_id", "relation": "category"}
SAID = {
    "DM": "is modified in its course by",
    "SYM": "has symptoms that are relieved by",
    "NOT": "is not an indication for",
}
SYMPTOMS = {"head": "disease_label", "tail": "symptom_label", "head_id": "disease_id", "tail_id": "symptom_id"}


def say(name: str, value: Any, goal: str, ok: bool | str, unit: str = "", peer: Any = None) -> bool:
    """Print one figure as a JSON line; return whether it met its goal."""
    ratio = value / peer if peer else None
    line = {"figure": name, "value": value, "unit": unit, "goal": goal, "peer": peer, "ratio": ratio, "ok": ok}
    print(json.dumps(line), flush=True)
    return bool(ok)


def alone(job: Callable[..., Any], *told: Any) -> tuple[Any, float, float]:
    """What a job returns in a fresh process, its peak of memory in MB, and its seconds."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, job, told).result()


def _measured(job: Callable[..., Any], told: tuple[Any, ...]) -> tuple[Any, float, float]:
    start = time.perf_counter()
    made = job(*told)
    # Not getrusage: its peak begins with that of the process that this one was started from.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return made, int(peak.split()[1]) * 1024 / 1e6, time.perf_counter() - start


def drawn(source: GraphSource) -> tuple[list[GraphFile], list[Instruction]]:
    """What became of a graph's files, and its prompts."""
    with GraphStore() as store:
        files = read_graph(source, store)
        return files, list(examples_of(source, store, 0))


def node(source: GraphSource) -> int:
    """How many prompts the whole node keeps, with the pocket exam as guard."""
    exam = BenchmarkDataset(filepath=str(POCKET)).load().assign(source="pocket_exam")
    kept, *_ = prompt_graphs(exam, exam.head(0), GenerateQuestions(), graph_umls=source)
    return len(kept)


def by_pandas(folder: Path) -> int:
    """The rows of the three files as pandas reads them."""
    import pandas as pd

    frames = [
        pd.read_csv(folder / name, sep="|", header=None, dtype=str, on_bad_lines="skip", quoting=3)
        for name in ("MRCONSO.RRF", "MRDEF.RRF", "MRREL.RRF")
    ]
    return sum(map(len, frames))


def umls(folder: Path) -> bool:
    """Five million rows at a bounded memory, each with the fate that it was made for."""
    fates = make(folder, ROWS)
    source = GraphSource("umls", folder, "rrf", "UMLS", CAP)
    (files, prompts), memory, seconds = alone(drawn, source)
    _, peer, _ = alone(by_pandas, folder)
    good = say(f"peak of memory, UMLS-like RRF of {ROWS:,} rows", memory, "<= 500", memory <= 500, "MB", peer)
    say("the same: rows a second, draw included", ROWS / seconds, "", True, "rows/s")
    told: Counter[tuple[str, str]] = Counter()
    for file in files:
        told[file.file, "used"], told[file.file, "malformed"] = file.used, file.malformed
        told.update({(file.file, one.reason): one.count for one in file.left_out})
    wrong = sum(((told - fates) + (fates - told)).values())
    good &= say("the same: rows counted under another fate than they were made for", wrong, "0", wrong == 0, "rows")
    kinds = Counter(prompt.method for prompt in prompts)
    good &= say(f"the same: prompts at a cap of {CAP:,}", len(prompts), f"{CAP}", len(prompts) == CAP, "prompts")
    kept, memory, seconds = alone(node, source)
    say("the same: the whole node with the pocket exam as guard", seconds, "", True, "s")
    say("the same: its peak of memory, the prompts held", memory, "", True, "MB")
    good &= say("the same: prompts kept by its gate", kept, f">= {CAP // 2}", kept >= CAP // 2, "prompts")
    half = kinds[DESCRIPTION] / len(prompts)
    return good & say("the same: share of descriptions among them", half, "0.5", abs(half - 0.5) < 0.01, "share")


def real() -> bool:
    """The prompts of Disease Ontology and PharmacotherapyDB, and how many the benchmarks leave of them."""
    if not REAL.is_dir():
        return say("prompts of Disease Ontology and PharmacotherapyDB", None, ">= 5000", "skipped")
    ontology, drugs = REAL / "disease_ontology", REAL / "pharmacotherapydb"
    parents = {"head": "label", "head_id": "id", "tail": "subClassOf"}
    sources = [
        GraphSource("infections", ontology / "DO_infectious_disease_slim.obo", "obo", "CC0-1.0", 0),
        GraphSource("diseases", ontology / "HumanDO.tsv", "tsv", "CC0-1.0", 0, columns=parents, relation="is a"),
        GraphSource(
            "symptoms", ontology / "disease-symptom.tsv", "tsv", "CC0-1.0", 0, "ENG", (), SYMPTOMS, "has symptom"
        ),
        GraphSource("indications", drugs / "indications.tsv", "tsv", "CC0-1.0", 0, "ENG", (), EDGES, "", SAID),
    ]
    made: list[Instruction] = []
    faults = 0
    for source in sources:
        files, prompts = drawn(source)
        print({source.name: len(prompts), "files": files}, file=sys.stderr)
        made, faults = made + prompts, faults + sum(file.malformed for file in files)
    name = "prompts of Disease Ontology and PharmacotherapyDB"
    good = say(name, len(made), ">= 5000", len(made) >= 5000, "prompts")
    good &= say("the same: malformed rows", faults, "0", faults == 0, "rows")
    linked = sum(bool(one.licence and one.parent_ids) for one in made) / len(made)
    good &= say("the same: with licence, file, line and entities", linked, "1", linked == 1, "share")
    exams = to_rows(BenchmarkDataset(filepath=str(POCKET)).load(), Question)
    kept = left_by(made, exams)
    good &= say("the same: kept by the contamination gate, pocket exam", kept, ">= 5000", kept >= 5000, "prompts")
    kept = left_by(made, public_exams())
    return good & say("the same: all benchmarks at hand", kept, ">= 5000", kept >= 5000, "prompts")


def left_by(made: list[Instruction], exams: list[Question]) -> int:
    """How many prompts the contamination gate of these exams lets pass."""
    return sum(one.verdict == "pass" for one in contamination(map(document, made), guards_of(exams)))


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return 0 if umls(Path(folder)) & real() else 1


if __name__ == "__main__":
    sys.exit(main())
