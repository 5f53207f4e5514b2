"""Figures of the benchmarks' readers: `python bench/eval_readers.py [FOLDER]`.

FOLDER holds the releases medqa/, medqa_5options/, medmcqa/, pubmedqa/, mmlu_medical/, k_qa/ and healthbench_sample/;
without it, `../shared/data/benchmarks` from the project's root. Where it is not there, the figures are skipped.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from _figures import say

from med_small_lm.benchmarks.defects import tally
from med_small_lm.benchmarks.items import Problem
from med_small_lm.benchmarks.published import read_release
from med_small_lm.benchmarks.releases import Release
from med_small_lm.benchmarks.tasks import known_tasks, units
from med_small_lm.schemas.rows import Question

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks"
PLACES = {
    "medqa": "medqa/test.jsonl", "medqa_5options": "medqa_5options/test.jsonl", "medmcqa": "medmcqa/dev.jsonl",
    "pubmedqa": "pubmedqa", "pubmedqa_1k": "pubmedqa/ori_pqal.json", "mmlu_medical": "mmlu_medical", "k_qa": "k_qa",
    "healthbench": "healthbench_sample",
}  # fmt: skip
SAMPLES = {"healthbench": 10}
"""Questions of a sample of a benchmark; of all others the published number is the goal."""
ASIDE = {"mmlu_medical": 5}
"""Records that are no question of the benchmark: five of MMLU-Pro stand as exemplars beside those of MMLU."""
SUBJECTS = {
    "anatomy": 135, "clinical_knowledge": 265, "college_biology": 144, "college_medicine": 173,
    "medical_genetics": 100, "professional_medicine": 272,
}  # fmt: skip


def counted(name: str, questions: list[Question], problems: list[Problem], seconds: float) -> bool:
    """Say how many test questions a benchmark has, and whether each answer is one of its options, or is claims."""
    test = [one for one in questions if one.split == "test"]
    goal = SAMPLES.get(name, known_tasks()[name].n)
    resolved = sum(
        bool(one.answer_keys) and set(one.answer_keys) <= {option.key for option in one.options}
        if one.kind != "open"
        else bool(one.must_have or one.rubric)
        for one in test
    )
    good = say(f"{name}: test questions", len(test), goal, len(test) == goal, f"read in {seconds:.1f} s")
    good &= say(f"{name}: answers that resolve", resolved, len(test), resolved == len(test))
    aside = ASIDE.get(name, 0)
    good &= say(f"{name}: records set aside", len(problems), aside, len(problems) == aside)
    told = ", ".join(f"{count} {defect}" for defect, count in tally(test).items()) or "none"
    return say(f"{name}: doubtful questions, kept and told", told, "reported", True) and good


def main() -> int:
    """The exit status: 0 if every figure met its goal, or none could be taken."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if not data.is_dir():
        say("benchmark readers", f"skipped: no folder {data}", "", None)
        return 0
    good, read = True, dict[str, list[Question]]()
    for name, place in PLACES.items():
        begun = time.perf_counter()
        questions, problems = read_release(Release(known_tasks()[name], name, data / place))
        good &= counted(name, questions, problems, time.perf_counter() - begun)
        read[name] = questions
    asked, _ = read_release(Release(known_tasks()["k_qa"], "k_qa", data / "k_qa/questions.jsonl"))
    good &= say("k_qa: all questions, most of them unanswered", len(asked), 1_212, len(asked) == 1_212)
    subjects = Counter(one.subject for one in read["mmlu_medical"] if one.split == "test")
    good &= say("mmlu_medical: questions by subject", dict(sorted(subjects.items())), SUBJECTS, subjects == SUBJECTS)
    four, five = read["medqa"], read["medqa_5options"]
    ids = units([*four, *five])
    n = len(set(ids.values()))
    good &= say("medqa with 4 and 5 options: questions as units", n, len(four), n == len(four) == len(five))
    answers = {ids[one.question_id]: one.answer_text for one in four}
    same = sum(answers[ids[one.question_id]] == one.answer_text for one in five)
    good &= say("medqa with 4 and 5 options: the same right text", same, len(five), same == len(five))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
