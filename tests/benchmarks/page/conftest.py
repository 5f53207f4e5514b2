"""An evaluation of own questions that has everything a page can show."""

from __future__ import annotations

from itertools import product

import pytest

from med_small_lm.benchmarks.exposure import split_scores
from med_small_lm.benchmarks.page.results import Results
from med_small_lm.benchmarks.scoring import compare, score
from med_small_lm.schemas.rows import (
    Contamination,
    Conversation,
    Exposure,
    KeyScore,
    Link,
    Message,
    Option,
    Passage,
    Perplexity,
    Prediction,
    Question,
)

SUBJECTS = ("heart", "lung")
HOSTILE = "</script><script>throw new Error('ran')</script><img src=x onerror=alert(1)> {{ 7 * 7 }}"


def question(exam: str, n: int, **more: object) -> Question:
    options = [Option("A", "one"), Option("B", "two"), Option("C", "three"), Option("D", "four")]
    told = {"subject": SUBJECTS[n % 2], **more}
    return Question(f"{exam}-{n}", exam, "test", "single", f"What of {n}?", options, ["A"], "one", **told)  # type: ignore[arg-type]


def answers(model: str, asked: Question, right: bool) -> list[Prediction]:
    """By likelihood, without the question, and in words."""
    key, sure = ("A", -0.1) if right else ("B", -0.7)
    scores = [KeyScore(one.key, sure if one.key == key else -3.0, 1) for one in asked.options]
    like = ("", "parsed", [key], scores, 1)
    wrote = (f"Because. The answer is {key}. {HOSTILE}", "parsed", [key], [], 9)
    unread = ("So it goes.", "ambiguous", [], [], 9)
    hidden = ("", "parsed", ["ABCD"[int(asked.question_id.rpartition("-")[2]) % 4]], scores, 1)
    named = (model, asked.question_id, asked.source)
    return [
        Prediction(*named, "likelihood", "option_text/0-shot", 0, *like),
        Prediction(*named, "likelihood", "stem_hidden/0-shot", 0, *hidden),
        Prediction(*named, "generation", "explain/0-shot", 0, *(unread if model == "base" else wrote)),
    ]


@pytest.fixture(scope="session")
def results() -> Results:
    medqa = [question("medqa", n, method="medqa") for n in range(40)]
    cases = [question("cases", n, case_id=f"c{n // 4}", rank=n % 4 + 1) for n in range(40)]
    exams = {"medqa": medqa, "cases": cases}
    made = [
        answer
        for (place, model), asked in product(enumerate(("base", "tuned")), [*medqa, *cases])
        for answer in answers(model, asked, int(asked.question_id.rpartition("-")[2]) % 4 < 1 + 2 * place)
    ]
    failed = Prediction("tuned", "cases-3", "cases", "generation", "direct/0-shot", 0, "", "failed", [], [], 0)
    made += [
        Prediction("tuned", "cases-2", "cases", "generation", "direct/0-shot", 0, "A", "parsed", ["A"], [], 1),
        failed,
    ]
    exposures = [
        Exposure("medqa", one.question_id, source, [0.0, 0.3, 1.0, float("nan")][n % 4], "t-1" if n % 4 else "")
        for source in ("corpus/book", "conversations/explain")
        for n, one in enumerate(medqa)
    ]
    said = [Message("user", f"What of {HOSTILE}?"), Message("assistant", "One.")]
    return Results(
        models={"base": "untrained", "tuned": "trained"},
        questions=exams,
        scores=score(made, exams, samples=200) + split_scores(made, exams, exposures, samples=200),
        predictions=made,
        comparisons=compare(made, exams, [("tuned", "base")], samples=200),
        exposures=exposures,
        stopped=[Contamination("medqa", "questions", "same_fact", 40, 800, 31, 17)],
        links=[Link(f"medqa-{n}", "e-1", "b-1", "book", 3, 4, 0.5) for n in range(40)],
        conversations=[Conversation("e-1", "book", "explain", said, [], "q-1", ["b-1"], "own")],
        passages=[Passage("b-1", "book", 0, "Heart > Valves", 3, 4, "It is one. It beats.", 5, "0" * 64, "own")],
        perplexities=[
            Perplexity("tuning", step, "book", "", 9, 900, value, value - 1, value + 1, value / 40, 0.4, 0.6)
            for step, value in ((0, 40.0), (9, 20.0))
        ],
        origins={"questions (exam_like)": "40 calls"},
    )
