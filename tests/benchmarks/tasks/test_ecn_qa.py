"""ECN-QA: fields by a mapping, propositions and answers in every form, cases in their order."""

from __future__ import annotations

from typing import Any

import pytest

from med_small_lm.benchmarks.published import fault_of

QI = {"question": "Quelle est la cause ?", "propositions": ["Froid", "Sel", "Vent"], "answers": ["A", "C"]}
DP = {"enonce": "Que faire ?", "choix": {"a": "Attendre", "b": "Opérer"}, "reponses": "B", "cas": "d7", "texte": "M. X"}
FIELDS = {"question": "enonce", "propositions": "choix", "answers": "reponses", "case": "cas", "context": "texte"}


@pytest.mark.parametrize(
    ("propositions", "answers", "right"),
    [
        (["Froid", "Sel", "Vent"], ["A", "C"], ["A", "C"]),
        (["Froid", "Sel", "Vent"], "AC", ["A", "C"]),
        (["Froid", "Sel", "Vent"], "a; c", ["A", "C"]),
        (["Froid", "Sel", "Vent"], ["Vent"], ["C"]),
        (["Froid", "Sel", "Vent"], [1, 0, 1], ["A", "C"]),
        (["Froid", "Sel", "Vent"], [True, False, True], ["A", "C"]),
        ({"A": "Froid", "B": "Sel"}, ["b"], ["B"]),
        ([{"text": "Froid", "is_true": True}, {"text": "Sel", "is_true": False}], None, ["A"]),
    ],
)
def test_forms_of_propositions_and_answers(read: Any, propositions: Any, answers: Any, right: list[str]) -> None:
    row = QI | {"propositions": propositions, "answers": answers}
    (asked,), problems = read("ecn_qa", {"qi_test.jsonl": [row]}, folder=False)
    assert problems == [] and (asked.answer_keys, asked.kind, asked.language) == (right, "multi", "fr")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([0, 2], "the answers are numbers, but not a 0 or 1 for each proposition"),
        ([0, 0, 0], "no answer"),
        (["Z"], "the answer Z is no option"),
        (None, "no answer"),
    ],
)
def test_answers_that_cannot_be_read_are_set_aside(read: Any, answers: Any, reason: str) -> None:
    questions, problems = read("ecn_qa", {"qi_test.jsonl": [QI, QI | {"answers": answers}]}, folder=False)
    assert len(questions) == 1 and [(one.line, one.reason) for one in problems] == [(2, reason)]


def test_a_case_has_its_questions_in_order(read: Any) -> None:
    rows = [DP, DP | {"enonce": "Et ensuite ?"}, DP | {"cas": "d8"}]
    questions, problems = read("ecn_qa", {"dp_test.jsonl": rows}, folder=False, fields=FIELDS)
    assert problems == []
    assert [(one.case_id, one.rank, one.kind) for one in questions] == [
        ("dp_test-d7", 1, "progressive"), ("dp_test-d7", 2, "progressive"), ("dp_test-d8", 1, "progressive")
    ]  # fmt: skip
    assert questions[0].context == "M. X" and questions[0].answer_text == "Opérer"
    ranked = [DP | {"rang": n} for n in (2, 1, 1)]
    questions, problems = read("ecn_qa", {"dp_test.jsonl": ranked}, folder=False, fields=FIELDS | {"rank": "rang"})
    assert [one.rank for one in questions] == [2, 1]
    assert [one.reason for one in problems] == ["rank 1 of case dp_test-d7 stands already in line 2"]


def test_a_folder_gives_isolated_questions_and_cases_of_one_language(read: Any) -> None:
    case = QI | {"case_id": "d1"}
    files = {
        "french/qi_test.jsonl": [QI], "french/dp_test.jsonl": [case], "french/test.jsonl": [QI, case],
        "french/custom_test_fr.jsonl": [QI], "english/qi_test.jsonl": [QI],
    }  # fmt: skip
    assert [one.kind for one in read("ecn_qa", files)[0]] == ["progressive", "multi"]
    english = read("ecn_qa_en", files)[0]
    assert [(one.kind, one.language) for one in english] == [("multi", "en")]


def test_a_field_that_is_not_there_is_told_with_those_that_are(release: Any) -> None:
    files = {"qi_test.jsonl": [DP]}
    assert fault_of(release("ecn_qa", files, folder=False, fields=FIELDS)) == ""
    told = fault_of(release("ecn_qa", files, folder=False, fields=FIELDS | {"question": "texte_question"}))
    assert told == (
        ".fields.question: qi_test.jsonl has no field 'texte_question' for `task: ecn_qa`; "
        "it has enonce, choix, reponses, cas, texte"
    )
    assert fault_of(release("ecn_qa", files, folder=False)).startswith(".fields.question: qi_test.jsonl has no field")
    told = fault_of(release("ecn_qa", files, folder=False, fields=FIELDS | {"rank": "rang"}))
    assert told.startswith(".fields.rank: qi_test.jsonl has no field 'rang'"), "what is mapped must be there"
    told = fault_of(release("ecn_qa", files, folder=False, fields={"propositons": "choix"}))
    assert told.startswith(
        ".fields.propositons: no such field can be named (did you mean propositions?); there are id,"
    )
