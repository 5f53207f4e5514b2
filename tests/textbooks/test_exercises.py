"""The book's own questions: found with their keys, and teaching that only looks like them left alone."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.benchmarks.items import fault
from med_small_lm.params.ingest_textbooks import IngestTextbooks, Reading
from med_small_lm.schemas.rows import Question
from med_small_lm.textbooks import SourceFile, read_file
from med_small_lm.textbooks.exercises import UNKEYED, exercises
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sections import Placed, place

BOOKS = Path(__file__).parents[3] / "shared" / "data" / "textbooks"
FILE = SourceFile("b", Path("b.pdf"), "CC0", language="en")
THREE = [
    "1. Which organ pumps blood?",
    "A. liver",
    "B. heart",
    "C. spleen",
    "2. The gland in the neck is the ________.",
    "A. thyroid",
    "B. pancreas",
    "C. pineal gland",
    "3. Which of these makes bile?",
    "A. heart",
    "B. lung",
    "C. liver",
]
TOLD = [
    ("Which organ pumps blood?", "B"),
    ("The gland in the neck is the ________.", "A"),
    ("Which of these makes bile?", "C"),
]
PIECES = [
    *THREE, "# Chapter 2: Bone", "## Quiz", "## Answers", "1. B 2. A", "1 | 2\nB | A", "Chapter 1 1. B 2. C 3. A",
    "Answer: B", "Answer: (c) It is.", "4. Three? A. one B. two C. three", "2. True", "B. two D. four", "Chapter 2",
    "3. 4. A.", "More.",
]  # fmt: skip
PROSE = "The blood carries oxygen from the lungs to the tissues and carbon dioxide back."


def laid(lines: list[str]) -> list[Placed]:
    """The lines as placed paragraphs, ten to a page: ``#`` begins a chapter's heading, ``##`` one below."""
    told = []
    for index, line in enumerate(lines):
        depth = len(line) - len(line.lstrip("#"))
        kind = "heading" if depth else "table" if " | " in line else "item" if line[:1].isdigit() else "text"
        rows = line.split("\n") if kind == "table" else []
        size = 18.0 - 4 * depth if depth else 10.0
        told.append(Paragraph(kind, line.strip("# "), [(0, 1 + index // 10)], size, bool(depth), rows=rows))
    return place(told, [], 40, Reading())


def asked(lines: list[str]) -> list[Question]:
    """The exercises of the lines; all can be scored."""
    found = exercises(laid(lines), FILE)
    assert not any(fault(question) for question in found)
    return found


def keys(lines: list[str]) -> list[tuple[str, str]]:
    """Stems with their keys."""
    return [(question.stem, "".join(question.answer_keys)) for question in asked(lines)]


def kept(lines: list[str]) -> list[str]:
    """The lines that are teaching."""
    return [item.paragraph.text for item in laid(lines) if not item.reason]


def test_a_question_is_a_record_that_can_be_scored():
    """With options, key, answer's text and pages; the same book gives the same id again."""
    lines = ["# Chapter 1: Blood", PROSE, "## Review Questions", *THREE, "## Answer Key", "1. B; 2. A; 3. C"]
    first, *_ = found = asked(lines)
    assert [(option.key, option.text) for option in first.options] == [("A", "liver"), ("B", "heart"), ("C", "spleen")]
    assert (first.answer_keys, first.answer_text, first.kind) == (["B"], "heart", "single")
    assert (first.source, first.split, first.method, first.licence) == ("b", "test", "book", "CC0")
    assert (first.places[0].book, first.places[0].page_first, first.places[0].page_last) == ("b", 1, 1)
    assert found[1].places[0].page_first == 1 and found[1].places[0].page_last == 2
    moved = asked(["# Chapter 1: Blood", PROSE, PROSE, "More.", *lines[2:]])
    assert [question.question_id for question in moved] == [question.question_id for question in found]
    assert kept(lines) == [PROSE]


@pytest.mark.parametrize(
    "key",
    [
        ["1. B 2. A 3. C"],
        ["1. b; 2. a; 3. c"],
        ["1-B, 2-A, 3-C"],
        ["1 (B) 2 (A) 3 (C)"],
        ["1) B", "2) A", "3) C"],
        ["1: B 2: A 3: C"],
        ["1 | B\n2 | A\n3 | C"],
        ["1 | 2 | 3\nB | A | C"],
        ["Question | 1 | 2 | 3\nAnswer | B | A | C"],
        ["Question | Answer\n1 | B\n2 | A\n3 | C"],
        ["1 2 3 B A C"],
        [
            "1. B. The heart is a pump, and takes 4 A of current. 2. A. It lies over the trachea.",
            "3. C. It is stored below.",
        ],
        ["1. B The heart is a pump.", "It has four rooms.", "2. A Over the trachea.", "3. C Stored below."],
        ["1. Heart", "2. Thyroid", "3. Liver"],
        ["Q1. B", "Q2. A", "Q3. C"],
    ],
)
@pytest.mark.parametrize("title", ["Answer Key", "Answers", "Answers to Review Questions", "Answers and Explanations"])
def test_forms_of_keys(key, title):
    """At the chapter's end, whatever it is called; nothing of it is teaching."""
    lines = ["# Chapter 1: Blood", PROSE, "## Review Questions", *THREE, f"## {title}", *key]
    assert keys(lines) == TOLD
    assert kept(lines) == [PROSE]


@pytest.mark.parametrize(
    "lines",
    [
        ["1. Which organ pumps?", "a. liver", "b. heart", "c. spleen"],
        ["1) Which organ pumps?", "a) liver", "b) heart", "c) spleen"],
        ["Q1. Which organ pumps?", "(a) liver", "(b) heart", "(c) spleen"],
        ["Question 1: Which organ pumps?", "[A] liver", "[B] heart", "[C] spleen"],
        ["Question 1", "Which organ pumps?", "A: liver", "B: heart", "C: spleen"],
        ["1. Which organ pumps? A. liver B. heart C. spleen"],
        ["1. Which organ pumps?", "A. liver B. heart C. spleen"],
        ["1. Which organ pumps?", "A. liver B. heart", "C. spleen"],
        ["1. Which organ pumps?", "A. liver | B. heart\nC. spleen | "],
        ["1. Which organ pumps? (a) liver (b) heart", "(c) spleen"],
        ["1. Which organ", "pumps?", "A. liver", "B. heart", "C. spleen"],
    ],
)
def test_forms_of_options(lines):
    """On lines of their own, in one line, in two columns."""
    found = asked(["# Chapter 1: Blood", "## Quiz", *lines, "## Answers", "1. B"])
    assert [(q.stem, [option.text for option in q.options], q.answer_keys) for q in found] == [
        ("Which organ pumps?", ["liver", "heart", "spleen"], ["B"])
    ]


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        (["A. infection with", "Staphylococcus", "B. no infection"], ["infection with Staphylococcus", "no infection"]),
        (
            ["A. one", "B. two", "C. three", "D. four", "E. five", "F. six"],
            ["one", "two", "three", "four", "five", "six"],
        ),
        (["A. one D. four", "B. two E. five", "C. three"], ["one", "two", "three", "four", "five"]),
        (
            ["A. C. difficile", "B. infection with E. coli", "C. none"],
            ["C. difficile", "infection with E. coli", "none"],
        ),
        (["A. C. difficile B. E. coli C. S. aureus D. none"], ["C. difficile", "E. coli", "S. aureus", "none"]),
        (
            ["a. vitamin A", "b. both a and", "the rest", "c. all of the", "above"],
            ["vitamin A", "both a and the rest", "all of the above"],
        ),
    ],
)
def test_options_that_break_or_hold_letters(lines, options):
    """A broken option is closed up, and a germ's name is no label."""
    found = asked(["# Chapter 1: Blood", "## Quiz", "12. Which is it?", *lines, "## Answers", "12. A"])
    assert [[option.text for option in question.options] for question in found] == [options]


@pytest.mark.parametrize(
    "answer",
    ["Answer: B", "Ans. (b)", "ANSWER: B", "Correct answer: B. It pumps.", "The correct answer is B.", "Answer: heart"],
)
def test_an_answer_right_after_the_question(answer):
    """Without any heading too; the explanation goes with it, and teaching goes on after it."""
    lines = [
        "# Chapter 1: Blood",
        PROSE,
        *THREE[:4],
        answer,
        "Rationale: It has valves.",
        "The heart lies in the chest.",
    ]
    assert keys(lines) == [TOLD[0]]
    assert kept(lines) == [PROSE, "The heart lies in the chest."]


def test_answers_without_numbers():
    """Questions that nothing counts, each with its answer below."""
    lines = [
        "# Chapter 1: Blood",
        "## Self-Assessment",
        "Which organ pumps blood?",
        "A. liver",
        "B. heart",
        "C. spleen",
        "Answer: B",
        "It has valves.",
        "Which organ makes bile?",
        "A. heart",
        "B. liver",
        "C. lung",
        "Answer: B",
    ]
    assert keys(lines) == [("Which organ pumps blood?", "B"), ("Which organ makes bile?", "B")]


def test_a_number_inside_an_option_or_a_table_begins_the_next_question():
    """Lines that ingestion has run together, or taken for the rows of a table, are parted again."""
    joined = [*THREE[:3], f"C. spleen {THREE[4]}", *THREE[5:]]
    aligned = [
        THREE[0],
        f"A. liver C. spleen | B. heart\n{THREE[4]}\nA. thyroid C. pineal gland | B. pancreas",
        *THREE[8:],
    ]
    for lines in (joined, aligned):
        found = asked(["# Chapter 1: Blood", "## Quiz", *lines, "## Answers", "1. B 2. A 3. C"])
        assert [(question.stem, question.answer_text) for question in found] == [
            (TOLD[0][0], "heart"),
            (TOLD[1][0], "thyroid"),
            (TOLD[2][0], "liver"),
        ]


def test_true_or_false():
    """As options, and as a bare statement with its key."""
    lines = [
        "# Chapter 1: Blood",
        "## Review Questions",
        "1. The heart has four rooms.",
        "2. Blood is green.",
        "3. Bile is made in the liver.",
        "A. True",
        "B. False",
        "## Answers",
        "1. T 2. F 3. A",
    ]
    found = asked(lines)
    assert [question.kind for question in found] == ["yes_no"] * 3
    assert [question.answer_text for question in found] == ["True", "False", "True"]


def test_a_key_of_several_letters_makes_a_multi():
    """However they are joined."""
    lines = ["# Chapter 1: Blood", "## Review Questions", *THREE, "## Answers", "1. A, C; 2. B and C; 3. AC"]
    assert [(q.kind, q.answer_keys) for q in asked(lines)] == [
        ("multi", ["A", "C"]),
        ("multi", ["B", "C"]),
        ("multi", ["A", "C"]),
    ]


def chapter(number: int, title: str, key: str = "") -> list[str]:
    """A chapter with the three questions about its subject."""
    questions = [line.replace("Which", f"In {title}, which") for line in THREE]
    return [
        f"# Chapter {number}: {title}",
        PROSE,
        "## Review Questions",
        *questions,
        *(["## Answer Key", key] if key else []),
    ]


@pytest.mark.parametrize(
    "end",
    [
        ["# Answer Key", "## Chapter 1", "1. B 2. A 3. C", "## Chapter 2", "1. C 2. B 3. A"],
        ["# Answer Key", "# Chapter 1", "1. B. Because. 2. A. So. 3. C. Yes.", "# Chapter 2", "1. C", "2. B", "3. A"],
        ["# Answer Key", "Chapter 1 1. B 2. A 3. C", "Chapter 2 1. C 2. B 3. A"],
        ["# Answer Key", "Chapter 1", "1. B 2. A 3. C", "Chapter 2", "1. C 2. B 3. A"],
        ["# Answers", "## Bone", "1. C 2. B 3. A", "## Blood", "1. B 2. A 3. C"],
        ["# Answers to Review Questions", "1. B 2. A 3. C", "1. C 2. B 3. A"],
    ],
)
def test_keys_at_the_end_of_the_book(end):
    """By chapter, by title, or in their order."""
    lines = [*chapter(1, "Blood"), *chapter(2, "Bone"), *end]
    assert "".join(key for _, key in keys(lines)) == "BACCBA"
    assert kept(lines) == [PROSE, PROSE]


def test_each_chapter_has_its_own_key():
    """Numbers begin anew, and no key goes to another chapter."""
    lines = [*chapter(1, "Blood", "1. B 2. A 3. C"), *chapter(2, "Bone"), *chapter(3, "Skin", "1. C 2. C 3. A")]
    assert [(question.stem[:9], question.answer_keys) for question in asked(lines)][::3] == [
        ("In Blood,", ["B"]),
        ("In Skin, ", ["C"]),
    ]


def test_numbers_that_begin_anew_in_each_section():
    """Two sets and two keys in their order; one key for two sets is nobody's."""
    two = [line.replace("Which", "Now which").replace("The gland", "That gland") for line in THREE]
    lines = ["# Chapter 1: Blood", "## Review Questions", *THREE, "## Practice Questions", *two, "## Answers"]
    assert "".join(key for _, key in keys([*lines, "1. B 2. A 3. C", "1. C 2. C 3. A"])) == "BACCCA"
    assert keys([*lines, "1. B 2. A 3. C"]) == []
    named = [*lines, "Practice Questions", "1. C 2. C 3. A"]
    assert keys(named) == []


def test_a_question_without_a_key_is_counted_and_no_exercise():
    """Nothing is guessed: neither a missing number nor a letter that is no option."""
    placed = laid(["# Chapter 1: Blood", "## Review Questions", *THREE, "## Answers", "1. B 2. A"])
    assert len(exercises(placed, FILE)) == 2
    assert [item.paragraph.text for item in placed if item.reason == UNKEYED] == THREE[8:]
    assert keys(["# Chapter 1: Blood", "## Review Questions", *THREE, "## Answers", "1. E 2. E 3. E"]) == []


def test_a_list_inside_the_stem_and_tasks_without_options():
    """``1. iron 2. copper`` belongs to the stem; free-text questions are none of ours."""
    lines = [
        "# Chapter 1: Blood",
        "## Review Questions",
        "6. Explain the heart.",
        "7. Which do red cells need, of these:",
        "1. iron",
        "2. lead",
        "3. folate",
        "A. 1 only",
        "B. 1 and 3",
        "C. all",
        "8. A man of 45 is pale. He is tired. He bleeds.",
        "His iron is low.",
        "Which is best?",
        "A. iron",
        "B. lead",
        "## Answers",
        "6. A pump.",
        "7. B",
        "8. A",
    ]
    assert keys(lines) == [
        ("Which do red cells need, of these: 1. iron 2. lead 3. folate", "B"),
        ("A man of 45 is pale. He is tired. He bleeds. His iron is low. Which is best?", "A"),
    ]


@pytest.mark.parametrize(
    "prose",
    [
        ["The causes of shock are these:", "A. loss of blood", "B. failure of the heart", "C. infection"],
        ["1. Causes of shock", "A. loss of blood", "B. failure of the heart", "C. infection"],
        ["What are the causes of shock?", "A. loss of blood", "B. failure of the heart", "C. infection"],
        ["Hepatitis takes forms A. B. and C. which differ."],
        ["The answer is a matter of taste.", "The key A molecule is made here."],
        ["Group | Antigen\nO | none\nA | A"],
    ],
)
def test_lists_of_teaching_stay(prose):
    """A lettered or numbered list without a question is text."""
    lines = ["# Chapter 1: Blood", PROSE, *prose, PROSE]
    assert kept(lines) == [PROSE, *prose, PROSE]
    assert keys(lines) == []


def test_steps_of_teaching_stay_without_their_numbers():
    """As bullets go, so do the numbers of a list; that one of its steps asks makes no question of it."""
    steps = ["Wash your hands.", "Put on gloves.", "Ask the patient: does it hurt?", "Lift the arm."]
    lines = ["# Chapter 1: Blood", PROSE, *(f"{number}. {step}" for number, step in enumerate(steps, 1)), PROSE]
    assert kept(lines) == [PROSE, *steps, PROSE]
    assert keys(lines) == []


@pytest.mark.parametrize("title", ["Exercises", "Problems", "Self-Assessment", "Practice Problems"])
def test_a_doubtful_title_over_teaching(title):
    """Steps and prose under it stay, questions under it do not."""
    steps = ["Lie on your back.", "Raise the arm.", "Hold it for ten seconds."]
    counted = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    advice = "Train the shoulder each day."
    assert kept(["# Chapter 1: Arm", PROSE, f"## {title}", advice, *counted]) == [PROSE, title, advice, *steps]
    tasks = ["1. Describe the shoulder.", "2. Explain its movement.", "3. What limits it?"]
    assert kept(["# Chapter 1: Arm", PROSE, f"## {title}", *tasks]) == [PROSE]


@pytest.mark.parametrize(
    "title",
    [
        "Review Questions",
        "Self-assessment",
        "Practice Questions",
        "Check Your Understanding",
        "USMLE-style questions",
        "NCLEX-Style Questions",
        "Multiple-Choice Questions",
        "Chapter 1 Quiz",
        "Test Your Knowledge",
        "Board Review Questions",
        "Critical Thinking Questions",
        "MCQs",
        "End-of-Chapter Questions",
    ],
)
def test_titles_of_questions(title):
    """Whatever they stand under, questions are found and kept apart."""
    lines = ["# Chapter 1: Blood", PROSE, f"## {title}", *THREE, "## Answers", "1. B 2. A 3. C"]
    assert keys(lines) == TOLD
    assert kept(lines) == [PROSE]


def test_questions_under_no_title():
    """Numbered ones that ask, their neighbour without a question mark, and the bare key."""
    odd = ["4. The pancreas lies in the", "A. neck", "B. chest", "C. abdomen"]
    lines = ["# Chapter 1: Blood", PROSE, *THREE, *odd, "1. B 2. A 3. C 4. C", PROSE]
    assert keys(lines) == [*TOLD, ("The pancreas lies in the", "C")]
    assert kept(lines) == [PROSE, PROSE]


def test_bold_stems_are_no_headings():
    """A stem that is set like a heading neither ends the questions nor names a section."""
    bold = [f"### {line}" if line[0].isdigit() else line for line in THREE]
    lines = ["# Chapter 1: Blood", "## Review Questions", *bold, "## Answers", "1. B 2. A 3. C"]
    assert keys(lines) == TOLD


def test_two_columns_and_a_page_break(sheet, prose):
    """Options go on in the next column and on the next page, their lines broken."""
    sheet.line(72, 80, "Chapter 1: Organs", 18, "hebo")
    y = sheet.block(72, 110, prose(20), 220)
    sheet.line(72, y + 20, "Review Questions", 12, "hebo")
    spots = [(72.0, y + 44), (320.0, 110.0), (72.0, 80.0), (320.0, 80.0)]
    stems = [
        f"{n}. Which statement about organ number {n} is the one that its own chapter tells with great care?"
        for n in range(1, 13)
    ]
    column, top = 0, spots[0][1]
    for stem in stems:
        for text in (
            stem,
            *(f"{letter}. the {letter} answer, which is long enough to need another line" for letter in "abcd"),
        ):
            if top > 700:
                column += 1
                if column == 2:
                    sheet.page()
                top = spots[column][1]
            top = sheet.block(spots[column][0], top, text, 220) + 2
    sheet.line(spots[column][0], top + 20, "Answer Key", 12, "hebo")
    sheet.block(spots[column][0], top + 40, "; ".join(f"{n}. {'abcd'[n % 4]}" for n in range(1, 13)), 220)
    read = read_file(SourceFile("b", sheet.save(), "CC0"), IngestTextbooks())
    assert [q.stem for q in read.exercises] == [stem.split(". ", 1)[1] for stem in stems]
    assert [q.answer_keys[0] for q in read.exercises] == ["ABCD"[n % 4] for n in range(1, 13)]
    assert {o.text for q in read.exercises for o in q.options} == {
        f"the {letter} answer, which is long enough to need another line" for letter in "abcd"
    }
    assert read.exercises[-1].places[0].page_last == 2
    assert not any("answer, which" in passage.text for passage in read.passages)


@pytest.mark.parametrize("step", [110, 230])
def test_options_side_by_side_and_a_key_as_a_table(sheet, prose, step):
    """Two options in a line, and numbers over letters."""
    sheet.line(72, 80, "Chapter 1: Organs", 18, "hebo")
    y = sheet.block(72, 110, prose(8), 460)
    sheet.line(72, y + 14, "Review Questions", 12, "hebo")
    y += 40
    for number in range(1, 6):
        sheet.line(72, y, f"{number}. Which organ is number {number} in the list?")
        for row, (one, other) in enumerate((("A. liver", "B. heart"), ("C. spleen", "D. lung"))):
            sheet.line(90, y + 13 * (row + 1), one)
            sheet.line(90 + step, y + 13 * (row + 1), other)
        y += 48
    sheet.line(72, y, "Answers", 12, "hebo")
    for number, letter in enumerate("BADCB"):
        sheet.line(90 + 40 * number, y + 24, str(number + 1))
        sheet.line(90 + 40 * number, y + 37, letter)
    sheet.line(72, y + 70, "Chapter 2: Bones", 18, "hebo")
    sheet.block(72, y + 94, prose(6, "bone"), 460)
    read = read_file(SourceFile("b", sheet.save(), "CC0"), IngestTextbooks())
    assert [[o.text for o in q.options] for q in read.exercises] == [["liver", "heart", "spleen", "lung"]] * 5
    assert "".join(q.answer_keys[0] for q in read.exercises) == "BADCB"


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_order_of_lines_raises(lines):
    """Whatever stands where: each question found can be scored, and names one place."""
    assert all(len(question.places) == 1 for question in asked(["# Chapter 1: Blood", *lines]))


def folded(text: str) -> str:
    """Letters and digits only."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


@pytest.mark.real_data
@pytest.mark.skipif(not BOOKS.is_dir(), reason="no real books beside the project")
def test_the_exam_of_a_real_book():
    """Nearly all of 714 questions, stem and options letter by letter, with their keys."""
    read = read_file(SourceFile("a", BOOKS / "anatomy_physiology.pdf", "CC BY 4.0"), IngestTextbooks())
    have = {(folded(q.stem), *(folded(o.text) for o in q.options)): q for q in read.exercises}
    truth = [json.loads(line) for line in (BOOKS / "anatomy_physiology.exam.jsonl").open(encoding="utf-8")]
    found = [(one, have.get((folded(one["question"]), *map(folded, one["options"])))) for one in truth]
    whole = [(one["answer"].upper(), question.answer_keys) for one, question in found if question]
    assert len(whole) >= 0.99 * len(truth)
    assert sum([key] == keys for key, keys in whole) >= 0.99 * len(whole)
    assert not any(fault(question) for question in read.exercises)


COUNTED = [
    "1. Which finding comes first?", "1. Pain", "2. Hypoxia", "3. Rash",
    "2. Which of these are drugs? Select all that apply.", "1. Insulin", "2. Bile", "3. Heparin",
]  # fmt: skip


@pytest.mark.parametrize(
    "key", [["1. 2 2. 1, 3"], ["1. 2. Airway first.", "2. 1, 3. Both are given."], ["1 | 2\n2 | 1, 3"]]
)
def test_options_that_are_counted_like_questions(key):
    """Get letters, and keys that are numbers name them, several where all that apply are asked for."""
    found = asked(["# Chapter 1: Care", PROSE, "## Review Questions", *COUNTED, "## Answers", *key])
    assert [(q.stem, [option.text for option in q.options], q.answer_keys) for q in found] == [
        ("Which finding comes first?", ["Pain", "Hypoxia", "Rash"], ["B"]),
        ("Which of these are drugs? Select all that apply.", ["Insulin", "Bile", "Heparin"], ["A", "C"]),
    ]


def test_numbers_name_no_options_that_have_letters():
    """``1. 4`` tells an amount there, not option D; and open questions that are counted anew are no options."""
    lettered = ["1. How many chambers has the heart?", "A. one", "B. two", "C. three", "D. four"]
    assert keys(["# Chapter 1: Blood", "## Quiz", *lettered, "## Answers", "1. 4"]) == []
    opened = ["1. What is blood?", "1. What is bile?", "2. What is lymph?"]
    assert keys(["# Chapter 1: Blood", "## Quiz", *opened, "## Answers", "1. 2"]) == []


def test_counted_steps_are_teaching():
    """Outside review questions a number below a question is a step."""
    lines = [
        "# Chapter 1: Care",
        "1. Which site is best?",
        "1. The arm is used first.",
        "2. The leg comes next.",
        PROSE,
    ]
    assert len(kept(lines)) == 4 and keys(lines) == []


@pytest.mark.parametrize(
    "case",
    [
        ["Questions 1–2 refer to the following case.", "A man of 54 has chest pain."],
        ["Use this scenario for questions 1 and 2: A man of 54 has chest pain."],
    ],
)
def test_a_case_that_questions_share(case):
    """Is the context of each of them, and of no other."""
    found = asked(["# Chapter 1: Blood", PROSE, "## Quiz", *case, *THREE, "## Answers", "1. B 2. A 3. C"])
    assert [question.context for question in found] == ["A man of 54 has chest pain."] * 2 + [""]
    assert [(question.stem, "".join(question.answer_keys)) for question in found] == TOLD
