"""Reading answers: a table of replies that evaluations were caught by, and what must hold for any reply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.answers.declining import declines
from med_small_lm.answers.extraction import Extraction, extract, stated_keys
from med_small_lm.answers.forms import Form
from med_small_lm.schemas.rows import Option

from .more_replies import MORE_CASES
from .replies import CASES, Case

POCKET = Path(__file__).parents[2] / "data/01_raw/benchmarks/pocket_exam.jsonl"
TEXT = Form("explain", "", "hidden", "The answer is", letters=False)
LETTERS = Form("letters", "", "listed", "The answer is", letters=True)


def options(*texts: str) -> list[Option]:
    return [Option(key, text) for key, text in zip("ABCDEFGH", texts, strict=False)]


POUCHES = options("third pharyngeal pouch", "mesencephalon", "left sixth aortic arch", "metanephric blastema")
DRUGS = options("valproate", "aspirin", "vitamin D", "furosemide 40 mg", "furosemide 80 mg")
GERMS = options("C. difficile", "E. coli", "B cells", "hepatitis B")
OPPOSITES = options("hypothyroidism", "hyperthyroidism", "increased preload", "decreased preload")
BALANCE = options("-5", "5", "+5", "0.5")
BLOOD = options("B", "A", "AB", "O")
SIGNS = options("> 40 mmHg", "< 40 mmHg", "0.5 mg", "5 mg")

READ = [
    # the forms that published systems ask for
    ("The answer is (C) left sixth aortic arch.", POUCHES, "C"),
    ("The answer is third pharyngeal pouch.", POUCHES, "A"),
    ("It arises early. The answer is mesencephalon.", POUCHES, "B"),
    ("Answer: B", POUCHES, "B"),
    ("B: mesencephalon", POUCHES, "B"),
    ("OPTION D IS CORRECT", POUCHES, "D"),
    ("OPTION D IS CORRECT: it forms the kidney.", POUCHES, "D"),
    # spellings of them
    ("the answer is (c).", POUCHES, "C"),
    ("The answer is option d.", POUCHES, "D"),
    ("The answer is: B.", POUCHES, "B"),
    ("The answer is:\n\nB", POUCHES, "B"),
    ("The answer is B because it is the midbrain.", POUCHES, "B"),
    ("The correct answer to this question is: D. metanephric blastema", POUCHES, "D"),
    ("Final answer: (A)", POUCHES, "A"),
    ("**Answer:** (b)", POUCHES, "B"),
    ("The answer is **C**.", POUCHES, "C"),
    (r"Therefore $\boxed{C}$", POUCHES, "C"),
    (r"The answer is \boxed{\text{C}}.", POUCHES, "C"),
    ("D is the correct answer.", POUCHES, "D"),
    ("(B) is correct.", POUCHES, "B"),
    ("Answer (B) is right.", POUCHES, "B"),
    ("Option A is incorrect. Option D is correct.", POUCHES, "D"),
    ("La réponse est (C).", POUCHES, "C"),
    ("Réponse : B", POUCHES, "B"),
    ("L'option D est correcte.", POUCHES, "D"),
    ("B", POUCHES, "B"),
    ("B.", POUCHES, "B"),
    ("(d)", POUCHES, "D"),
    ("(B) mesencephalon", POUCHES, "B"),
    ("B) mesencephalon", POUCHES, "B"),
    ("D - metanephric blastema", POUCHES, "D"),
    ("Mesencephalon.", POUCHES, "B"),
    ("The midbrain is meant.\n\nMesencephalon", POUCHES, "B"),
    ("The answer is the THIRD  pharyngeal-pouch", POUCHES, "A"),
    ("The answer is mesencephalon, the midbrain.", POUCHES, "B"),
    ("The answer is mesencephalon, not metanephric blastema.", POUCHES, "B"),
    ("The answer is mesencephalon because metanephric blastema forms the kidney.", POUCHES, "B"),
    # thinking
    ("<think>The answer is A.</think>The answer is B.", POUCHES, "B"),
    ("A or B? Surely A.</think>\nAnswer: C", POUCHES, "C"),
    ("<thinking>A</thinking> D", POUCHES, "D"),
    # the last statement counts
    ("The answer is A. No: the answer is B.", POUCHES, "B"),
    # capitals that are no keys
    ("The answer is vitamin D.", DRUGS, "C"),
    ("The answer is C. difficile.", GERMS, "A"),
    ("The answer is E. coli.", GERMS, "B"),
    ("The answer is B cells.", GERMS, "C"),
    ("The answer is hepatitis B.", GERMS, "D"),
    ("The answer is PAS-positive cells.", options("PAS-positive cells", "PAS-negative cells"), "A"),
    ("The answer is principal cells; aldosterone.", options("principal cells", "principal cells; aldosterone"), "B"),
    ("The answer is not tapered.", options("1 dimension", "not tapered"), "B"),
    ("The answer is Imipenem.", options("Amoxicillin.", "Imipenem."), "B"),
    # numbers and signs
    ("The answer is furosemide 80 mg.", DRUGS, "E"),
    ("The answer is > 40 mmHg.", SIGNS, "A"),
    ("The answer is <40 mmHg.", SIGNS, "B"),
    ("The answer is 0.5 mg.", SIGNS, "C"),
    ("The answer is 5 mg.", SIGNS, "D"),
    ("The answer is -5.", BALANCE, "A"),
    ("The answer is (A) −5.", BALANCE, "A"),
    ("The answer is 5.", BALANCE, "B"),
    ("The answer is +5.", BALANCE, "C"),
    # what is only supposed, and verdicts beside the answer
    ("The answer is B. If it formed the kidney, the answer would be D.", POUCHES, "B"),
    ("A is true. C is true. B is false. The answer is B.", POUCHES, "B"),
    # options that look like keys
    ("The answer is A.", BLOOD, "B"),
    ("The answer is (A) B.", BLOOD, "A"),
]


@pytest.mark.parametrize(("reply", "listed", "key"), READ)
def test_parsed(reply: str, listed: list[Option], key: str) -> None:
    assert extract(reply, listed, TEXT) == Extraction("parsed", [key])


@pytest.mark.parametrize(
    ("reply", "listed", "key"),
    [
        ("The answer is third pharyngeal pouches.", POUCHES, "A"),
        ("The answer is the metanephric blastemas", POUCHES, "D"),
        ("The answer is valproates.", DRUGS, "A"),
        ("The answer is furosemide 80 mg daily.", DRUGS, "E"),
        ("Metanephric blastemas", POUCHES, "D"),
    ],
)
def test_repaired(reply: str, listed: list[Option], key: str) -> None:
    assert extract(reply, listed, TEXT) == Extraction("repaired", [key])


NOT_READ = [
    # two answers
    ("The answer is A or B.", POUCHES, "ambiguous"),
    ("The answer is (A) and (C).", POUCHES, "ambiguous"),
    ("The answer is A/B", POUCHES, "ambiguous"),
    ("The answer is mesencephalon or metanephric blastema.", POUCHES, "ambiguous"),
    ("Options A and B are correct.", POUCHES, "ambiguous"),
    ("OPTION A IS CORRECT. OPTION B IS CORRECT.", POUCHES, "ambiguous"),
    ("A: third pharyngeal pouch\nB: mesencephalon", POUCHES, "ambiguous"),
    # key and text at odds
    ("The answer is (C) mesencephalon.", POUCHES, "ambiguous"),
    ("The answer is C. third pharyngeal pouch", POUCHES, "ambiguous"),
    ("B: third pharyngeal pouch", POUCHES, "ambiguous"),
    # none of the options
    ("The answer is renal vein thrombosis.", POUCHES, "ambiguous"),
    ("The answer is E.", POUCHES, "ambiguous"),
    ("The answer is not A.", POUCHES, "ambiguous"),
    ("Option A is incorrect.", POUCHES, "ambiguous"),
    ("Answer", POUCHES, "ambiguous"),
    ("A 45-year-old man with third-degree burns.", POUCHES, "ambiguous"),
    ("The answer is A 45-year-old man.", POUCHES, "ambiguous"),
    ("A. 45-year-old man", POUCHES, "ambiguous"),
    ("The mesencephalon is the midbrain and it gives rise to nothing of the kind.", POUCHES, "ambiguous"),
    ("Aspirin, a drug that inhibits cyclooxygenase.", DRUGS, "ambiguous"),
    # near to an option, and not it
    ("The answer is left fifth aortic arch.", POUCHES, "ambiguous"),
    ("The answer is pharyngeal pouch.", POUCHES, "ambiguous"),
    ("The answer is furosemide.", DRUGS, "ambiguous"),
    ("The answer is furosemide 60 mg.", DRUGS, "ambiguous"),
    ("The answer is hypothyroid.", OPPOSITES, "ambiguous"),
    ("The answer is prednisolone.", options("prednisone", "aspirin"), "ambiguous"),
    ("The answer is mesencephalon, diencephalon and pons.", POUCHES, "ambiguous"),
    ("The answer is immune purpura.", options("thrombotic purpura", "uraemia"), "ambiguous"),
    ("The answer is osteoclastic activity.", options("osteoblastic activity", "resorption"), "ambiguous"),
    ("The answer is HR/MAP.", options("MAP/HR", "HR/SBP"), "ambiguous"),
    ("The answer is hepatitis.", GERMS, "ambiguous"),
    ("The answer is I, III, IV.", options("I, II", "III, IV"), "ambiguous"),
    ("The answer is principal cells; aldosterone.", options("principal cells; spironolactone", "x"), "ambiguous"),
    ("The answer is Amoxicillin. or Imipenem.", options("Amoxicillin.", "Imipenem."), "ambiguous"),
    ("The answer is 1 dimension or not tapered.", options("1 dimension", "not tapered"), "ambiguous"),
    ("The answer is preload.", OPPOSITES, "ambiguous"),
    ("The answer is 40 mmHg.", SIGNS, "ambiguous"),
    ("The answer is 15 mg.", SIGNS, "ambiguous"),
    ("The answer is .5.", BALANCE, "ambiguous"),
    ("The answer is (A) 5.", BALANCE, "ambiguous"),
    ("The answer is B. Option C is correct.", POUCHES, "ambiguous"),
    ("Option C is the correct answer. The answer is B.", POUCHES, "ambiguous"),
    # no answer
    ("I cannot answer medical questions.", POUCHES, "refused"),
    ("As an AI I am not a doctor.", POUCHES, "refused"),
    ("I'm sorry. Please consult a physician.", POUCHES, "refused"),
    ("Je ne peux pas répondre.", POUCHES, "refused"),
    ("", POUCHES, "empty"),
    (" \n\t", POUCHES, "empty"),
    ("<think>The answer is A.</think>", POUCHES, "empty"),
    ("<think>The answer is A.", POUCHES, "truncated"),
    ("Well? <thinking>The answer is A.", POUCHES, "truncated"),
]


@pytest.mark.parametrize(("reply", "listed", "state"), NOT_READ)
def test_not_read(reply: str, listed: list[Option], state: str) -> None:
    assert extract(reply, listed, TEXT) == Extraction(state, [])


@pytest.mark.parametrize("case", CASES + MORE_CASES, ids=lambda case: f"{case.group}: {case.text[:40]!r}")
def test_the_table_of_replies(case: Case) -> None:
    read = extract(case.text, case.shape.options, LETTERS, kind=case.shape.kind, truncated=case.cut)
    assert read == Extraction(case.state, list(case.keys))


def test_a_text_may_state_several_keys_and_none() -> None:
    assert stated_keys("The answer is A or B.", POUCHES, TEXT) == {"A", "B"}
    assert stated_keys("It forms early, as (A) does.", POUCHES, TEXT) is None
    assert declines("I’m unable to say.") and not declines("Steroids cannot help.")


def test_cut_reply_is_truncated_whatever_it_says() -> None:
    for reply in ("The answer is third", "The answer is B. And", "", "<think>hm"):
        assert extract(reply, POUCHES, TEXT, truncated=True) == Extraction("truncated", [])


def test_letters_asked_for_make_a_bare_letter_two_readings() -> None:
    assert extract("The answer is A.", BLOOD, LETTERS).state == "ambiguous"
    assert extract("The answer is (A).", BLOOD, LETTERS) == Extraction("parsed", ["A"])


def test_the_forms_own_ending_is_looked_for() -> None:
    form = Form("direct", "", "hidden", "Diagnosis =>", letters=False)
    assert extract("Not aspirin. Diagnosis => valproate.", DRUGS, form) == Extraction("parsed", ["A"])


@pytest.mark.parametrize(
    ("ending", "reply", "key"),
    [
        ("OPTION {key} IS CORRECT", "OPTION B IS WRONG, SO OPTION D IS CORRECT.", "D"),
        ("{key}: {text}", "So it is B: aspirin.", "B"),
        ("Diagnosis => {text}!", "Not aspirin. Diagnosis => valproate!", "A"),
        ("I tick box {key}.", "A is out. I tick box C.", "C"),
        ("{key}: {text}", "So it is B: valproate.", ""),
    ],
)
def test_a_whole_ending_is_looked_for(ending: str, reply: str, key: str) -> None:
    form = Form("direct", "", "listed", ending, letters=False)
    assert "".join(extract(reply, DRUGS, form).keys) == key
    for option in DRUGS:
        assert extract(form.reply(option, "It is so."), DRUGS, form) == Extraction("parsed", [option.key])


def test_no_options() -> None:
    assert extract("The answer is B.", [], TEXT).state == "ambiguous"


WORDS = "renal cardiac portal vein artery nerve thrombosis stenosis tumour syndrome of B12 A IgE Na+ 5-HT".split(" ")
PHRASE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@st.composite
def some_options(draw: st.DrawFn) -> list[Option]:
    texts = draw(st.lists(PHRASE, min_size=2, max_size=6, unique_by=str.casefold))
    return options(*texts)


@given(some_options(), st.data(), st.booleans())
def test_any_well_formed_reply_is_read(listed: list[Option], data: st.DataObject, letters: bool) -> None:
    form = LETTERS if letters else TEXT
    chosen = data.draw(st.sampled_from(listed))
    rationale = data.draw(st.sampled_from(["", "It blocks the channel.", "A 45-year-old man, seen in clinic A."]))
    assert extract(form.reply(chosen, rationale), listed, form) == Extraction("parsed", [chosen.key])


@given(some_options(), st.data())
def test_two_texts_in_one_statement_are_never_read(listed: list[Option], data: st.DataObject) -> None:
    one, two = data.draw(st.permutations(listed))[:2]
    joint = f"The answer is {one.text} or {two.text}."
    read = extract(joint, listed, TEXT)
    assert read.keys == [] or any(option.text.casefold() == f"{one.text} or {two.text}" for option in listed)


@given(some_options(), st.data())
def test_key_of_one_and_text_of_another_are_never_read(listed: list[Option], data: st.DataObject) -> None:
    one, two = data.draw(st.permutations(listed))[:2]
    assert extract(f"The answer is ({one.key}) {two.text}.", listed, LETTERS).keys == []


@given(some_options(), st.text(max_size=60), st.booleans())
def test_any_text_has_a_state_and_a_key_only_if_it_was_read(listed: list[Option], reply: str, cut: bool) -> None:
    read = extract(reply, listed, TEXT, truncated=cut)
    assert read.state in ("parsed", "repaired", "ambiguous", "refused", "truncated", "empty")
    assert len(read.keys) == (1 if read.state in ("parsed", "repaired") else 0)
    assert set(read.keys) <= {option.key for option in listed}


REPLY = st.one_of(st.text(max_size=60), st.sampled_from([case.text for case in CASES]))
KIND = st.sampled_from(["single", "multi", "yes_no", "progressive", "open"])


def test_a_long_reply_is_read_in_time() -> None:
    listed = options("renal vein", "renal artery", "vein", "artery")
    words = "renal vein, artery and vein; (A) renal artery is a vein or artery. If the answer is not (B), wait, but "
    assert extract(words * 200, listed, LETTERS, kind="multi").state == "ambiguous"


@given(some_options(), REPLY, KIND, st.booleans())
def test_no_reply_to_any_kind_names_what_is_no_option(listed: list[Option], reply: str, kind: str, cut: bool) -> None:
    read = extract(reply, listed, LETTERS, kind=kind, truncated=cut)
    assert read.state in ("parsed", "repaired", "ambiguous", "refused", "truncated", "empty")
    assert set(read.keys) <= {option.key for option in listed} and len(set(read.keys)) == len(read.keys)
    assert not read.keys or read.state in ("parsed", "repaired")
    assert len(read.keys) <= 1 or kind in ("multi", "progressive")


@given(
    st.sampled_from(CASES),
    st.sampled_from([" ", "\n", "\t", "\r\n", "\n\n  "]),
    st.sampled_from(["", " ", "\n", " \n\t"]),
)
def test_space_around_a_reply_changes_nothing(case: Case, before: str, behind: str) -> None:
    asked = {"kind": case.shape.kind, "truncated": case.cut}
    once = extract(case.text, case.shape.options, LETTERS, **asked)
    assert extract(before + case.text + behind, case.shape.options, LETTERS, **asked) == once
    assert extract(case.text.replace(" ", "  "), case.shape.options, LETTERS, **asked) == once


@given(some_options(), st.data())
def test_any_list_of_several_is_read_back(listed: list[Option], data: st.DataObject) -> None:
    chosen = data.draw(
        st.lists(st.sampled_from(listed), min_size=1, unique=True).map(lambda some: sorted(some, key=str))
    )
    keys = [option.key for option in chosen]
    marked = [f"({option.key}) {option.text}" for option in chosen]
    verdicts = "\n".join(f"{option.key}: {'true' if option.key in keys else 'false'}" for option in listed)
    lettered = [f"({key})" for key in keys]
    for reply in (f"The answers are {', '.join(lettered)}.", f"Answer:\n- {chr(10).join(marked)}", verdicts):
        assert extract(reply, listed, LETTERS, kind="multi") == Extraction("parsed", keys)


@given(some_options(), PHRASE, st.randoms())
def test_the_options_order_does_not_matter(listed: list[Option], text: str, random: object) -> None:
    reply = f"The answer is {text}."
    shuffled = list(listed)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert extract(reply, shuffled, TEXT) == extract(reply, listed, TEXT)


@given(some_options(), st.data())
def test_thinking_changes_nothing(listed: list[Option], data: st.DataObject) -> None:
    chosen, other = data.draw(st.permutations(listed))[:2]
    thought = f"<think>Perhaps ({other.key}). The answer is {other.text}.</think>"
    assert extract(f"{thought} {TEXT.reply(chosen)}", listed, TEXT) == extract(TEXT.reply(chosen), listed, TEXT)


MORE = ["It is often seen in adults.", "A second sign is rare.", "The others are larger, as has been shown.",
        "However, more work is needed.", "Vitamin D plays no part.", "I hope this helps!"]  # fmt: skip
STATED = [
    case for case in CASES + MORE_CASES
    if case.state in ("parsed", "repaired") and case.shape.kind != "open" and not case.text.endswith('"B"')
]  # fmt: skip


@given(st.sampled_from(STATED), st.sampled_from(MORE))
def test_a_harmless_paragraph_behind_a_reply_changes_nothing(case: Case, more: str) -> None:
    read = extract(f"{case.text}\n\n{more}", case.shape.options, LETTERS, kind=case.shape.kind)
    assert read == Extraction(case.state, list(case.keys))


@given(some_options(), st.data(), st.sampled_from(MORE))
def test_a_harmless_sentence_behind_a_statement_changes_nothing(
    listed: list[Option], data: st.DataObject, more: str
) -> None:
    one, two = sorted(data.draw(st.permutations(listed))[:2], key=lambda option: option.key)
    assert extract(f"The answer is ({one.key}). {more}", listed, LETTERS) == Extraction("parsed", [one.key])
    assert extract(f"{LETTERS.answer(one)} {more}", listed, LETTERS) == Extraction("parsed", [one.key])
    both = extract(f"The answers are ({one.key}) and ({two.key}). {more}", listed, LETTERS, kind="multi")
    assert both == Extraction("parsed", [one.key, two.key])


@pytest.mark.skipif(not POCKET.is_file(), reason="the pocket exam is not here")
@pytest.mark.parametrize("form", [TEXT, LETTERS])
def test_every_option_of_the_pocket_exam_is_read_back(form: Form) -> None:
    for line in POCKET.read_text("utf-8").splitlines():
        listed = [Option(**option) for option in json.loads(line)["options"]]
        for option in listed:
            assert extract(form.reply(option, "It is so."), listed, form) == Extraction("parsed", [option.key])
            assert extract(f"Answer: {option.text}", listed, form) == Extraction("parsed", [option.key])
            assert extract(f"{option.key}: {option.text}", listed, form) == Extraction("parsed", [option.key])
