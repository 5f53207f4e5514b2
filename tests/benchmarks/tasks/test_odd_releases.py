"""Releases that could be read wrongly without a word: they are read rightly, or the fault is told."""

from __future__ import annotations

import io
import json
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest

from med_small_lm.benchmarks.published import fault_of, read_release
from med_small_lm.benchmarks.tasks import known_tasks
from med_small_lm.schemas.frames import Questions
from med_small_lm.schemas.rows import Question
from med_small_lm.schemas.tables import to_frame

FOUR = {"A": "Knee", "B": "Skull", "C": "Tooth", "D": "Nail"}
COP = {"question": "Which bends?", "opa": "Knee", "opb": "Skull", "opc": "Tooth", "opd": "Nail"}
MEDQA = {"question": "Which bends?", "options": FOUR, "answer_idx": "A", "answer": "Knee", "meta_info": "step1"}
BULLET = COP | {"link": "https://s/?qid=1", "ope": "Ear", "answer_idx": "A", "answer": "Knee", "explanation": "x"}
MMLU = {"question": "Which bends?", "options": FOUR, "answer_idx": "A", "answer": "Knee", "subject": "anatomy"}
PRO = {
    "question_id": 1, "question": "Q?", "options": ["a", "b"], "answer": "A", "answer_index": 0, "category": "health",
    "src": "x",
}  # fmt: skip
EXPERT = {"id": "Text-0", "question": "Q?", "options": FOUR, "label": "A", "medical_task": "x", "body_system": "Skin"}
ECN = {"id": 0, "question": "Q ?", "propositions": ["a", "b"], "answers": ["A"], "subject": "x"}
CASE = ECN | {"case_id": 0, "context": "M. X"}
HEALTH = {
    "prompt": [{"role": "user", "content": "Why?"}], "prompt_id": "p", "example_tags": ["theme:x"],
    "rubrics": [{"criterion": "Says why.", "points": 7, "tags": []}], "ideal_completions_data": None,
}  # fmt: skip
FRENCH = {
    "id": "f", "question": "Q ?", "answers": {key: key * 2 for key in "abcde"}, "correct_answers": ["a"],
    "type": "simple", "subject_name": "x",
}  # fmt: skip
K_QA = {"Question": "Q?", "Free_form_answer": "A.", "Must_have": ["A"], "Nice_to_have": [], "ICD_10_diag": "x"}
PQA = {"question": "Q?", "context": {"contexts": ["We saw."]}, "final_decision": "no", "pubid": 1, "long_answer": "x"}
STEP = {"no": 1, "question": "Q?", "options": FOUR, "answer_idx": "A", "answer": "Knee"}
MEDICATION = {"Question": "Q?", "Answer": "A.", "Question Type": "x"}

SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "medqa": ("test.jsonl", MEDQA),
    "medqa_5options": ("test.jsonl", MEDQA | {"options": FOUR | {"E": "Ear"}}),
    "medmcqa": ("dev.jsonl", COP | {"cop": 1, "id": "u", "exp": "x", "subject_name": "Anatomy"}),
    "medbullets_4": ("medbullets_op4.jsonl", BULLET), "medbullets_5": ("medbullets_op5.jsonl", BULLET),
    "jama_clinical_challenge": ("jama_raw.jsonl", BULLET | {"field": "Surgery"}),
    "mmlu_medical": ("test.jsonl", MMLU), "mmlu_medical_9": ("test.jsonl", MMLU),
    "mmlu_pro_health": ("test.jsonl", PRO), "medxpertqa": ("test.jsonl", EXPERT),
    "ecn_qa": ("dp_test.jsonl", CASE), "ecn_qa_en": ("dp_test.jsonl", CASE),
    "frenchmedmcqa": ("test.jsonl", FRENCH), "k_qa": ("questions.jsonl", K_QA),
    "healthbench": ("a_oss_eval.jsonl", HEALTH), "healthbench_hard": ("hard_a.jsonl", HEALTH),
    "healthbench_consensus": ("consensus_a.jsonl", HEALTH), "pubmedqa": ("test.jsonl", PQA),
    "pubmedqa_1k": ("test.jsonl", PQA), "usmle_self_assessment": ("step1.jsonl", STEP),
    "usmle_sample": ("step1.jsonl", STEP), "medicationqa": ("m.jsonl", MEDICATION),
}  # fmt: skip
"""A file and a record of each benchmark whose release is read as records (LiveQA's is XML)."""


