"""Scores and comparisons against numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from med_small_lm.benchmarks.parts import book_of
from med_small_lm.benchmarks.scoring import averages, chance, compare, score
from med_small_lm.schemas.frames import Comparisons, Scores
from med_small_lm.schemas.rows import Comparison, KeyScore, Option, Place, Prediction, Question, Score
from med_small_lm.schemas.tables import to_frame


def made(question_id: str, key: str, state: str = "parsed", model: str = "tuned", **changes: Any) -> Prediction:
    keys = [key] if key else []
    entry = Prediction(model, question_id, "exam", "generation", "explain/0-shot", 0, "", state, keys, [], 3)
    return replace(entry, **changes)


def plain(number: int, right: str = "A", **changes: Any) -> Question:
    listed = [Option(key, f"option {key}") for key in "ABCDE"]
    asked = Question(f"q{number}", "exam", "test", "single", "s", listed, list(right), "x")
    return replace(asked, **changes)


def by_metric(found: list[Score], subset: str = "all") -> dict[str, Score]:
    Scores.validate(to_frame(found, Score))
    return {one.metric: one for one in found if one.subset == subset}


def test_accuracy_by_hand(questions: list[Question]) -> None:
    """Right keys are A, B, C, C."""
    answers = [
        made("exam-0001", "A"),
        made("exam-0002", "B", "repaired"),
        made("exam-0003", "A"),
        made("exam-0004", "", "truncated"),
    ]
    (found,) = score(answers, {"exam": questions})
    assert (found.value, found.n, found.n_unparsed, found.subset, found.metric) == (0.5, 4, 1, "all", "accuracy")
    assert (found.model, found.benchmark, found.mode, found.variant) == (
        "tuned",
        "exam",
        "generation",
        "explain/0-shot",
    )
    assert (found.ci_low, found.ci_high) == pytest.approx((0.15004, 0.84996), abs=1e-4)


def test_missing_and_unread_answers_stay_in_the_denominator(questions: list[Question]) -> None:
    (found,) = score([made("exam-0001", "A"), made("exam-0002", "B", "ambiguous")], {"exam": questions})
    assert (found.value, found.n, found.n_unparsed, found.n_failed) == (0.25, 4, 3, 0)


def test_failed_questions_are_neither_right_nor_wrong(questions: list[Question]) -> None:
    answers = [made("exam-0001", "A"), made("exam-0002", "", "failed"), made("exam-0003", "", "refused")]
    (found,) = score(answers, {"exam": questions})
    assert (found.value, found.n, found.n_unparsed, found.n_failed) == (1 / 3, 3, 2, 1)
    assert score([made(one.question_id, "", "failed") for one in questions], {"exam": questions}) == []


def test_all_comes_first_then_kinds_and_languages(questions: list[Question]) -> None:
    mixed = [replace(questions[0], kind="multi", answer_keys=["A", "B"]), replace(questions[1], language="fr")]
    mixed += questions[2:]
    answers = [made("exam-0001", "", answer_keys=["B", "A"]), made("exam-0002", "A"), made("exam-0003", "C")]
    every = [entry for entry in score(answers, {"exam": mixed}) if entry.metric == "accuracy"]
    found = {entry.subset: (entry.value, entry.n) for entry in every}
    assert list(found) == ["all", "kind=multi", "kind=single", "language=en", "language=fr"]
    assert found["all"] == (0.5, 4) and found["kind=multi"] == (1.0, 1) and found["kind=single"] == (1 / 3, 3)
    assert found["language=fr"] == (0.0, 1)


def test_subsets_of_subjects_books_and_ranks() -> None:
    asked = [
        plain(0, subject="anatomy", places=[Place("gray", 3, 3)]),
        plain(1, subject="anatomy", passage_ids=["two-words-0123abcd"]),
        plain(2, subject="genetics", case_id="c", rank=10),
        plain(3, case_id="c", rank=2),
    ]
    assert [book_of(question) for question in asked] == ["gray", "two-words", "", ""]
    found = [one for one in score([made("q0", "A")], {"exam": asked}) if one.metric == "accuracy"]
    assert {one.subset: one.n for one in found} == {
        "all": 4, "subject=anatomy": 2, "subject=genetics": 1, "book=gray": 1, "book=two-words": 1, "rank=2": 1,
        "rank=10": 1,
    }  # fmt: skip
    assert [one.subset for one in found][-2:] == ["rank=2", "rank=10"], "as numbers, not as words"


def test_mean_over_subjects() -> None:
    """3 of 4 and 0 of 1: the mean over subjects is 3/8, over questions 3/5."""
    asked = [plain(n, subject="anatomy" if n < 4 else "virology") for n in range(5)]
    found = by_metric(score([made(f"q{n}", "A") for n in range(3)], {"exam": asked}))
    assert found["macro_accuracy"].value == pytest.approx(3 / 8) and found["accuracy"].value == pytest.approx(3 / 5)
    assert found["macro_accuracy"].n == 5 and found["macro_accuracy"].n_unparsed == 2
    assert "macro_accuracy" not in by_metric(score([made("q0", "A")], {"exam": asked}), "subject=anatomy")


def test_several_right_options() -> None:
    asked = [plain(0, "AB", kind="multi"), plain(1, "ABC", kind="multi"), plain(2, "E", kind="multi")]
    answers = [made("q0", "", answer_keys=["A", "B"]), made("q1", "", answer_keys=["A", "E"]), made("q2", "", "empty")]
    found = by_metric(score(answers, {"exam": asked}))
    assert found["exact_match"].value == found["accuracy"].value == pytest.approx(1 / 3)
    assert found["jaccard"].value == pytest.approx((1 + 1 / 4 + 0) / 3)
    assert found["exam_scale"].value == pytest.approx(1 / 3)
    assert found["proposition_accuracy"].value == pytest.approx((5 + 2 + 0) / 15)
    assert {found[metric].n_unparsed for metric in ("jaccard", "f1_macro", "exam_scale")} == {1}


def test_whole_cases() -> None:
    """Case a: right, right. Case b: right, one discordant, not asked. Case c: two discordant, not read."""
    asked = [plain(n, "AB", kind="progressive", case_id=case, rank=1 + n) for n, case in enumerate("aabbbcc")]
    asked.append(plain(7, "A", kind="multi"))
    named = {0: "AB", 1: "AB", 2: "AB", 3: "A", 5: "CAB" + "D"}
    answers = [made(f"q{n}", "", answer_keys=list(keys)) for n, keys in named.items()]
    answers += [made("q4", "", "failed"), made("q6", "", "refused")]
    found = by_metric(score(answers, {"exam": asked}))
    assert (found["accuracy"].value, found["accuracy"].n) == (3 / 7, 7)
    assert found["case_accuracy"].value == pytest.approx((1 + 0) / 2)
    assert found["case_exact_match"].value == pytest.approx(1 / 2)
    assert found["case_exam_scale"].value == pytest.approx((1 + (0.2 + 0) / 2) / 2)
    one = found["case_exam_scale"]
    assert (one.n, one.n_unparsed, one.n_failed) == (2, 1, 1), "case b is known in part only"


def test_no_metric_of_cases_is_of_their_fragments() -> None:
    """Three cases of four, ranks 1 and 2 right: no case is right, though each is in its first two ranks."""
    asked = [
        plain(n, case_id=f"c{n // 4}", rank=n % 4 + 1, kind="multi" if n % 4 < 2 else "single", subject=f"s{n % 2}")
        for n in range(12)
    ]
    found = score([made(f"q{n}", "A" if n % 4 < 2 else "B") for n in range(12)], {"exam": asked})
    assert [one.subset for one in found if one.metric.startswith("case_")] == ["all"] * 3
    assert by_metric(found)["case_exact_match"].value == 0.0
    assert by_metric(found, "kind=multi")["accuracy"].value == 1.0
    whole = [replace(one, language="fr" if one.case_id == "c0" else "en") for one in asked]
    found = score([made(f"q{n}", "A" if n < 4 else "B") for n in range(12)], {"exam": whole})
    assert by_metric(found, "language=fr")["case_exact_match"].value == 1.0, "this subset cuts no case"


def test_cases_are_drawn_whole() -> None:
    """60 cases of five questions, all right or all wrong: the interval is that of 60 items."""
    asked = [plain(n, case_id=f"c{n // 5}", rank=n % 5 + 1) for n in range(300)]
    answers = [made(f"q{n}", "A" if n // 5 % 2 else "B") for n in range(300)]
    found = by_metric(score(answers, {"exam": asked}))
    assert 0.24 < found["accuracy"].ci_high - found["accuracy"].ci_low < 0.30
    alone = by_metric(score(answers, {"exam": [replace(question, case_id="") for question in asked]}))["accuracy"]
    assert alone.ci_high - alone.ci_low < 0.12


def test_several_samples_vote() -> None:
    votes = {0: "AAB", 1: "BBA", 2: "AB-", 3: "---", 4: "A"}
    answers = [
        made(f"q{n}", "" if key == "-" else key, "refused" if key == "-" else "parsed", sample=place, variant="sc3")
        for n, keys in votes.items()
        for place, key in enumerate(keys)
    ]
    found = by_metric(score(answers, {"exam": [plain(n) for n in range(5)]}))
    assert (found["accuracy"].value, found["accuracy"].n, found["accuracy"].n_unparsed) == (2 / 5, 5, 2)
    assert found["sample_accuracy"].value == pytest.approx((2 / 3 + 1 / 3 + 1 / 3 + 0 + 1) / 5)
    assert (found["flip_rate"].value, found["flip_rate"].n, found["flip_rate"].n_unparsed) == (1.0, 3, 2)
    assert (found["brier"].n, found["brier"].n_unparsed) == (3, 2), "no vote and a single one say nothing of sureness"
    assert found["brier"].value == pytest.approx((2 / 9 + 8 / 9 + (4 / 9 + 1 / 9)) / 3)
    assert found["ece_equal_width"].value == pytest.approx(abs(1 - 4 / 3) / 3), "the tie is sure of nothing"


def test_questions_that_keep_their_order_do_not_flip() -> None:
    """q1's options name each other: all its samples are one order, so that it says nothing of orders."""
    bound = [Option("A", "x"), Option("B", "y"), Option("C", "Both A and B"), Option("D", "None of the above")]
    answers = [
        made(f"q{n}", key, sample=place, variant="explain/0-shot/permuted3")
        for n, keys in {0: "ABB", 1: "AAA"}.items()
        for place, key in enumerate(keys)
    ]
    flip = by_metric(score(answers, {"exam": [plain(0), plain(1, options=bound)]}))["flip_rate"]
    assert (flip.value, flip.n, flip.n_unparsed) == (1.0, 1, 1)
    drawn = [replace(one, variant="explain/0-shot/sc3") for one in answers]
    assert by_metric(score(drawn, {"exam": [plain(0), plain(1, options=bound)]}))["flip_rate"].n == 2


