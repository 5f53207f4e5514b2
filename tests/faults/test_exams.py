"""What is wrong with an exam: items that cannot be answered are set aside, a file of none stops the run."""

import json

import pandas as pd
import pytest

from med_small_lm.errors import UserError
from med_small_lm.pipelines.generate_questions.nodes import gather_benchmarks

BAD = {
    "options have one text: x": {"options": [{"key": "A", "text": "x"}, {"key": "B", "text": "X"}]},
    "no answer key": {"answer_keys": []},
    "answer keys that are no option: Z": {"answer_keys": ["Z"]},
    "no stem": {"stem": " "},
    "question_id stands already in line 1": {},
}
GATHER = ("run", "--nodes", "gather_benchmarks,gather_faults")


def spoilt(project):
    """The exam's file with bad items and a line of no JSON at its end; how many sound items stand before them."""
    file = project.data / "01_raw/benchmarks/few.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    bad = [json.dumps({**first, "question_id": f"bad-{n}"} | change) for n, change in enumerate(BAD.values())]
    bad[-1] = lines[0]
    file.unlink()  # it may be a link
    file.write_text("\n".join([*lines, *bad, "{no JSON"]) + "\n", encoding="utf-8")
    return file, len(lines)


def test_bad_items_are_set_aside_with_line_and_reason(scratch):
    _, n = spoilt(scratch)
    code, said = scratch.forked(*GATHER)
    assert code == 0 and f"few.jsonl: {len(BAD) + 1} of {n + len(BAD) + 1} lines are no question" in said, said
    told = scratch.read("04_feature/benchmarks_rejected")
    assert list(told["line"]) == list(range(n + 1, n + len(BAD) + 2)) and set(told["benchmark"]) == {"pocket_exam"}
    assert list(told["reason"])[:-1] == list(BAD) and told["reason"].iloc[-1].startswith("malformed: ")
    assert told["text"].iloc[-1] == "{no JSON"
    assert (scratch.read("04_feature/benchmarks")["source"] == "pocket_exam").sum() == n
    code, said = scratch.forked("run", "--nodes", "report_synthesis")
    page = (scratch.data / "08_reporting/synthesis_report.md").read_text(encoding="utf-8")
    assert code == 0 and f"| pocket_exam | {n + 2} | bad-1 | no answer key |" in page, said


def test_an_exam_of_which_nothing_is_left_stops_the_run(scratch):
    file, n = spoilt(scratch)
    bad = file.read_text(encoding="utf-8").splitlines(keepends=True)[n : n + 4]
    file.write_text("".join(bad), encoding="utf-8")
    code, said = scratch.forked(*GATHER)
    last = said.splitlines()[-1]
    assert code == 1 and "few.jsonl holds no question that can be answered (line 1: options" in last, said
    assert "Traceback" not in said


def test_a_published_benchmark_goes_the_way_of_every_exam(scratch):
    items = [
        {
            "question": f"Which is {n}?",
            "options": {key: f"{n} {key}" for key in "ABCD"},
            "answer": "",
            "answer_idx": "B",
        }
        for n in range(4)
    ]
    (scratch.root / "release").mkdir()
    bad = {**items[0], "answer_idx": "Z"}
    lines = "".join(json.dumps(item) + "\n" for item in [*items, bad])
    (scratch.root / "release/test.jsonl").write_text(lines, encoding="utf-8")
    known = "pocket_exam: {file: data/01_raw/benchmarks/few.jsonl}\n"
    scratch.configure(benchmarks=known + "medqa: {task: medqa, file: release, scored: true}\n")
    code, said = scratch.forked("run", "--nodes", "gather_benchmarks,gather_faults,gather_items,evaluate.medqa.predict")
    assert code == 0 and "medqa: 4 test questions, not the 1273 of MedQA-USMLE, four options" in said, said
    told = scratch.read("04_feature/benchmarks_rejected")
    assert told[["benchmark", "line", "reason"]].values.tolist() == [
        ["medqa", 5, "test.jsonl: the answer Z is no option"]
    ]
    asked = scratch.read("05_model_input/exam_items")
    own = asked[asked["source"] == "medqa"]
    assert list(own["question_id"]) == [f"medqa-test-{n:05}" for n in range(1, 5)] and set(own["method"]) == {"medqa"}
    made = scratch.read("07_model_output/medqa/predictions")
    assert set(made["question_id"]) == set(own["question_id"]) and set(made["benchmark"]) == {"medqa"}


def test_exams_with_the_same_ids_are_named():
    exam = pd.DataFrame({"question_id": ["q1", "q2"], "source": ""})
    with pytest.raises(UserError, match="benchmarks.yml: a and b: 1 question_ids are the same .as q2.: give one other"):
        gather_benchmarks(a=exam, b=exam.assign(question_id=["q2", "q3"]))


def test_what_is_no_exam_stops_before_anything_runs(bare):
    exam = bare.root / "exam.jsonl"
    for content in (b"", b"question,answer\nWhat?,A\n", b'[{"stem": "What?"}]', b"%PDF-1.7\n\x00\xff"):
        exam.write_bytes(content)
        bare.configure(benchmarks="mine: {file: exam.jsonl}")
        code, said = bare.forked("run")
        assert code == 1 and said.count("\n") == 1, said
        assert "benchmarks.yml: mine: " in said and "no file of questions as JSON Lines" in said
    assert bare.made() == set()
