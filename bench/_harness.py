"""lm-evaluation-harness in a process of its own, and the model and the questions that both sides are given.

The harness is no part of the project's environment: ``HARNESS_PYTHON`` names an interpreter that has it (``lm_eval``,
with torch and transformers), else the interpreter that runs this. It is asked over pipes, one JSON line a request::

    {"texts": [[prompt, [continuation, …]], …]}     ->  {"seconds": …, "sums": [[nats, …], …]}
    {"layout": "medqa", "questions": [{…}, …]}      ->  {"prompts": ["Question: …", …]}
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared/data")
PYTHON = os.environ.get("HARNESS_PYTHON") or sys.executable
FILES = {
    "medqa": "medqa/test.jsonl", "medmcqa": "medmcqa/dev.jsonl", "pubmedqa": "pubmedqa", "mmlu_medical": "mmlu_medical",
}  # fmt: skip
LAYOUT_OF = {"medqa": "medqa", "medmcqa": "medmcqa", "pubmedqa": "pubmedqa", "mmlu_medical": "mmlu"}


def absent() -> str:
    """Why there is nothing to compare with; empty where there is."""
    if not (DATA / "benchmarks").is_dir():
        return f"no benchmarks in {DATA}; SHARED_DATA names another folder"
    asked = [PYTHON, "-c", "import lm_eval, lm_eval.models.huggingface"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        return f"{PYTHON} has no lm_eval; HARNESS_PYTHON names one that has"
    return ""


def skipped(figures: Sequence[str], reason: str) -> int:
    """The exit status, after a line for each figure that could not be taken."""
    from _figures import say

    for figure in figures:
        say(figure, f"skipped: {reason}", "", None)  # type: ignore[arg-type]
    return 0


class Harness:
    """The process: ``HFLM`` on one model, in float32 on the CPU."""

    def __init__(self, model: Path, rows: int, threads: int) -> None:
        quiet = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
        self._job = subprocess.Popen(
            [PYTHON, __file__, str(model), str(rows), str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=os.environ | quiet | {"OMP_NUM_THREADS": str(threads)},
        )  # fmt: skip
        self.version = self._answer()["version"]

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self._job.stdin.close()
        self._job.wait()

    def prompts(self, layout: str, questions: Sequence[Any]) -> list[str]:
        """The prompts of its own task, options listed where the task lists them."""
        told = [
            {"stem": q.stem, "context": q.context, "subject": q.subject, "options": {o.key: o.text for o in q.options}}
            for q in questions
        ]
        return self._ask({"layout": layout, "questions": told})["prompts"]

    def sums(self, texts: Sequence[tuple[str, list[str]]]) -> tuple[list[list[float]], float]:
        """The log-probability of each continuation of each prompt, and the seconds that it took."""
        told = self._ask({"texts": texts})
        return told["sums"], told["seconds"]

    def _ask(self, told: dict[str, Any]) -> dict[str, Any]:
        self._job.stdin.write(json.dumps(told) + "\n")
        self._job.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._job.stdout.readline()
        if not line:
            raise RuntimeError(f"the harness ended with {self._job.wait()}")
        return json.loads(line)


def trained_model() -> Path:
    """A Llama of 13 million parameters, trained a little on the pocket books; made once, in the temporary folder."""
    from med_small_lm.params.ingest_textbooks import IngestTextbooks
    from med_small_lm.params.knowledge_injection import BaseModelParams, InjectionParams
    from med_small_lm.params.training import OptimiserParams
    from med_small_lm.schemas.rows import CorpusText
    from med_small_lm.textbooks import SourceFile, read_file
    from med_small_lm.tuning.base_model import make_base
    from med_small_lm.tuning.injection import inject

    books = sorted((ROOT / "data/01_raw/textbooks").glob("*.pdf"))
    passages = [p for book in books for p in read_file(SourceFile(book.stem, book, "CC0"), IngestTextbooks()).passages]
    texts = [CorpusText(p.passage_id, "book", "train", p.text, [p.passage_id], p.licence) for p in passages]
    shape = BaseModelParams(
        vocab_size=8_000, hidden_size=384, intermediate_size=1_024, layers=6, heads=6, positions=4_096
    )
    loop = InjectionParams(
        tokens=60_000, block_size=256, batch_size=8, save_steps=0, evaluations=0, best_kept=0,
        optimiser=OptimiserParams(learning_rate=3e-3),
    )  # fmt: skip
    folder = Path(tempfile.gettempdir()) / f"med-small-lm-harness-{os.getuid()}"
    base = make_base([text.text for text in texts], shape, 0, folder / "base")
    return inject(base, texts, loop, 0, folder / "injected").checkpoint.path


def questions_of(name: str, most: int = 0) -> list[Any]:
    """The test questions of a benchmark as the project reads them; ``most`` of them, drawn, where it is not 0."""
    import random

    from med_small_lm.benchmarks.releases import Release
    from med_small_lm.benchmarks.tasks import known_tasks

    task = known_tasks()[name]
    found = task.read(Release(task, name, DATA / "benchmarks" / FILES[name]))
    every = [one.question for one in found if one.question and one.question.split == "test"]
    return random.Random(0).sample(every, most) if 0 < most < len(every) else every


def texts_of(prompts: Any, questions: Sequence[Any]) -> list[tuple[str, list[str]]]:
    """Prompt and continuations of each question, as the harness takes them."""
    made = []
    for question in questions:
        prompt, *whole = prompts.texts(question)
        made.append((prompt, [text[len(prompt) :] for text in whole]))
    return made


def _serve(model: str, rows: str, threads: str) -> None:
    """Answer until there is nothing more to read. Runs in the harness' interpreter: nothing of the project is there."""
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    import lm_eval
    import torch
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(int(threads))
    harness = HFLM(pretrained=model, device="cpu", dtype="float32", batch_size=int(rows))
    _tell(out, {"version": lm_eval.__version__})
    for line in sys.stdin:
        told = json.loads(line)
        if "layout" in told:
            _tell(out, {"prompts": _templates(told["layout"], told["questions"])})
            continue
        begun = time.perf_counter()
        pairs = [(prompt, text) for prompt, texts in told["texts"] for text in texts]
        asked = [Instance("loglikelihood", {}, pair, number) for number, pair in enumerate(pairs)]
        found = iter(harness.loglikelihood(asked, disable_tqdm=True))
        sums = [[next(found)[0] for _ in texts] for _, texts in told["texts"]]
        _tell(out, {"seconds": time.perf_counter() - begun, "sums": sums})