def test_calibration_of_likelihoods() -> None:
    told = [KeyScore("A", math.log(0.8), 1), KeyScore("B", math.log(0.2), 4)]
    answers = [made(f"q{n}", "A", option_logprobs=told, mode="likelihood", variant="letter/0-shot") for n in range(40)]
    asked = [plain(n, "A" if n < 30 else "B") for n in range(40)]
    found = by_metric(score(answers, {"exam": asked}))
    assert found["ece_equal_mass"].value == pytest.approx(0.05) == found["ece_equal_width"].value
    assert found["brier"].value == pytest.approx((30 * 0.08 + 10 * 1.28) / 40)
    assert found["risk_coverage_area"].value == pytest.approx(0.25)
    by_length = [replace(one, variant="option_text-length/0-shot") for one in answers]
    sure = 0.8 / (0.8 + 0.2**0.25)
    assert by_metric(score(by_length, {"exam": asked}))["ece_equal_mass"].value == pytest.approx(0.75 - sure)
    texts = [replace(question, options=[Option("A", "x" * 2), Option("B", "y" * 7)]) for question in asked]
    by_text = [replace(one, variant="option_text-characters/0-shot") for one in answers]
    sure = 0.8**0.5 / (0.8**0.5 + 0.2 ** (1 / 7))
    found = by_metric(score(by_text, {"exam": texts}))
    assert found["brier"].value == pytest.approx((30 * 2 * (1 - sure) ** 2 + 10 * 2 * sure**2) / 40)
    texts = [replace(question, options=[Option("A", "x" * 2), Option("B", "")]) for question in asked]
    assert by_metric(score(by_text, {"exam": texts}))["brier"].n == 40, "an option without a text is no division by 0"
    for variant in ("stem_hidden/0-shot", "proposition/0-shot"):
        other = [replace(one, variant=variant) for one in answers]
        assert list(by_metric(score(other, {"exam": asked}))) == ["accuracy"]


