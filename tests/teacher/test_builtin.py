"""The built-in teacher: what its rules read, ask, decide and say again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.builtin import answer
from med_small_lm.teacher.builtin.rules import parse
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import TeacherError

SOURCE = Path(__file__).parents[2] / "src"

STATEMENTS = [
    ("Scurvy is caused by lack of ascorbic acid.", "scurvy", "cause", "lack of ascorbic acid"),
    ("The most frequent cause of epiglottitis is Haemophilus influenzae.", "epiglottitis", "cause", None),
    (
        "In most adults, gout results from renal underexcretion of urate.",
        "gout",
        "cause",
        "renal underexcretion of urate",
    ),
    ("The hallmark sign of measles is Koplik spots.", "measles", "sign", "Koplik spots"),
    (
        "Clinicians recognize rosacea by a typical sign, flushing with papules.",
        "rosacea",
        "sign",
        "flushing with papules",
    ),
    ("Celiac disease is diagnosed by duodenal biopsy.", "celiac disease", "test", "duodenal biopsy"),
    ("The diagnostic test of choice for Crohn disease is ileocolonoscopy.", "Crohn disease", "test", "ileocolonoscopy"),
    ("Gonorrhea is usually treated with ceftriaxone.", "gonorrhea", "treatment", "ceftriaxone"),
    ("For chronic gout, the treatment of first choice is allopurinol.", "chronic gout", "treatment", "allopurinol"),
    (
        "Mitral stenosis may be complicated by atrial fibrillation.",
        "mitral stenosis",
        "complication",
        "atrial fibrillation",
    ),
    (
        "Beware of renal crisis, a feared complication of systemic sclerosis.",
        "systemic sclerosis",
        "complication",
        None,
    ),
    ("Torsemide belongs to the drug class loop diuretic.", "torsemide", "class", "loop diuretic"),
    (
        "Febuxostat acts through inhibition of xanthine oxidase.",
        "febuxostat",
        "mechanism",
        "inhibition of xanthine oxidase",
    ),
    ("Timolol is given chiefly for open-angle glaucoma.", "timolol", "use", "open-angle glaucoma"),
    ("A typical adverse effect of lisinopril is dry cough.", "lisinopril", "adverse_effect", "dry cough"),
    ("Misoprostol is strictly contraindicated in pregnancy.", "misoprostol", "contraindication", "pregnancy"),
    (
        "Listeria monocytogenes is classified as gram-positive rod.",
        "Listeria monocytogenes",
        "group",
        "gram-positive rod",
    ),
    ("Infection with Giardia lamblia leads to foul steatorrhea.", "Giardia lamblia", "disease", "foul steatorrhea"),
    (
        "The route of transmission of hepatitis A virus is fecal-oral contact.",
        "hepatitis A virus",
        "transmission",
        None,
    ),
    (
        "In the laboratory, Candida glabrata is identified by blastospores.",
        "Candida glabrata",
        "feature",
        "blastospores",
    ),
    ("Secretin is secreted by duodenal S cells.", "secretin", "secretion", "duodenal S cells"),
    ("The release of gastrin is stimulated by stomach distension.", "gastrin", "stimulus", "stomach distension"),
    ("The main action of leptin is suppression of appetite.", "leptin", "action", "suppression of appetite"),
    ("Deficiency of biotin leads to alopecia with dermatitis.", "biotin", "deficiency", "alopecia with dermatitis"),
    ("Too much selenium leads to brittle nails.", "selenium", "excess", "brittle nails"),
    ("A rich dietary source of folate is dark leafy greens.", "folate", "diet", "dark leafy greens"),
    ("The biochemical role of biotin is transfer of carboxyl groups.", "biotin", "role", "transfer of carboxyl groups"),
    ("Low stores of zinc are a particular risk in strict vegetarians.", "zinc", "risk_group", "strict vegetarians"),
    ("The main function of the soleus is plantar flexion.", "soleus", "function", "plantar flexion"),
    ("The uterine artery lies in the broad ligament.", "uterine artery", "location", "broad ligament"),
    ("The supply of the deltoid is axillary nerve.", "deltoid", "supply", "axillary nerve"),
    ("Damage to the ulnar nerve causes claw hand.", "ulnar nerve", "injury", "claw hand"),
    ("The embryonic origin of the pancreas is foregut endoderm.", "pancreas", "origin", "foregut endoderm"),
    ("Catalase catalyzes breakdown of hydrogen peroxide.", "catalase", "reaction", "breakdown of hydrogen peroxide"),
    ("Fumarase belongs to the pathway of citric acid cycle.", "fumarase", "pathway", "citric acid cycle"),
    ("The activity of phosphofructokinase is governed by citrate.", "phosphofructokinase", "regulator", "citrate"),
    ("The Paneth cell can be recognized by eosinophilic granules.", "Paneth cell", "marker", "eosinophilic granules"),
    ("Failure of the podocyte underlies minimal change disease.", "podocyte", "disorder", "minimal change disease"),
]

UNREADABLE = [
    "This is caused by several things.",
    "It is treated with rest.",
    "By the end of this section, you should be able to describe the heart.",
    "What causes gout?",
    "See the table on the next page.",
]

PASSAGE = (
    "The cause of gout is urate crystals. The first-line treatment of gout is naproxen. "
    "Scurvy is due to lack of ascorbic acid. Measles is marked clinically by its hallmark, Koplik spots."
)
RELATED = [
    "Cholera results from Vibrio cholerae toxin. The usual cause of silicosis is inhaled quartz dust. "
    "Management of cholera "
    "begins with oral rehydration. Cretinism is caused by fetal iodine lack. Asthma is first treated with albuterol.",
    "The hallmark sign of tetanus is risus sardonicus. The classic sign of mumps is parotid swelling. "
    "Of all clinical signs of rosacea, the most characteristic is facial flushing. Scabies is first "
    "treated with permethrin. "
    "Initial therapy for tinnitus consists of sound masking.",
]
EXEMPLARS = [
    {
        "stem": "A 40-year-old man is found to have silicosis. Which of the following explains this condition?",
        "options": [],
        "answer": "inhaled quartz dust",
        "evidence": "Silicosis is caused by inhaled quartz dust.",
    },
    {
        "stem": "Which of the following lies at the root of Wilson disease?",
        "options": [],
        "answer": "ATP7B mutation",
        "evidence": "Wilson disease results from ATP7B mutation.",
    },
]

PROSE = (
    "The duodenum is the first part of the small intestine and receives bile from the gallbladder. "
    "Therefore, aldosterone is a "
    "hormone produced by the zona glomerulosa in the adrenal cortex. It is important. Cachexia refers to "
    "muscle loss with or "
    "without fat mass loss. The client may notice hemoptysis (coughing up of blood) early on (Smith, "
    "2020). Adults should drink "
    "about 2000 mL of water a day in a hot climate."
)
NEIGHBOURS = [
    "Insulin is a hormone that lowers the blood glucose level after a meal. Dyspnea refers to breathing "
    "that is hard and "
    "short. Cortisol is the main stress hormone of the adrenal gland. The jejunum absorbs most of the "
    "sugars of a meal. "
    "Glucagon is a hormone that releases glucose from the liver between meals. "
    "Sarcopenia means the loss of muscle that comes with age. The patient had syncope (a short loss of awareness)."
]


def ask_questions(**slots: Any) -> list[dict[str, Any]]:
    given = {"passage": PASSAGE, "related": RELATED, "exemplars": EXEMPLARS, "n": 4, "seed": 0, **slots}
    questions: list[dict[str, Any]] = answer("question", given)["questions"]
    return questions


@pytest.mark.parametrize(("sentence", "subject", "relation", "value"), STATEMENTS)
def test_a_statement_is_read(sentence: str, subject: str, relation: str, value: str | None) -> None:
    fact = parse(sentence)
    assert fact is not None and (fact.subject, fact.relation) == (subject, relation)
    assert value is None or fact.value == value


@pytest.mark.parametrize("sentence", UNREADABLE)
def test_what_states_nothing_is_left(sentence: str) -> None:
    assert parse(sentence) is None


def test_questions_are_right_and_quoted() -> None:
    questions = ask_questions()
    assert len(questions) == 4
    for question in questions:
        right = question["options"][question["answer"]]
        assert question["quote"] in PASSAGE and right in question["quote"]
        assert len({option.lower() for option in question["options"]}) == 4
        assert question["stem"].endswith("?") and right.lower() not in question["stem"].lower()


def test_stems_imitate_the_exemplars_in_turn() -> None:
    stems = {q["stem"] for seed in range(12) for q in ask_questions(seed=seed) if "urate crystals" in q["options"]}
    alike = {re.sub(r"\d+", "N", stem) for stem in stems if "gout" in stem}
    assert alike == {
        "A N-year-old man is found to have gout. Which of the following explains this condition?",
        "Which of the following lies at the root of gout?",
    }
    assert len(stems & {stem for stem in stems if "year-old" in stem}) > 1, "ages vary with the seed"


def test_the_right_option_stands_everywhere() -> None:
    places = [q["answer"] for seed in range(30) for q in ask_questions(seed=seed)]
    assert all(0.1 < places.count(place) / len(places) < 0.45 for place in range(4))


def test_without_wrong_options_there_is_no_question() -> None:
    assert ask_questions(related=[]) == []


def test_the_rationale_finds_the_hidden_answer() -> None:
    for question in ask_questions():
        reply = answer("rationale", {"stem": question["stem"], "options": question["options"], "passage": PASSAGE})
        assert reply["answer"] == question["options"][question["answer"]]
        assert reply["answer"] in reply["rationale"] and len(reply["rationale"].split()) <= 25


def test_no_rationale_where_the_passage_decides_nothing() -> None:
    slots = {"stem": "What is the usual cause of anthrax?", "options": ["a", "b", "c", "d"], "passage": PASSAGE}
    assert answer("rationale", slots) == {"rationale": "", "answer": ""}


def test_options_may_be_records() -> None:
    options = [{"key": "A", "text": "urate crystals"}, {"key": "B", "text": "quartz"}]
    slots = {"stem": "What is the usual cause of gout?", "options": options, "passage": PASSAGE}
    assert answer("rationale", slots) == {
        "rationale": "The cause of gout is urate crystals.",
        "answer": "urate crystals",
    }


def test_support_tells_right_from_wrong() -> None:
    for question in ask_questions():
        for place, option in enumerate(question["options"]):
            slots = {"quote": question["quote"], "answer": option, "stem": question["stem"]}
            reply = answer("support", slots)
            assert reply["supported"] is (place == question["answer"]) and reply["why"]


def test_rephrasings_say_each_fact_again_in_other_words() -> None:
    texts = [
        answer("rephrasing", {"passage": PASSAGE, "style": "a plain textbook", "seed": seed})["text"]
        for seed in range(4)
    ]
    assert len(set(texts)) == 4
    for text in texts:
        assert all(value in text for value in ("urate crystals", "naproxen", "lack of ascorbic acid", "Koplik spots"))
        assert text.count(".") == 4 and "?" not in text
        assert not any(sentence in text for sentence in PASSAGE.split(". ")[:1])


def test_the_plain_style_says_a_fact_as_a_rationale_does() -> None:
    text = answer("rephrasing", {"passage": PASSAGE, "style": "plain", "seed": 3})["text"]
    assert "The cause of gout is urate crystals." in text


def test_a_summary_merges_the_facts_by_subject_and_is_short() -> None:
    text = answer("summary", {"passage": PASSAGE})["summary"]
    assert len(text.split()) < 0.6 * len(PASSAGE.split()) and text.startswith("Gout: cause, urate crystals; ")
    assert "treatment, naproxen. Scurvy: cause, lack of ascorbic acid." in text


def test_atomic_facts_are_a_sentence_each_and_worded_anew_by_another_passage() -> None:
    facts, others = (answer("atomic_facts", {"passage": text})["facts"] for text in (PASSAGE, f"{PASSAGE} "))
    assert len(facts) == len(others) == 4 and facts != others
    assert all(fact.count(".") == 1 and fact.endswith(".") for fact in facts)


def test_a_link_says_what_both_passages_state_of_the_subject() -> None:
    other = "Naproxen belongs to the class of nonsteroidal anti-inflammatory drugs. Measles is due to a virus."
    text = answer("link", {"subject": "naproxen", "first": PASSAGE, "second": other})["text"]
    assert text.startswith("Of naproxen one place says: Gout") and "nonsteroidal anti-inflammatory" in text
    assert answer("link", {"subject": "naproxen", "first": PASSAGE, "second": PASSAGE}) == {"text": ""}


def test_a_passage_without_facts_gives_nothing() -> None:
    nothing = "By the end of this section, you should be able to say more. It was a long day."
    assert answer("rephrasing", {"passage": nothing, "style": "a plain textbook", "seed": 0}) == {"text": ""}
    assert ask_questions(passage=nothing) == []


def test_questions_on_ordinary_prose_stand_alone() -> None:
    questions = ask_questions(passage=PROSE, related=NEIGHBOURS, exemplars=[], n=10)
    answers = {question["options"][question["answer"]] for question in questions}
    assert {"Aldosterone", "Cachexia", "Hemoptysis", "2000 mL"} <= answers
    for question in questions:
        assert not re.search(r"\b(?:this|it|these|they|figure|2020)\b", question["stem"], re.IGNORECASE)
        assert question["quote"] in PROSE
        slots = {"stem": question["stem"], "options": question["options"], "passage": PROSE}
        assert answer("rationale", slots)["answer"] == question["options"][question["answer"]]


def test_an_unknown_task_and_a_missing_slot_are_named() -> None:
    with pytest.raises(TeacherError, match="no task 'diagnosis'"):
        answer("diagnosis", {})
    with pytest.raises(TeacherError, match="no slot 'passage'"):
        answer("rephrasing", {"style": "a plain textbook"})


def test_replies_fit_the_prompts_schemas_and_are_remembered(prompts: dict[str, Prompt], ledger_path: Path) -> None:
    first = ask_questions()[0]
    slots: dict[str, dict[str, Any]] = {
        "question": {"passage": PASSAGE, "related": RELATED, "exemplars": EXEMPLARS, "n": 2, "seed": 1},
        "rationale": {"stem": first["stem"], "options": first["options"], "passage": PASSAGE},
        "support": {"stem": first["stem"], "answer": first["options"][0], "quote": first["quote"]},
        "rephrasing": {"passage": PASSAGE, "style": "a plain textbook", "seed": 0},
        "summary": {"passage": PASSAGE},
        "atomic_facts": {"passage": PASSAGE},
        "link": {"subject": "gout", "first": PASSAGE, "second": PROSE},
        "refusal": {"passage": PASSAGE, "related": RELATED, "style": "invented", "name": "the drug zorlol", "seed": 0},
        "dialogue": {
            "stem": "Why?",
            "options": [],
            "answer": "So",
            "rationale": "It is so.",
            "passage": PASSAGE,
            "messages": 26,
            "seed": 0,
        },
        "clean": {"question": "What shall I do?", "answer": "Hello. Rest. Regards."},
        "flashcard": {"question": "Cause of scurvy", "answer": "lack of vitamin C"},
        "heading": {"question": "Cause", "answer": "Scurvy is due to a lack of vitamin C."},
        "paraphrase": {"instruction": "Answer.", "n": 2, "seed": 0},
    }
    requests = [prompts[name].request(values, {}) for name, values in slots.items()]
    teacher = open_teacher(TeacherParams(), ledger_path)
    replies, again = teacher.ask_all(requests), teacher.ask_all(requests)
    teacher.close()
    for request, reply in zip(requests, replies, strict=True):
        assert reply.status == "ok" and reply.model == "builtin-rules/2"
        assert request.schema is not None
        Draft202012Validator(request.schema).validate(reply.parsed)
    assert [reply.parsed for reply in again] == [reply.parsed for reply in replies]
    assert all(reply.from_ledger for reply in again) and not any(reply.from_ledger for reply in replies)


def test_another_process_gives_the_same() -> None:
    code = (
        "import json, sys; from med_small_lm.teacher.builtin import answer; slots = json.load(sys.stdin);"
        "print(json.dumps([answer(task, slots) for task in ('question', 'rephrasing')]))"
    )
    slots = {
        "passage": f"{PASSAGE} {PROSE}",
        "related": RELATED + NEIGHBOURS,
        "exemplars": EXEMPLARS,
        "n": 9,
        "seed": 3,
    }
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(slots),
            env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1 and len(json.loads(outputs.pop())[0]["questions"]) >= 4


def test_importing_the_built_in_teacher_imports_no_client() -> None:
    code = "import sys, med_small_lm.teacher.client as c; print('openai' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["False", "False"]
