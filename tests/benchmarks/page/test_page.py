"""The page tells every number with its interval, escapes what models say, and needs nothing but itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.benchmarks.page.conftest import answers, question

from med_small_lm.benchmarks.page import report_page, words
from med_small_lm.benchmarks.page.blocks import Block, Picture, Section, Table, Text
from med_small_lm.benchmarks.page.confidence import confidence
from med_small_lm.benchmarks.page.differences import differences
from med_small_lm.benchmarks.page.exams import exams
from med_small_lm.benchmarks.page.overview import overview
from med_small_lm.benchmarks.page.results import Results
from med_small_lm.benchmarks.page.seen import seen
from med_small_lm.benchmarks.page.wrong import wrong
from med_small_lm.benchmarks.scoring import score
from med_small_lm.schemas.rows import Prediction, Question, Score

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return report_page(results)


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def warned(section: Section) -> str:
    return " ".join(block.said for block in section.blocks if isinstance(block, Text) and block.warns)


def test_models_by_benchmarks_beside_guessing_the_pass_mark_and_what_others_published(results: Results) -> None:
    models, glance, published = tables(overview(results))
    assert ["tuned", "trained"] in models.rows
    assert glance.head == ["model", "how it answers", "medqa", "cases"]
    row = next(row for row in glance.rows if row[:2] == ["tuned", "picks the option whose text it finds likeliest"])
    assert re.fullmatch(r"75\.0 % \(\d\d\.\d to \d\d\.\d\)", row[2])
    assert ["guessing", "draws an option by lot", "25.0 %", "25.0 %"] in glance.rows
    assert ["pass mark", "about what people need", "60.0 %", "–"] in glance.rows
    assert not any("control" in row[1] for row in glance.rows)
    told = {(row[0], row[1], row[3]): row[4] for row in published.rows}
    assert told["Meerkat, v2", "Meerkat-7B", "single run"] == "70.6 %"
    assert told["PMC-LLaMA, paper", "PMC-LLaMA-13B", "not told"] == "56.36 % *"
    assert "no whole number" in published.said


def test_a_mean_of_exams_and_judged_answers_stand_under_their_own_measure(results: Results) -> None:
    run = ("generation", "explain/0-shot")
    mean = Score("tuned", "mean of three exams", "all", *run, "macro_accuracy", 0.5, 900, 0, 0.45, 0.55)
    judged = [
        Score("tuned", "k_qa", "all", *run, metric, value, 20, 0, value - 0.1, value + 0.1)
        for metric, value in (("hallucination", 1.5), ("completeness", 0.4))
    ]
    judged += [Score("tuned", "k_qa", "against=base", *run, "win_rate", 0.7, 20, 0, 0.5, 0.9)]
    more = replace(results, scores=[*results.scores, mean, *judged])
    _, glance, published = tables(overview(more))
    assert glance.head[-2:] == ["mean of three exams", "k_qa: completeness"]
    row = next(row for row in glance.rows if row[:2] == ["tuned", "writes its reasons and an answer"])
    assert row[-2:] == ["50.0 % (45.0 to 55.0)", "40.0 % (30.0 to 50.0)"]
    assert "64.43 % †" in {row[-1] for row in published.rows} and "not that of the cells" in published.said
    *_, k_qa = exams(more)
    assert tables(k_qa)[1].rows == [
        ["contradictions", "tuned", row[1], "1.50 (1.40 to 1.60)", "20", "0"],
        ["preferred, against base", "tuned", row[1], "70.0 % (50.0 to 90.0)", "20", "0"],
    ]
    assert report_page(more)


def test_what_is_incomplete_or_unreadable_stands_first(results: Results) -> None:
    said = warned(overview(results))
    assert "incomplete" in said and "tuned on cases (writes an answer): 1 of 2" in said
    assert "base on medqa (writes its reasons and an answer): 40 of 40" in said
    whole = replace(
        results,
        scores=[one for one in results.scores if not one.n_failed and one.model == "tuned"],
        predictions=[one for one in results.predictions if one.state != "failed"],
    )
    assert warned(overview(whole)) == ""


def test_a_model_that_never_answered_is_told_of(results: Results) -> None:
    failed = [
        Prediction("far", f"medqa-{n}", "medqa", "generation", "direct/0-shot", 0, "", "failed", [], [], 0)
        for n in range(20)
    ]
    more = replace(results, models={**results.models, "far": "some-model, asked at an endpoint"}, predictions=failed)
    section = overview(more)
    assert "far on medqa (writes an answer): 20 of 20" in warned(section)
    assert ["far", "some-model, asked at an endpoint"] in tables(section)[0].rows
    nothing = Results(models={"far": "some-model"}, questions=results.questions, scores=[], predictions=failed)
    assert "20 of 20" in warned(overview(nothing)) and "Nothing was scored." in warned(overview(nothing))


def test_answers_that_no_judge_scored_are_told_of(results: Results) -> None:
    open_one = Question("k-1", "k_qa", "test", "open", "What?", [], [], "This.", method="k_qa")
    said = Prediction("tuned", "k-1", "k_qa", "generation", "explain/0-shot", 0, "This.", "parsed", [], [], 1)
    more = replace(results, questions={**results.questions, "k_qa": [open_one]}, predictions=[said])
    assert "Answered, and not scored (open answers are scored by a judge): k_qa." in warned(overview(more))


def test_the_mean_of_subjects_stands_for_an_exam_of_which_papers_tell_it() -> None:
    asked = [question("mmlu", n, method="mmlu_medical", subject="anatomy" if n < 10 else "virology") for n in range(40)]
    made = [one for each in asked for one in answers("tuned", each, int(each.question_id[5:]) < 10)]
    told = Results(models={}, questions={"mmlu": asked}, scores=score(made, {"mmlu": asked}, samples=200))
    _, glance, published = tables(overview(told))
    assert glance.head[-1] == "mmlu: mean of subjects" and glance.rows[0][-1].startswith("50.0 %")
    row = next(row for row in published.rows if row[1:2] == ["BioMistral-7B"])
    assert row[-1] == "64.6 % †" and published.head[-1] == "mmlu"
    (section,) = exams(told)
    checks = {(row[2], row[3]): row[6] for row in tables(section)[-1].rows}
    assert checks["70.5 %", "test, six subjects: 1,089"] == "the mean of its 6 cells"
    assert checks["74.8 %", "medical_genetics, test: 100"] == "no whole number gives this"
    subjects = [block.figure for block in section.blocks if isinstance(block, Picture)][1]
    assert list(subjects.data[0].x) == [100.0, 0.0]


def test_parts_of_an_exam_of_which_others_tell_no_whole_have_columns_of_their_own() -> None:
    asked = [question("self", n, method="usmle_self_assessment", subject=f"step{n % 3 + 1}") for n in range(30)]
    made = [one for each in asked for one in answers("tuned", each, each.subject == "step2")]
    told = Results(models={}, questions={"self": asked}, scores=score(made, {"self": asked}, samples=200))
    _, glance, published = tables(overview(told))
    assert glance.head[2:] == ["self: mean of subjects", "self, step1", "self, step2", "self, step3"]
    assert [cell.partition(" (")[0] for cell in glance.rows[0][2:]] == ["33.3 %", "0.0 %", "100.0 %", "0.0 %"]
    (large,) = (row for row in published.rows if row[1] == "MedAlpaca-13B")
    assert large[4:] == ["–", "47.3 % *", "47.7 % *", "60.2 % *"]
    assert ["guessing", "draws an option by lot", *["25.0 %"] * 4] in glance.rows


def test_a_rubric_by_theme_and_by_tag() -> None:
    run = ("generation", "explain/0-shot")
    scores = [
        Score("tuned", "hb", subset, *run, metric, value, 20, 0, value - 0.1, value + 0.1)
        for subset, metric, value in (
            ("all", "rubric", 0.4), ("subject=hedging", "rubric", 0.3), ("axis=accuracy", "rubric", 0.2),
            ("axis=accuracy", "rubric_most", 0.5), ("level=cluster", "rubric", 0.6),
        )
    ]  # fmt: skip
    (section,) = exams(Results(models={}, questions={}, scores=scores))
    _, themes = (block.figure for block in section.blocks if isinstance(block, Picture))
    assert list(themes.data[0].y) == ["hedging"] and themes.layout.xaxis.title.text == "rubric score, %"
    tagged = next(table for table in tables(section) if table.head[0] == "criteria")
    assert [row[0] for row in tagged.rows] == ["axis: accuracy", "level: cluster"]
    assert tagged.rows[0][3] == "20.0 % (10.0 to 30.0)"


def test_each_benchmark_has_its_picture_parts_and_published_figures(results: Results) -> None:
    medqa, cases = exams(results)
    assert "Published are 1,273" in medqa.blocks[0].said and "10 cases" in cases.blocks[0].said  # type: ignore[union-attr]
    drawn = [block.figure for block in medqa.blocks if isinstance(block, Picture)]
    bars, subjects = drawn
    assert list(bars.data[0].y) == [25.0, 75.0] and len(bars.data[0].error_y.array) == 2
    assert {shape.y0 for shape in bars.layout.shapes} == {25.0, 60.0}
    assert set(subjects.data[0].y) == {"heart", "lung"}
    ranks = [block for block in cases.blocks if isinstance(block, Picture)][-1].figure
    assert list(ranks.data[0].x) == [1, 2, 3, 4]
    published = tables(medqa)[-1]
    checks = {row[2]: row[6] for row in published.rows}
    assert checks["56.36 %"] == "no whole number gives this" and checks["48.15 %"] == "613 of 1,273"
    assert not any("Published" in table.folded for table in tables(cases))


def test_comparisons_say_in_words_what_they_show(results: Results) -> None:
    (table,) = tables(differences(results))
    by_exam = {(row[2], row[3]): row for row in table.rows}
    row = by_exam["medqa", "picks the option whose text it finds likeliest"]
    assert row[:2] == ["tuned", "base"] and row[4].startswith("+50.0") and row[-1] == "tuned is better"
    assert "training bought" not in table.said
    opened = replace(results, models={"base": "x with the books open"})
    assert "training bought" in tables(differences(opened))[0].said
    far = replace(results.comparisons[0], model_a="far")
    own, rest = tables(differences(replace(results, comparisons=[far, *results.comparisons])))
    assert {row[0] for row in own.rows} == {"tuned"} and [row[0] for row in rest.rows] == ["far"] and rest.folded
    few = replace(results, comparisons=[replace(results.comparisons[0], p_holm=0.4, detectable=0.2)])
    assert "no difference shown: 40 items show a difference of 0.200" in tables(differences(few))[0].rows[0][-1]


def test_calibration_and_risk(results: Results) -> None:
    reliability, risk = (block for block in confidence(results).blocks[:2] if isinstance(block, Picture))
    assert [trace.name for trace in reliability.figure.data] == [
        "as right as it is sure",
        "base: picks the option whose text it finds likeliest",
        "tuned: picks the option whose text it finds likeliest",
    ]
    assert risk.figure.data[1].y[-1] == 25.0 and risk.figure.data[1].x[-1] == 100.0


def test_clean_and_dirty(results: Results) -> None:
    section = seen(results)
    (picture,) = (block for block in section.blocks if isinstance(block, Picture))
    assert list(picture.figure.data[0].text) == ["10", "0", "10", "0", "10", "10"]
    by_source, split, worst, stopped = tables(section)
    assert ["medqa", "corpus/book", "10", "0", "10", "0", "10", "10"] in by_source.rows
    (row,) = (row for row in split.rows if row[0] == "base" and row[2].startswith("picks"))
    assert row[3].startswith("100.0 %") and row[3].endswith("10 of 10") and row[4].endswith("0 of 20")
    assert len(worst.rows) == 10 and worst.rows[0][1] == "100.0 %" and worst.rows[0][4] == "t-1"
    assert stopped.rows[0][3:] == ["800", "31", "17"]


def test_wrong_answers_with_their_lineage(results: Results) -> None:
    shown = [block for block in wrong(results).blocks if block.kind == "wrong"]
    first = shown[0]
    assert first.question == "What of 3?" and "The answer is B" in first.reply  # type: ignore[union-attr]
    marked = [(one.text, one.is_right, one.is_given) for one in first.choices]  # type: ignore[union-attr]
    assert marked[:2] == [("A. one", True, False), ("B. two", False, True)]
    assert first.records[0].where == "e-1, likeness 0.50"  # type: ignore[union-attr]
    assert first.pages[0].where == "book, pp. 3-4, Heart > Valves (behind e-1)"  # type: ignore[union-attr]
    assert first.pages[0].said == "It is one."  # type: ignore[union-attr]


def test_what_is_not_there_has_no_section(results: Results) -> None:
    bare = Results(models={}, questions=results.questions, scores=results.scores)
    page = report_page(bare)
    assert 'id="overview"' in page and 'id="exam-0"' in page
    assert not any(f'id="{name}"' in page for name in ("differences", "confidence", "seen", "forgetting", "wrong"))
    empty = report_page(Results(models={}, questions={}, scores=[]))
    assert "Nothing was scored." in empty and "Plotly" not in empty


def test_what_a_model_says_is_text(page: str) -> None:
    assert "<script>throw" not in page and "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; {{ 7 * 7 }}" in page


def test_every_table_and_picture_has_a_sentence_above_it(results: Results, page: str) -> None:
    sections = [overview(results), *exams(results), differences(results), confidence(results), seen(results)]
    blocks: list[Block] = [block for section in sections for block in section.blocks]
    assert all(block.said.strip() for block in blocks if isinstance(block, Table | Picture))
    assert page.count("<table>") == page.count("<thead>") and "nan" not in re.sub(
        r"<script.*?</script>", "", page, flags=re.S
    )


@pytest.mark.parametrize(
    ("mode", "variant", "said"),
    [
        ("likelihood", "letter/5-shot", "picks the likeliest letter, after 5 solved examples"),
        (
            "likelihood",
            "option_text-length/0-shot",
            "picks the option whose text it finds likeliest, by the mean of its tokens",
        ),
        ("likelihood", "letter/0-shot/plain-mmlu", "picks the likeliest letter, in the words of mmlu"),
        ("generation", "explain/0-shot/sc10", "writes its reasons and an answer, the majority of 10 replies"),
        ("generation", "direct/0-shot/permuted3", "writes an answer, the options in 3 orders"),
        ("generation", "direct/0-shot/context=gold", "writes an answer, told the right answers to earlier questions"),
        ("generation", "proposition/0-shot", "writes of each statement whether it is true"),
        ("generation", "own way", "generation: own way"),
    ],
)
def test_ways_in_words(mode: str, variant: str, said: str) -> None:
    assert words.way(mode, variant) == said


PROBE = """<script>addEventListener("load", () => {
  document.body.dataset.fetched = performance.getEntriesByType("resource").length;
  document.body.dataset.drawn = document.querySelectorAll(".js-plotly-plot .main-svg").length > 0
    && [...document.querySelectorAll("[id^=picture-]")].every(one => one.querySelector(".main-svg"));
});</script></body>"""


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[str], tuple[str, list[str]]]:
    def run(page: str) -> tuple[str, list[str]]:
        """The page as the browser has it, and what it said on its console."""
        file = tmp_path / "report.html"
        file.write_text(page.replace("</body>", PROBE), encoding="utf-8")
        quiet = ("--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-sync")
        told = subprocess.run(
            [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", *quiet,
             f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=5000", "--dump-dom", file.as_uri()],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        return told.stdout, [line for line in told.stderr.splitlines() if "CONSOLE" in line]

    return run


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_opens_it_without_a_fault_and_fetches_nothing(
    page: str, opened: Callable[[str], tuple[str, list[str]]]
) -> None:
    shown, console = opened(page)
    assert console == []
    assert 'data-fetched="0"' in shown and 'data-drawn="true"' in shown


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_browser_would_have_told(page: str, opened: Callable[[str], tuple[str, list[str]]]) -> None:
    """What the test above relies on: a fetch is refused, and said on the console."""
    _, console = opened(page.replace("<h1>", '<img src="http://127.0.0.1:9/x.png"><h1>'))
    assert any("Content Security Policy" in line for line in console)