def test_there_is_a_sample_of_each_benchmark() -> None:
    assert set(SAMPLES) == set(known_tasks()) - {"liveqa"}


@pytest.mark.parametrize("odd", [5, "x", {}, [], None, True, [3], {"a": {}}, 10**400], ids=str)
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_field_of_another_type_is_a_question_or_set_aside(release: Any, name: str, odd: Any) -> None:
    file, record = SAMPLES[name]
    rows = [record | {field: odd} for field in record]
    made = release(name, {file: rows, "question_with_images.json": []}, folder=False)
    assert fault_of(made) == ""
    questions, problems = read_release(made)
    ids = len({one.question_id for one in questions})
    assert len(questions) + len(problems) >= len(rows) - 1 and ids == len(questions)  # but one of another category
    Questions.validate(to_frame(questions, Question))
    alone = release(name, {file: [record], "question_with_images.json": []}, folder=False)
    assert len(read_release(alone)[0]) == 1 and read_release(alone)[1] == []


@pytest.mark.parametrize(
    ("cops", "suffix", "keys"),
    [
        ([1, 2, 4, 3], "jsonl", "ABDC"),
        ([4, 1, 2, 3], "jsonl", "DABC"),
        ([0, 1, 2, 3], "jsonl", "ABCD"),
        (["3", "0", "2", "1"], "jsonl", "DACB"),
        (["1", "4"], "jsonl", "AD"),
        ([1, 2, 3], "jsonl", "ABC"),
        ([1, 2, 3], "parquet", "BCD"),
        ([1, 4, 3], "parquet", "ADC"),
        ([1.0, 4.0], "jsonl", "AD"),
        ([1, 2, 4, 3, 0], "jsonl", ""),
        ([0, 1, 2, 4], "jsonl", ""),
    ],
)
def test_medmcqas_cop_counts_from_what_its_file_tells(read: Any, cops: list[Any], suffix: str, keys: str) -> None:
    rows = [COP | {"id": f"u{n}", "question": f"Which {n}?", "cop": cop} for n, cop in enumerate(cops)]
    table = io.BytesIO()
    pd.DataFrame(rows).to_parquet(table)
    questions, problems = read("medmcqa", {f"dev.{suffix}": rows if suffix == "jsonl" else table.getvalue()})
    assert "".join(one.answer_keys[0] for one in questions) == keys
    told = ["cop counts from 0 and from 1 in this file"] * (0 if keys else len(cops))
    assert [one.reason.partition(": ")[2] for one in problems] == told


def test_an_empty_option_keeps_its_letter_from_the_others(read: Any) -> None:
    row = BULLET | {"opa": "aa", "opb": "", "opc": "cc", "opd": "dd", "ope": None, "answer_idx": "C", "answer": "cc"}
    (asked,), _ = read("medbullets_5", {"medbullets_op5.json": [row]})
    assert [(one.key, one.text) for one in asked.options] == [("A", "aa"), ("C", "cc"), ("D", "dd")]
    assert asked.answer_keys == ["C"] and asked.answer_text == "cc" and asked.gates == []


@pytest.mark.parametrize("name", ["medqa", "medbullets_4", "jama_clinical_challenge", "mmlu_medical", "usmle_sample"])
def test_a_letter_and_a_text_that_name_different_answers_are_told(release: Any, name: str) -> None:
    file, record = SAMPLES[name]
    rows = [record | {"answer": text, "no": n} for n, text in enumerate(("Skull", "Wing", "KNEE", "A", ""))]
    questions, problems = read_release(release(name, {file: rows, "question_with_images.json": []}, folder=False))
    assert problems == [] and {one.answer_keys[0] for one in questions} == {"A"}
    told = [[gate.reason for gate in one.gates if gate.gate == "gold_at_odds"] for one in questions]
    assert told == [
        ["the letter says A, the text is that of B"], ["the letter says A, the text is that of no option: Wing"],
        [], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (None, "there is no question_with_images.json beside the questions"),
        (b"{", "is no object of a list for each step"),
        ({"steps": [2]}, "is no object of a list for each step"),
        ({"step1": 2}, "is no object of a list for each step"),
        ([2], "is no object of a list for each step"),
        ({"step1": [2]}, "has no list for step2"),
    ],
)
def test_usmle_without_its_list_of_images_is_a_fault(release: Any, images: Any, said: str) -> None:
    files = {"step1.json": [STEP], "step2.json": [STEP | {"question": "Why?"}]}
    told = fault_of(release("usmle_sample", files | ({"question_with_images.json": images} if images else {})))
    assert told.startswith(": ") and said in told and "an empty list, [], says that there are none" in told


