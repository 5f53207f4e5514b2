"""Each benchmark's original layout, with invented questions: what the reader makes of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest

from med_small_lm.benchmarks.task import Task
from med_small_lm.benchmarks.tasks import known_tasks, units
from med_small_lm.schemas.rows import Criterion, Message, Option, Question, Quote

MEDQA = {
    "question": "A 40-year-old woman cannot taste salt. What is missing?",
    "answer": "Sodium",
    "options": {"A": "Zinc", "B": "Sodium", "C": "Iron", "D": "Lead"},
    "meta_info": "step1",
    "answer_idx": "B",
}


def one(found: tuple[list[Question], Any]) -> Question:
    (question,), problems = found
    assert problems == []
    return question


def test_medqa(read: Any) -> None:
    files = {f"phrases_no_exclude_{split}.jsonl": [MEDQA] for split in ("train", "dev", "test")}
    questions, problems = read("medqa", files)
    assert problems == [] and [one.split for one in questions] == ["dev", "test"], "train only where it is named"
    asked = questions[1]
    assert (asked.question_id, asked.method, asked.licence) == ("mine-phrases_no_exclude_test-00001", "medqa", "MIT")
    assert (asked.kind, asked.answer_keys, asked.answer_text, asked.subject) == ("single", ["B"], "Sodium", "step1")
    assert asked.options[3] == Option("D", "Lead")
    assert [one.split for one in read("medqa", files, splits=("train",))[0]] == ["train"]
    assert read("medqa", files, folder=False)[0][0].split == "train", "a file that is named is read, whatever its split"


def test_medqa_of_five_options_is_one_unit_with_that_of_four(read: Any) -> None:
    shuffled = MEDQA | {
        "options": {"A": "Sodium", "B": "Gold", "C": "Lead", "D": "Iron", "E": "Zinc"},
        "answer_idx": "A",
    }
    four = one(read("medqa", {"test.jsonl": [MEDQA]}, folder=False))
    files = {"test.jsonl": [shuffled], "US_qbank.jsonl": [shuffled], "4_options/phrases_no_exclude_test.jsonl": [MEDQA]}
    five = one(read("medqa_5options", files))
    assert (five.answer_keys, five.answer_text) == (["A"], four.answer_text)
    counted = units([four, Question(**{**vars_of(five), "question_id": "other"})])
    assert len(set(counted.values())) == 1 and len(counted) == 2
    _, problems = read("medqa", {"test.jsonl": [shuffled]}, folder=False)
    assert [one.reason for one in problems] == ["5 options, not 4: the release has a file of each"]


def test_a_question_of_no_known_benchmark_is_of_its_exams_own_unit() -> None:
    own = Question("q1", "mine", "test", "open", "Why?", [], [], "So.")
    other = Question("q2", "other", "test", "open", "Why?", [], [], "So.")
    told = units([own, other])
    assert told["q1"].startswith("mine:") and told["q2"].startswith("other:")


def test_a_stem_of_few_words_is_several_questions() -> None:
    few = [Question(f"q{n}", "mine", "test", "open", "Which is false?", [], [], right) for n, right in enumerate("ABA")]
    assert len(set(units(few).values())) == 2


def vars_of(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in question.__dataclass_fields__}


MEDMCQA = {
    "id": "u-1", "question": "Which bends?", "opa": "Knee", "opb": "Skull", "opc": "Tooth", "opd": "Nail", "cop": 1,
    "choice_type": "single", "exp": "A knee is a joint.", "subject_name": "Anatomy", "topic_name": None,
}  # fmt: skip


def test_medmcqa_counts_from_one_in_json_and_from_zero_in_parquet(read: Any) -> None:
    files = {"dev.json": "\n".join(map(json.dumps, [MEDMCQA, MEDMCQA | {"id": "u-2", "cop": 4, "exp": None}]))}
    questions, problems = read("medmcqa", files | {"test.json": json.dumps(MEDMCQA | {"cop": None})})
    assert problems == [] and [one.answer_text for one in questions] == ["Knee", "Nail"]
    assert (questions[0].split, questions[0].question_id, questions[0].subject) == ("test", "mine-dev-u-1", "Anatomy")
    assert questions[0].quotes == [Quote("A", "", "A knee is a joint.")] and questions[1].quotes == []
    table = io.BytesIO()
    pd.DataFrame([MEDMCQA, MEDMCQA | {"id": "u-2", "cop": 3}]).to_parquet(table)
    questions, _ = read("medmcqa", {"validation-00000-of-00001.parquet": table.getvalue()}, folder=False)
    assert [one.answer_text for one in questions] == ["Skull", "Nail"]


def test_medmcqa_with_its_options_in_the_question(read: Any) -> None:
    inlined = {
        "id": "u-3",
        "question": "Which of (A) and (B)?\nAnswer Choices: (A) Knee (B) Skull (C) Tooth (D) Both (A) and (C)",
        "label": ["D"],
        "label_rationale": None,
        "subject_name": "Anatomy",
    }
    asked = one(read("medmcqa", {"dev.jsonl": [inlined]}, folder=False))
    assert asked.stem == "Which of (A) and (B)?"
    assert [option.text for option in asked.options] == ["Knee", "Skull", "Tooth", "Both (A) and (C)"]
    assert asked.answer_keys == ["D"]


def pqa(question: str, decision: str) -> dict[str, Any]:
    return {
        "QUESTION": question, "CONTEXTS": ["We looked.", "We saw."], "LABELS": ["METHODS", "RESULTS"],
        "LONG_ANSWER": "It does.", "final_decision": decision,
    }  # fmt: skip


def test_pubmedqa_has_a_test_fold_and_its_context_in_the_prompt(read: Any) -> None:
    held = {"11": pqa("Does it?", "yes"), "12": pqa("Is it?", "maybe"), "13": pqa("Has it?", "no")}
    files = {"ori_pqal.json": held, "test_ground_truth.json": {"12": "maybe"}}
    questions, problems = read("pubmedqa", files)
    assert problems == [] and [one.split for one in questions] == ["dev", "test", "dev"]
    asked = questions[1]
    assert (asked.question_id, asked.kind, asked.context) == ("mine-ori_pqal-12", "yes_no", "We looked.\nWe saw.")
    assert [option.text for option in asked.options] == ["yes", "no", "maybe"] and asked.answer_keys == ["C"]
    assert asked.quotes == [Quote("C", "", "It does.")]
    assert [one.split for one in read("pubmedqa", files, folder=False)[0]] == ["dev", "test", "dev"], "beside the file"
    assert {one.split for one in read("pubmedqa_1k", files, folder=False)[0]} == {"test"}


def test_pubmedqa_of_the_hub(read: Any) -> None:
    row = {"pubid": 7, "question": "Does it?", "context": {"contexts": ["We saw."]}, "final_decision": "no"}
    table = io.BytesIO()
    pd.DataFrame([row | {"long_answer": "It does not."}]).to_parquet(table)
    asked = one(read("pubmedqa_1k", {"pqa_labeled/train-00000-of-00001.parquet": table.getvalue()}))
    assert (asked.question_id, asked.context, asked.answer_text) == ("mine-train-00000-of-00001-7", "We saw.", "no")


MMLU = '"Which beats, ""always""?",Heart,Hair,Nail,Tooth,A\n'


def test_mmlu_in_its_three_forms(read: Any) -> None:
    files = {
        "test/anatomy_test.csv": MMLU, "dev/anatomy_dev.csv": MMLU, "val/anatomy_val.csv": MMLU,
        "test/virology_test.csv": MMLU + MMLU, "test/astronomy_test.csv": MMLU * 3,
    }  # fmt: skip
    questions, problems = read("mmlu_medical", files)
    assert problems == [] and [(one.split, one.subject) for one in questions] == [
        ("dev", "anatomy"),
        ("test", "anatomy"),
    ]
    assert questions[0].stem == 'Which beats, "always"?' and questions[0].answer_text == "Heart"
    assert {one.subject for one in read("mmlu_medical_9", files)[0]} == {"anatomy", "virology"}
    table = io.BytesIO()
    row = {"question": "Which beats?", "subject": "anatomy", "choices": ["Hair", "Heart", "Nail", "Tooth"], "answer": 1}
    pd.DataFrame([row, row | {"subject": "astronomy"}]).to_parquet(table)
    asked = one(read("mmlu_medical", {"one.parquet": table.getvalue()}, folder=False))
    assert (asked.subject, asked.answer_text) == ("anatomy", "Heart")


def test_mmlu_as_json_lines_has_subjects_and_takes_no_exemplars_of_mmlu_pro(read: Any, caplog: Any) -> None:
    ten = {"question": "Which?", "options": {key: key * 2 for key in "ABCDEFGHIJ"}, "answer_idx": "J", "answer": "JJ"}
    four = {"A": "Hair", "B": "Heart", "C": "Nail", "D": "Tooth"}
    test = {"question": "Which beats?", "options": four, "answer_idx": "B", "subject": "College Biology"}
    rows = [test, test | {"subject": "law"}, test | {"subject": "anatomi"}, test | {"subject": "law"}]
    with caplog.at_level("INFO"):
        (asked,), problems = read("mmlu_medical", {"test.jsonl": rows, "train.jsonl": [ten]})
    assert (asked.split, asked.subject, asked.answer_text) == ("test", "college_biology", "Heart")
    assert [one.reason for one in problems] == ["train.jsonl: 10 options, not 4: it is no question of MMLU"]
    assert "mine: records that are passed over: 2 of law, 1 of anatomi" in caplog.messages


def test_mmlu_pro_takes_health_alone(read: Any) -> None:
    row = {
        "question_id": 5, "question": "Which heals?", "options": [f"Herb {n}" for n in range(10)], "answer": "J",
        "answer_index": 9, "category": "health", "src": "ori_mmlu-nutrition",
    }  # fmt: skip
    asked = one(read("mmlu_pro_health", {"test.jsonl": [row, row | {"category": "law"}]}, folder=False))
    assert (asked.question_id, len(asked.options), asked.answer_text) == ("mine-test-5", 10, "Herb 9")


def columns(*rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {str(n): row[name] for n, row in enumerate(rows)} for name in rows[0]}


BULLET = {
    "link": "https://site/testview?qid=216", "question": "A man limps. Why?", "opa": "Stone", "opb": "Fracture",
    "opc": "Fever", "opd": "Rash", "ope": "Cough", "answer_idx": "B", "answer": "Fracture", "explanation": "It broke.",
}  # fmt: skip


def own(question: Question) -> str:
    """What a question of Medbullets is called in its file."""
    return question.question_id.partition("-medbullets_op")[2][2:]


def test_medbullets_in_columns_are_joined_by_link(read: Any) -> None:
    swapped = BULLET | {"opa": "Fracture", "opb": "Stone", "answer_idx": "A"}
    other = BULLET | {"link": "https://site/testview?qid=217", "question": "A man coughs. Why?"}
    four, _ = read(
        "medbullets_4", {"medbullets_op4.json": columns(*({**one, "ope": None} for one in (other, swapped)))}
    )
    five, problems = read("medbullets_5", {"medbullets_op5.json": columns(BULLET, other, BULLET)})
    assert problems == [] and [own(one) for one in four] == ["217", "216"]
    assert [own(one) for one in five] == ["216", "217", "216-2"], "what is asked twice stays"
    assert len(four[0].options) == 4 and len(five[0].options) == 5
    by_id = {own(one): one for one in five}
    assert all(by_id[own(one)].answer_text == one.answer_text for one in four)
    assert [gate.gate for gate in five[2].gates] == ["repeated_question"]


def test_jama(read: Any) -> None:
    case = {name: BULLET[name] for name in BULLET if name != "ope"} | {"id": 0, "diagnosis": "x", "field": "Surgery"}
    asked = one(read("jama_clinical_challenge", {"jama_raw.json": [case]}))
    assert (asked.answer_text, asked.subject, len(asked.options)) == ("Fracture", "Surgery", 4)
    table = io.StringIO()
    pd.DataFrame([case]).to_csv(table, index=False)
    assert (
        one(read("jama_clinical_challenge", {"jama_raw.csv": table.getvalue()}, folder=False)).answer_text == "Fracture"
    )


def test_medxpertqa_is_asked_without_the_options_in_its_question(read: Any) -> None:
    row = {
        "id": "Text-9", "question": "Which drug?\nAnswer Choices: (A) one (B) two", "options": {"A": "one", "B": "two"},
        "label": "B", "medical_task": "Treatment", "body_system": "Skin", "question_type": "Reasoning",
    }  # fmt: skip
    asked = one(read("medxpertqa", {"Text/test.jsonl": [row], "MM/test.jsonl": [row | {"id": "MM-1"}]}))
    assert (asked.question_id, asked.stem, asked.answer_text, asked.subject) == (
        "mine-test-Text-9",
        "Which drug?",
        "two",
        "Skin",
    )


def test_usmle_leaves_out_what_the_list_of_images_names(read: Any) -> None:
    items = [{"no": n, "question": f"Question {n}?", "options": {"A": "yes", "B": "no"}} for n in (1, 2, 3)]
    files = {
        "step1.json": items, "step1_solutions.json": {"1": "A", "2": "B", "3": "b"}, "step2.json": items[:1],
        "step2_solutions.json": {"1": "B"}, "question_with_images.json": {"Step 1": [2], "2": []},
    }  # fmt: skip
    questions, problems = read("usmle_self_assessment", files)
    assert problems == []
    told = [(one.question_id, one.subject, one.answer_text) for one in questions]
    assert told == [("mine-step1-1", "step1", "yes"), ("mine-step1-3", "step1", "no"), ("mine-step2-1", "step2", "no")]
    files = {"step3.jsonl": [items[0] | {"answer_idx": "A"}], "question_with_images.json": []}
    asked = one(read("usmle_sample", files, folder=False))
    assert (asked.subject, asked.answer_text) == ("step3", "yes")


def test_frenchmedmcqa_has_one_or_several_right_options(read: Any) -> None:
    item = {
        "id": "f1", "question": "Cochez :", "answers": {key: f"Proposition {key}" for key in "abcde"},
        "correct_answers": ["c", "a"], "type": "multiple", "subject_name": "pharmacie", "nbr_correct_answers": 2,
    }  # fmt: skip
    single = item | {"id": "f2", "correct_answers": ["e"], "type": "simple", "question": "Cochez la bonne :"}
    multi, simple = read("frenchmedmcqa", {"test.json": [item, single]})[0]
    assert (multi.kind, multi.answer_keys, multi.language) == ("multi", ["A", "C"], "fr")
    assert (simple.kind, simple.answer_keys, multi.answer_text) == ("single", ["E"], "Proposition a; Proposition c")
    csv = "id,question,answers.a,answers.b,answers.c,answers.d,answers.e,correct_answers\nf3,Cochez :,u,v,w,x,y,b;d\n"
    assert one(read("frenchmedmcqa", {"test.csv": csv}, folder=False)).answer_keys == ["B", "D"]


def test_k_qa(read: Any) -> None:
    row = {
        "Question": "May I fly?", "Free_form_answer": "Yes, wait a week.", "Must_have": ["Flying is safe", " "],
        "Nice_to_have": ["Wait a week"], "ICD_10_diag": "Z01",
    }  # fmt: skip
    files = {
        "questions_w_answers.jsonl": [row],
        "questions.jsonl": [{"Question": "May I fly?"}, {"Question": "And swim?"}],
    }
    asked = one(read("k_qa", files))
    assert (asked.kind, asked.options, asked.answer_text) == ("open", [], "Yes, wait a week.")
    assert (asked.must_have, asked.nice_to_have) == (["Flying is safe"], ["Wait a week"])
    assert [gate.gate for gate in asked.gates] == ["empty_claim"]
    unlabelled, problems = read("k_qa", {"questions.jsonl": files["questions.jsonl"]}, folder=False)
    assert problems == [] and {one.split for one in unlabelled} == {"unlabelled"}


LIVE = """<?xml version="1.0"?><NLM-QUESTIONS><NLM-QUESTION qid="TQ1">
<Original-Question qfile="1.txt"><SUBJECT>Salt</SUBJECT><MESSAGE>May I
  eat salt?</MESSAGE></Original-Question>