def test_open_questions_are_not_scored_by_options() -> None:
    open_one = Question("q9", "exam", "test", "open", "s", [], [], "x")
    (found,) = score([made("q0", "A"), made("q9", "")], {"exam": [plain(0), open_one]})
    assert (found.value, found.n) == (1.0, 1)
    assert score([made("q9", "")], {"exam": [open_one]}) == []


def test_averages_over_benchmarks() -> None:
    small, large = [plain(n) for n in range(10)], [plain(n) for n in range(100, 190)]
    answers = [made(f"q{n}", "A", benchmark="small") for n in range(10)]
    answers += [made(f"q{n}", "A" if n < 130 else "B", benchmark="large") for n in range(100, 190)]
    answers += [replace(one, model="base") for one in answers if one.benchmark == "small"]
    sets = {"small": small, "large": large}
    found = averages(answers, sets, {"both": ["small", "large"], "none": ["small", "other"]})
    assert [(one.model, one.benchmark, one.metric) for one in found] == [
        ("tuned", "both", "macro_accuracy"),
        ("tuned", "both", "micro_accuracy"),
    ]
    assert [one.value for one in found] == pytest.approx([(1 + 1 / 3) / 2, 40 / 100])
    assert all(one.ci_low < one.value < one.ci_high and one.n == 100 for one in found)