@pytest.mark.parametrize("key", ["step1", "Step 1", "step_1", "STEP-1", "1"])
def test_usmles_list_names_steps_as_it_likes(read: Any, key: str, caplog: Any) -> None:
    rows = [STEP, STEP | {"no": "2", "question": "What is shown?"}]
    with caplog.at_level("INFO"):
        (asked,), problems = read("usmle_sample", {"step1.json": rows, "question_with_images.json": {key: [2]}})
    assert problems == [] and asked.question_id == "mine-step1-1"
    assert "mine: records that are passed over: 1 of step1, with an image" in caplog.messages


def test_a_year_is_no_step(read: Any) -> None:
    files = {"2021_step1.json": [STEP], "question_with_images.json": {"step1": [2]}}
    assert read("usmle_sample", files)[0][0].subject == "step1"


def test_a_broken_test_fold_of_pubmedqa_is_a_fault(release: Any) -> None:
    held = {"11": {"QUESTION": "Does it?", "CONTEXTS": ["We saw."], "final_decision": "yes"}}
    for broken in (b"{", []):
        told = fault_of(release("pubmedqa", {"ori_pqal.json": held, "test_ground_truth.json": broken}))
        assert "test_ground_truth.json does not name the test fold" in told
    fold = {"test_ground_truth.json": {"11": "yes"}, ".old/test_ground_truth.json": {"1": "no"}}
    (asked,), _ = read_release(release("pubmedqa", {"ori_pqal.json": held, **fold}))
    assert asked.split == "test"


def test_ids_that_begin_anew_in_each_file_lose_nothing(read: Any) -> None:
    isolated, cases = [ECN | {"id": n} for n in range(3)], [CASE | {"id": n, "rank": n + 1} for n in range(3)]
    questions, problems = read("ecn_qa", {"qi_test.jsonl": isolated, "dp_test.jsonl": cases, "dp_dev.jsonl": cases})
    assert problems == [] and len({one.question_id for one in questions}) == 9
    assert {one.case_id for one in questions} == {"", "dp_test-0", "dp_dev-0"}


def test_an_exemplar_with_the_id_of_a_question_costs_no_question(read: Any) -> None:
    questions, problems = read("medxpertqa", {"dev.jsonl": [EXPERT], "test.jsonl": [EXPERT]})
    assert problems == [] and [one.split for one in questions] == ["dev", "test"]


def test_files_of_one_name_are_told_apart_by_their_folders(read: Any) -> None:
    rows = {f"{name}/test.jsonl": [MEDQA | {"question": f"Which {name}?"}] for name in ("a", "b")}
    questions, problems = read("medqa", rows)
    assert problems == [] and [one.question_id for one in questions] == ["mine-a-test-00001", "mine-b-test-00001"]


def test_an_id_is_the_same_whether_a_file_or_its_folder_is_named(read: Any) -> None:
    files = {"questions_w_answers.jsonl": [K_QA], "questions.jsonl": [{"Question": f"Q{n}?"} for n in range(3)]}
    alone, whole = read("k_qa", files, folder=False)[0], read("k_qa", files)[0]
    assert [one.question_id for one in alone] == [one.question_id for one in whole]
    assert alone[0].question_id == "mine-questions_w_answers-00001"


def test_nothing_is_read_twice(release: Any, read: Any) -> None:
    files = {"test.jsonl": [MEDQA], ".ipynb_checkpoints/test-checkpoint.jsonl": [MEDQA], ".old.jsonl": [MEDQA]}
    assert len(read("medqa", files)[0]) == 1
    assert fault_of(release("medqa", {"test.csv": "question\n"})) == (
        ": test.csv and test.jsonl are one file twice: name one of them as `file`"
    )