<ReferenceAnswers><ReferenceAnswer aid="1"><ANSWER>Little.</ANSWER><COMMENT>no</COMMENT></ReferenceAnswer>
<ReferenceAnswer aid="2"><ANSWER>Less than 5 g.</ANSWER></ReferenceAnswer></ReferenceAnswers>
</NLM-QUESTION><NLM-QUESTION qid="TQ2"><Original-Question><SUBJECT>Sun</SUBJECT></Original-Question></NLM-QUESTION>
</NLM-QUESTIONS>"""


def test_liveqa(read: Any) -> None:
    name = "TestDataset/TREC-2017-LiveQA-Medical-Test.xml"
    (asked,), problems = read("liveqa", {name: LIVE, name.replace(".xml", "-Questions-w-summaries.xml"): LIVE})
    assert asked.question_id == "mine-TREC-2017-LiveQA-Medical-Test-TQ1"
    assert (asked.stem, asked.kind) == ("Salt\nMay I\neat salt?", "open")
    assert asked.answer_text == "Little.\n\nLess than 5 g."
    assert [one.reason for one in problems] == [f"{name}: the field answer is empty"]


def workbook(*rows: list[str]) -> bytes:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    texts = list(dict.fromkeys(cell for row in rows for cell in row))
    lines = "".join(
        f'<row r="{n}">'
        + "".join(f'<c r="{"ABC"[at]}{n}" t="s"><v>{texts.index(cell)}</v></c>' for at, cell in enumerate(row) if cell)
        + "</row>"
        for n, row in enumerate(rows, start=1)
    )
    shared = "".join(f"<si><r><t>{text[:2]}</t></r><r><t>{text[2:]}</t></r></si>" for text in texts)
    file = io.BytesIO()
    with ZipFile(file, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{lines}</sheetData></worksheet>")
        book.writestr("xl/sharedStrings.xml", f"<sst {space}>{shared}</sst>")
    return file.getvalue()


def test_medicationqa_is_a_workbook(read: Any) -> None:
    rows = (
        ["Question", "Question Type", "Answer"],
        ["What is it for?", "Usage", "For pain."],
        ["Why?", "", "No answers"],
    )
    name = "MedInfo2019-QA-Medications.xlsx"
    (asked,), problems = read("medicationqa", {name: workbook(*rows, ["Which?", "Dose", ""])}, folder=False)
    assert (asked.stem, asked.answer_text, asked.subject) == ("What is it for?", "For pain.", "Usage")
    assert [(one.line, one.reason) for one in problems] == [(3, "no answer"), (4, "no field Answer")]
    csv = "Question,Focus (Drug),Question Type,Answer\nWhat is it for?,x,Usage,For pain.\n"
    assert one(read("medicationqa", {"m.csv": csv}, folder=False)).answer_text == "For pain."
    _, problems = read("medicationqa", {name: b"PK no workbook"}, folder=False)
    assert problems[0].reason.startswith("the file is not what its name says: no Excel workbook")


HEALTH = {
    "example_tags": ["theme:hedging", "physician_agreed_category:x"],
    "prompt": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Why?"},
    ],
    "prompt_id": "p-1",
    "rubrics": [
        {"criterion": "Says why.", "points": 7, "tags": ["axis:accuracy"]},
        {"criterion": "Alarms.", "points": -3, "tags": []},
    ],
    "ideal_completions_data": None,
}  # fmt: skip


@pytest.mark.parametrize("name", ["2025-05-07-06-14-12_oss_eval.jsonl", "2025-05-07-06-14-12_oss_eval_example_1.json"])
def test_healthbench(read: Any, name: str) -> None:
    content: Any = [HEALTH] if name.endswith("l") else HEALTH
    asked = one(read("healthbench", {name: content, "hard_2025-05-08-21-00-10.jsonl": [HEALTH]}))
    assert asked.turns == [Message("user", "Hi"), Message("assistant", "Yes?")] and asked.stem == "Why?"
    assert asked.rubric == [Criterion("Says why.", 7.0, ["axis:accuracy"]), Criterion("Alarms.", -3.0)]
    assert (asked.question_id, asked.subject, asked.kind) == (f"mine-{name.partition('.')[0]}-p-1", "hedging", "open")
    assert len(read("healthbench_hard", {"hard_2025-05-08-21-00-10.jsonl": [HEALTH]})[0]) == 1


def row_of(task: Task) -> str:
    """What docs/benchmarks.md says of a task."""
    n = f"{task.n:,}{'' if task.is_n_verified else ' (unverified)'}" if task.n else "unknown"
    doubts = "; ".join([*task.defects, *(f"unverified: {one}" for one in task.unverified)])
    told = f"`{task.name}`", f"[{task.title}]({task.source})", task.licence, task.split, n, task.takes, doubts
    return f"| {' | '.join(told)} |"


@pytest.mark.parametrize("name", sorted(known_tasks()))
def test_every_task_says_where_it_comes_from(name: str) -> None:
    task = known_tasks()[name]
    assert task.source.startswith("https://") and task.licence and task.version and task.split and task.takes
    assert task.n > 0 or any(one.startswith(("n", "which nine")) for one in task.unverified)
    assert all(len(digest) == 64 for digest in task.sha256.values())
    page = (Path(__file__).parents[3] / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert row_of(task) in page, "the table of docs/benchmarks.md is what the tasks say"