def test_an_exam_stands_in_an_average_by_the_mean_of_its_subjects_where_papers_take_that() -> None:
    """Hearts 1 of 1, lungs 1 of 3: accuracy 2 of 4, mean of subjects 2/3; a third exam keeps the shares apart."""
    subjects = ["heart", "lung", "lung", "lung"]
    by_part = [replace(plain(n), subject=subject) for n, subject in enumerate(subjects)]
    sets = {"parts": by_part, "one": [plain(n) for n in range(10, 14)], "two": [plain(n) for n in range(20, 22)]}
    right = {0, 1, 10, 20, 21}
    answers = [made(one.question_id, "A" if int(one.question_id[1:]) in right else "B", benchmark=name)
               for name, questions in sets.items() for one in questions]  # fmt: skip
    macro, micro = averages(answers, sets, {"all three": list(sets)}, by_subject=["parts"])
    assert macro.value == pytest.approx(((1 + 1 / 3) / 2 + 1 / 4 + 1) / 3) and micro.value == pytest.approx(5 / 10)
    assert macro.ci_low < macro.value < macro.ci_high and macro.n == 10
    plain_mean, _ = averages(answers, sets, {"all three": list(sets)})
    assert plain_mean.value == pytest.approx((2 / 4 + 1 / 4 + 1) / 3)


def test_answers_to_nothing_and_twice(questions: list[Question]) -> None:
    with pytest.raises(ValueError, match="no question of 'exam'"):
        score([made("exam-9999", "A")], {"exam": questions})
    with pytest.raises(ValueError, match="no question of 'exam'"):
        score([made("exam-0001", "A")], {"other": questions})
    with pytest.raises(ValueError, match="answers exam-0001 twice"):
        score([made("exam-0001", "A"), made("exam-0001", "B")], {"exam": questions})


