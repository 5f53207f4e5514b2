"""What augmentation adds where a book says each fact once: `python bench/augmentation.py`, half an hour on two cores.

The pocket library tells every fact in four books, each time in another wording. Here it is cut to one book for a fact,
so that each stands in one wording, and the default chain runs on it with the same steps and tokens: without
augmentation, and with all methods. The training questions are about other facts than the exam's (the contamination
gate sees to that), so what the model knows of these, it has read. Scored is the exam's test split, over two seeds
(`SEEDS=0,1,2` for others); intervals of differences are paired bootstraps over items and seeds. The peer is the same
model without. `KEEP=folder` keeps what each run answered, and a run that is kept there is not done again: two such
processes with other seeds share the work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _figures import say
from _project import ROOT, copy
from numpy.typing import NDArray

from med_small_lm.pocket.chapters import books
from med_small_lm.pocket.facts import read_facts
from med_small_lm.pocket.library import shelve
from med_small_lm.pocket.typeset import typeset

SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "0,1").split(",")]
NONE = {"summary_share": 0.0, "atomic_facts_share": 0.0, "link_share": 0.0}
ALL = {"summary_share": 1.0, "atomic_facts_share": 1.0, "link_share": 1.0, "links_per_passage": 2}
ARMS: dict[str, dict[str, Any]] = {
    "without": {"rephrasing_styles": [], "augmentation": NONE},
    "all methods": {"rephrasings_per_style": 4, "augmentation": ALL},
}
THREADS = {"threads": 1}  # two runs side by side get on faster than two threads of one
SCORED = {  # by figure: model and variant
    "injected, likelihood": ("injected", "option_text/0-shot"),
    "tuned, likelihood": ("tuned", "option_text/0-shot"),
    "tuned, generation": ("tuned", "explain/0-shot"),
}
RESAMPLES = 10_000
Right = NDArray[np.bool_]


def cut_library(folder: Path) -> None:
    """Return nothing; typeset the library anew with each subject in one book, the books as full as each other."""
    facts = read_facts(ROOT / "data/01_raw/pocket_facts.csv")
    only = shelve(facts, 1)
    for book in books([replace(fact, books=only[fact.subject]) for fact in facts]):
        (folder / f"{book.slug}.pdf").write_bytes(typeset(book))


def chain(folder: Path, arm: dict[str, Any], seed: int) -> bool:
    """Whether the default pipeline ends well in a copy of the project, with an arm's parameters."""
    given = {
        "generate_questions": arm | {"held_out_share": 0.0},  # no exam of the books' own: it is not asked here
        "knowledge_injection": {"injection": THREADS},
        "instruction_tune": {"tune": THREADS},
        "evaluate": {"models": ["injected", "tuned"], "controls": []},
    }
    (folder / "conf/local/parameters.yml").write_text(json.dumps(given), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "kedro", "run", "--to-outputs", "predictions,exam_items"]
    command += ["--params", f"seed={seed}"]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        print(done.stdout[-3000:], file=sys.stderr)
    return done.returncode == 0


def right(folder: Path) -> dict[str, Right]:
    """For each figure, which items of the exam are answered rightly, in the order of their ids."""
    said = pd.read_parquet(folder / "data/07_model_output/predictions.parquet")
    items = pd.read_parquet(folder / "data/05_model_input/exam_items.parquet").set_index("question_id")["answer_keys"]
    found = {}
    for name, (model, variant) in SCORED.items():
        own = said[(said["model"] == model) & (said["variant"] == variant) & (said["benchmark"] == "pocket_exam")]
        own = own.sort_values("question_id")
        pairs = zip(own["answer_keys"], own["question_id"], strict=True)
        found[name] = np.array([set(keys) == set(items[item]) for keys, item in pairs])
    return found


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of the mean of an array (seeds, items): both are drawn anew."""
    draw = np.random.default_rng(0)
    n_seeds, n_items = values.shape
    means = [
        values[draw.integers(n_seeds, size=n_seeds)][:, draw.integers(n_items, size=n_items)].mean()
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def words(folder: Path) -> str:
    """How many texts and words of each source the corpus has."""
    corpus = pd.read_parquet(folder / "data/05_model_input/corpus.parquet")
    own = corpus.assign(words=corpus["text"].str.split().str.len()).groupby("source")["words"].agg(["size", "sum"])
    return ", ".join(f"{name} {row['size']:,} texts of {row['sum']:,} words" for name, row in own.iterrows())


def measured(folder: Path, kept: Path) -> Iterator[tuple[str, int, dict[str, Right]]]:
    """Each arm and seed with what is answered rightly, also as a line on stderr; a failed run ends the script."""
    for seed in SEEDS:
        for arm, params in ARMS.items():
            file = kept / f"{arm}, seed {seed}.npz"
            if not file.exists():
                if not chain(folder, params, seed):
                    sys.exit(f"{arm}, seed {seed}: the run failed")
                np.savez(file, allow_pickle=False, **right(folder), corpus=np.array(words(folder)))
            found = dict(np.load(file))
            told = found.pop("corpus")
            shown = "; ".join(f"{name} {own.mean():.3f}" for name, own in found.items())
            print(f"{arm}, seed {seed}: {shown}; corpus: {told}", file=sys.stderr, flush=True)
            yield arm, seed, found


def main() -> int:
    """The exit status: 0 if all methods together gain, and the interval of the gain is above zero."""
    runs: dict[str, list[dict[str, Right]]] = {arm: [] for arm in ARMS}
    with tempfile.TemporaryDirectory(prefix="bench-") as work:
        folder = copy(Path(work) / "project")
        cut_library(folder / "data/01_raw/textbooks")
        for arm, _, found in measured(folder, Path(os.environ.get("KEEP") or work)):
            runs[arm].append(found)
    good = True
    for name in SCORED:
        stacked = {arm: np.stack([found[name] for found in own]).astype(float) for arm, own in runs.items()}
        peer = stacked.pop("without")
        for arm, own in stacked.items():
            (low, high), gain = interval(own - peer), float((own - peer).mean())
            spread = ", ".join(f"{one:.3f}" for one in own.mean(axis=1))
            what = f"one book a fact, {name}: {arm} ({len(SEEDS)} seeds: {spread})"
            say(what, round(float(own.mean()), 3), "reported", True, "accuracy", round(float(peer.mean()), 3))
            told = f"one book a fact, {name}: gain of {arm}, 95 % interval {low:+.3f} to {high:+.3f}"
            wanted = arm == "all methods" and name == "tuned, likelihood"
            good &= say(told, round(gain, 3), "> 0" if wanted else "reported", low > 0 or not wanted, "accuracy")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
