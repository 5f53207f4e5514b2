"""``kedro judge calibrate`` with a judge behind HTTP, and what stops a run that would need a judge and has none."""

import csv
import json
from itertools import product

import pytest
from tests.benchmarks.judging.judges import saying
from tests.teacher.endpoint import serving

LABELS = ("Entailment", "Neutral", "Contradiction")
OPEN = {
    "question_id": "o-1", "source": "mine", "split": "test", "kind": "open", "stem": "What helps?", "options": [],
    "answer_keys": [], "answer_text": "Rest.", "must_have": ["Rest helps."],
}  # fmt: skip


def annotated(file):
    """Nine statements on three questions; the physicians agree on all but the last."""
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["Question", "answer", "claim", "label_0", "label_1", "label_2"])
        for (question, label), n in zip(product(range(3), LABELS), range(9), strict=True):
            labels = LABELS if n == 8 else [label] * 3
            rows.writerow([f"What of {question}?", f"Answer {question}.", f"Statement {n}.", *labels])


def test_a_judge_is_calibrated_on_one_page(bare):
    file = bare.root / "labels.csv"
    annotated(file)
    verdicts = {("entails", f"Statement {n}."): True for n in (0, 3, 6)}
    verdicts |= {("contradicts", f"Statement {n}."): True for n in (2, 5)}
    verdicts |= {("contradicts", "Statement 1."): True, ("entails", "Statement 7."): "perhaps"}
    with serving(saying(verdicts)) as endpoint:
        given = f"teacher.model=test-model,teacher.base_url={endpoint.url},teacher.repairs=0"
        code, said = bare.forked("judge", "calibrate", str(file), "--params", given)
        asked = len(endpoint.seen)
        again = bare.forked("judge", "calibrate", str(file), "--params", given)
        assert len(endpoint.seen) == asked, "every reply is in the ledger, the one without a verdict too"
    assert code == 0 and asked == 18 and again[0] == 0, said
    assert "9 statements, of which 7 are compared; not compared are: 1 without a verdict" in said
    assert "| with their majority | 7 | 0.857 | " in said and "| the physicians among themselves | 9 | " in said
    assert "| Entailment | 3 | 0 | 0 |" in said and "| Contradiction | 0 | 1 | 2 |" in said
    assert {body["temperature"] for body, _ in endpoint.seen} == {0.0}


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        ("", ("the built-in teacher judges no answers", "evaluate.judge.model")),
        ("evaluate.judge.model=large", ("evaluate.judge: price_in and price_out are missing for large",)),
    ],
    ids=["builtin", "prices"],
)
def test_calibration_needs_a_judge(bare, params, parts):
    file = bare.root / "labels.csv"
    annotated(file)
    code, said = bare.forked("judge", "calibrate", str(file), *(["--params", params] if params else []))
    assert code == 1 and said.count("\n") == 1 and all(part in said for part in parts), said


def test_an_open_exam_without_a_judge_stops_before_anything_runs(bare):
    (bare.root / "open.jsonl").write_text(json.dumps(OPEN) + "\n", encoding="utf-8")
    bare.configure(benchmarks="mine: {file: open.jsonl}\n")
    code, said = bare.forked("run")
    assert code == 1 and said.count("\n") == 1 and bare.made() == set(), said
    assert said.startswith("Error: benchmarks.yml: mine has open questions: the built-in teacher judges no answers: ")
    assert "teacher.model or evaluate.judge.model, or set scored: false" in said