def _tell(out: Any, told: dict[str, Any]) -> None:
    out.write(json.dumps(told) + "\n")
    out.flush()


def _templates(layout: str, questions: Sequence[dict[str, Any]]) -> list[str]:
    """The prompts as the installed tasks write them."""
    import lm_eval.tasks
    import yaml
    from lm_eval.utils import apply_template

    tasks = Path(lm_eval.tasks.__file__).parent
    if layout == "mmlu":
        read = lambda name: yaml.safe_load((tasks / "mmlu/default" / name).read_text(encoding="utf-8"))  # noqa: E731
        common = read("_default_template_yaml")["doc_to_text"]
        about = {q["subject"]: read(f"mmlu_{q['subject']}.yaml")["description"] for q in questions}
        docs = [{"question": q["stem"], "choices": list(q["options"].values())} for q in questions]
        return [about[q["subject"]] + apply_template(common, doc) for q, doc in zip(questions, docs, strict=True)]
    if layout == "medqa":
        from lm_eval.tasks.medqa.preprocess_medqa import doc_to_text

        docs = [
            {"sent1": q["stem"]} | {f"ending{n}": t for n, t in enumerate(q["options"].values())} for q in questions
        ]
    elif layout == "medmcqa":
        from lm_eval.tasks.medmcqa.utils_medmcqa import doc_to_text

        docs = [
            {"question": q["stem"]} | dict(zip(("opa", "opb", "opc", "opd"), q["options"].values(), strict=True))
            for q in questions
        ]
    else:
        from lm_eval.tasks.pubmedqa.preprocess_pubmedqa import doc_to_text

        docs = [{"CONTEXTS": q["context"].split("\n"), "QUESTION": q["stem"]} for q in questions]
    return [doc_to_text(doc) for doc in docs]


if __name__ == "__main__":
    _serve(*sys.argv[1:])