def test_a_copy_under_another_name_is_a_fault(release: Any) -> None:
    told = fault_of(release("medqa", {"test.jsonl": [MEDQA], "more/us_test.jsonl": [MEDQA], "dev.jsonl": [MEDQA]}))
    assert told == ": more/us_test.jsonl and test.jsonl are the same bytes: take one of them away"


@pytest.mark.parametrize("points", [10**400, float("nan"), float("inf"), True, "7", None])
def test_points_that_are_no_number_are_set_aside(read: Any, points: Any) -> None:
    odd = HEALTH | {"prompt_id": "q", "rubrics": [{"criterion": "Says why.", "points": points, "tags": []}]}
    questions, problems = read("healthbench", {"a_oss_eval.jsonl": [HEALTH, odd]}, folder=False)
    assert len(questions) == 1 and [one.reason for one in problems] == ["a criterion has no points"]
    odd["rubrics"] = [{"criterion": "Says why.", "points": 1, "tags": 5}]
    assert read("healthbench", {"a_oss_eval.jsonl": [HEALTH, odd]}, folder=False)[1][0].reason.endswith("are no list")


def test_options_that_are_no_list_or_too_many_are_set_aside(read: Any) -> None:
    odd = [PRO | {"options": options} for options in ("text", 5, [f"h{n}" for n in range(27)])]
    _, problems = read("mmlu_pro_health", {"test.jsonl": [PRO, *odd]}, folder=False)
    assert [one.reason for one in problems] == [
        "the options are no list", "the options are no list", "27 options: there are letters for 26",
    ]  # fmt: skip
    row = {"question": "Q?", "choices": list("wxyz"), "answer": 0, "subject": "anatomy"}
    odd = [row | {"choices": "wxyz"}, row | {"answer": True}]
    _, problems = read("mmlu_medical", {"test.jsonl": [row, *odd]}, folder=False)
    assert [one.reason for one in problems] == ["the options are no list", "the answer TRUE is no option"]


def test_an_unclosed_quote_loses_its_row_alone(read: Any) -> None:
    rows = [f"{quote}Which {n}?,a1,b1,c1,d1,A\n" for n, quote in enumerate(("", '"', "", "", ""))]
    questions, problems = read("mmlu_medical", {"anatomy_test.csv": "".join(rows)}, folder=False)
    assert [one.stem for one in questions] == ["Which 0?", "Which 2?", "Which 3?", "Which 4?"]
    assert [(one.line, one.reason) for one in problems] == [(2, "malformed table: a quote is never closed")]
    long = f"{'x' * 200_000},a1,b1,c1,d1,A\n"
    assert len(read("mmlu_medical", {"anatomy_test.csv": long}, folder=False)[0]) == 1
    lettered = "Which letter?,A,B,C,D,A\n"
    questions, _ = read("mmlu_medical", {"anatomy_test.csv": "question,A,B,C,D,answer\n" + lettered}, folder=False)
    assert [one.stem for one in questions] == ["Which letter?"], "the first line alone may be the columns' names"


def test_text_that_is_not_utf_8_is_set_aside(read: Any) -> None:
    table = "Où ?,a1,b1,c1,d1,A\n".encode("latin-1") + b"Which?,a1,b1,c1,d1,A\n"
    questions, problems = read("mmlu_medical", {"anatomy_test.csv": table}, folder=False)
    assert len(questions) == 1 and [one.reason for one in problems] == ["the text is not UTF-8"]


def test_k_qas_answered_file_has_no_unlabelled_question(read: Any) -> None:
    odd = {name: value for name, value in K_QA.items() if name != "Must_have"}
    questions, problems = read("k_qa", {"questions_w_answers.jsonl": [K_QA, odd]}, folder=False)
    assert [one.split for one in questions] == ["test"]
    assert [one.reason for one in problems] == ["no field Must_have, which others of the file have"]