def test_chance(questions: list[Question]) -> None:
    assert chance(questions) == pytest.approx((1 / 4 + 1 / 2 + 1 / 5 + 1 / 3) / 4)


def many(n: int, right_a: set[int], right_b: set[int]) -> tuple[list[Question], list[Prediction]]:
    listed = [Option("A", "x"), Option("B", "y")]
    asked = [Question(f"q{i}", "exam", "test", "single", "s", listed, ["A"], "x") for i in range(n)]
    answers = [made(f"q{i}", "A" if i in right_a else "B", model="tuned") for i in range(n)]
    return asked, answers + [made(f"q{i}", "A" if i in right_b else "B", model="base") for i in range(n)]


def test_comparison_by_hand() -> None:
    """10 right with tuned alone, 2 with base alone: p = 2 * (1 + 12 + 66) / 2**12."""
    asked, answers = many(100, set(range(60)), set(range(10, 62)))
    hidden = [replace(answer, variant="stem_hidden/0-shot") for answer in answers]
    (found,) = compare(answers + hidden, {"exam": asked}, [("tuned", "base"), ("tuned", "none")])
    assert (found.n, found.only_a, found.only_b, found.test) == (100, 10, 2, "mcnemar")
    assert found.difference == pytest.approx(0.08)
    assert found.p == pytest.approx(2 * 79 / 4096, abs=1e-12) and found.p_holm == found.p
    assert (found.ci_low, found.ci_high) == pytest.approx((0.02, 0.15), abs=0.015)
    assert 0.08 < found.detectable < 0.12


def test_questions_that_one_model_was_not_asked_are_no_pairs() -> None:
    asked, answers = many(100, set(range(60)), set(range(10, 62)))
    broken = [replace(one, state="failed", answer_keys=[]) if one.question_id == "q0" and one.model == "base" else one
              for one in answers]  # fmt: skip
    (found,) = compare(broken, {"exam": asked}, [("tuned", "base")])
    assert (found.n, found.only_a, found.only_b) == (99, 9, 2)


def test_cases_are_compared_whole() -> None:
    """Three cases of four in which tuned alone is right: 3 flips, p = 2 / 8; as single items it would be 2 / 4096."""
    asked, answers = many(100, set(range(12)), set())
    cases = [replace(question, case_id=f"c{n // 4}") for n, question in enumerate(asked)]
    (found,) = compare(answers, {"exam": cases}, [("tuned", "base")])
    assert (found.p, found.test) == (pytest.approx(2 / 8), "sign_flip")
    (found,) = compare(answers, {"exam": asked}, [("tuned", "base")])
    assert found.p == pytest.approx(2 / 4096)


def test_what_its_own_mistakes_cost_a_model() -> None:
    """Told the right earlier answers it has 10 more right than told its own; that is compared though no pair is."""
    asked, answers = many(100, set(range(60)), set())
    cases = [replace(question, case_id=f"c{n}") for n, question in enumerate(asked)]
    gold = [replace(one, variant="direct/0-shot/context=gold") for one in answers if one.model == "tuned"]
    own = [replace(one, variant="direct/0-shot/context=model", answer_keys=["A" if n < 50 else "B"])
           for n, one in enumerate(gold)]  # fmt: skip
    (found,) = compare([*own, *gold], {"exam": cases}, [])
    assert (found.model_a, found.model_b) == ("tuned/context=gold", "tuned/context=model")
    assert (found.variant, found.difference, found.only_a, found.only_b) == ("direct/0-shot", 0.1, 10, 0)
    assert found.ci_low < 0.1 < found.ci_high and found.p == pytest.approx(2 / 1024)
    Comparisons.validate(to_frame([found], Comparison))


def test_holm_over_all_comparisons() -> None:
    asked, answers = many(100, set(range(60)), set(range(10, 62)))
    direct = [replace(a, variant="direct") for a in answers]
    found = compare(answers + direct, {"exam": asked}, [("tuned", "base")])
    assert [entry.p_holm for entry in found] == pytest.approx([2 * entry.p for entry in found])