def test_which_text_is_the_propositions_is_not_guessed(read: Any, release: Any) -> None:
    def row(**proposition: Any) -> dict[str, Any]:
        return ECN | {"answers": None, "propositions": [proposition | {"correct": right} for right in (True, False)]}

    rows = [row(id="p01", text="la toux"), row(texte="T"), row(id="p01", texte="la toux")]
    rows = [one | {"id": n} for n, one in enumerate(rows)]
    questions, problems = read("ecn_qa", {"qi_test.jsonl": rows}, folder=False)
    assert [one.answer_text for one in questions] == ["la toux", "T"]
    assert [one.reason.partition("?")[0] for one in problems] == ["which field is a proposition's text"]
    named = read("ecn_qa", {"qi_test.jsonl": rows[2:]}, folder=False, fields={"text": "texte"})
    assert [one.answer_text for one in named[0]] == ["la toux"]


def test_a_question_that_is_set_aside_keeps_its_rank(read: Any) -> None:
    odd = {"answers": ["A"]}, {"answers": ["Z"]}, {"rank": {}}, {"answers": ["B"]}
    rows = [CASE | {"id": n} | change for n, change in enumerate(odd)]
    questions, problems = read("ecn_qa", {"dp_test.jsonl": rows}, folder=False)
    assert [one.rank for one in questions] == [1, 4] and len(problems) == 2
    rows = [CASE | {"id": n, "rang": rank} for n, rank in enumerate(("2", 1.0, "10" * 9))]
    questions, problems = read("ecn_qa", {"dp_test.jsonl": rows}, folder=False, fields={"rank": "rang"})
    assert [one.rank for one in questions] == [2, 1] and "is no number" in problems[0].reason


def workbook(rows: str, shared: str = "") -> bytes:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    file = io.BytesIO()
    with ZipFile(file, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>")
        book.writestr("xl/sharedStrings.xml", f"<sst {space}>{shared}</sst>")
    return file.getvalue()


def cells(*texts: str) -> str:
    return "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts) + "</row>"


def test_a_workbook_without_places_is_read_in_its_order(read: Any) -> None:
    rows = cells("Question", "Answer") + cells("Why?", "So.") + cells("How?", "")
    (asked,), problems = read("medicationqa", {"m.xlsx": workbook(rows)}, folder=False)
    assert (asked.stem, asked.answer_text) == ("Why?", "So.")
    assert [(one.line, one.reason) for one in problems] == [(3, "no field Answer")]


def test_a_workbook_says_texts_without_their_pronunciation(read: Any) -> None:
    shared = "<si><t>薬</t><rPh sb='0' eb='1'><t>くすり</t></rPh></si><si><r><t>a</t></r><r><t>b</t></r></si>"
    row = '<row r="4"><c r="A4" t="s"><v>0</v></c><c r="B4" t="s"><v>1</v></c></row>'
    (asked,), _ = read("medicationqa", {"m.xlsx": workbook(cells("Question", "Answer") + row, shared)}, folder=False)
    assert (asked.stem, asked.answer_text) == ("薬", "ab")


@pytest.mark.parametrize("index", ["7", "-1", "x"])
def test_a_workbook_with_a_text_that_is_not_there_is_set_aside(read: Any, index: str) -> None:
    row = f'<row r="2"><c r="A2" t="s"><v>{index}</v></c></row>'
    broken = workbook(cells("Question", "Answer") + row, "<si><t>a</t></si>")
    _, problems = read("medicationqa", {"m.xlsx": broken}, folder=False)
    assert problems[0].reason.startswith("the file is not what its name says: ")


def test_who_tells_a_pass_mark_is_told() -> None:
    marks = {name: task.pass_mark for name, task in known_tasks().items() if task.pass_mark}
    assert set(marks) == {"medqa", "medqa_5options", "usmle_sample", "usmle_self_assessment"}
    assert all(0 < share < 1 and source for share, source in marks.values())


def test_json_of_many_digits_is_a_fault_of_its_line(read: Any) -> None:
    line = json.dumps(STEP | {"no": 0}).replace(": 0", ": " + "9" * 5_000)
    files = {"step1.jsonl": f"{json.dumps(STEP)}\n{line}\n", "question_with_images.json": []}
    questions, problems = read("usmle_sample", files, folder=False)
    assert len(questions) == 1 and problems[0].reason == "malformed JSON: a number of too many digits"
