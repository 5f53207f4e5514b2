"""How the page is read, what was forgotten, and where its numbers come from."""

from __future__ import annotations

from med_small_lm.benchmarks.held_out import changes, perplexities_figure, verdict
from med_small_lm.benchmarks.page import words
from med_small_lm.benchmarks.page.blocks import Block, Picture, Section, Table, Text
from med_small_lm.benchmarks.page.results import Results
from med_small_lm.markdown import significant, with_interval

_STAGES = {"injection": "reading the books", "tuning": "practising on questions"}
_TEXTS = {"book": "books", "paper": "papers", "general": "general text"}
_WORDS = (
    (
        "95 % interval",
        "the range that the true value lies in, in 95 of 100 such measurements; few questions, wide range",
    ),
    ("guessing", "the share that is right when one option of each question is drawn by lot"),
    ("likeliest option", "the model writes nothing: the option is taken that it finds likeliest as a continuation"),
    (
        "written answer",
        "the model writes freely, and its answer is read from the text by fixed rules, never by guessing",
    ),
    ("solved examples", "questions with their answers that stand in front of the question; none unless it is said"),
    ("unreadable", "an answer that names no option, or several: it counts as wrong, never as left out"),
    (
        "not asked",
        "questions that the model's server did not answer; they are counted apart, and asked again next time",
    ),
    ("open book", "the model gets the book's pages nearest to the question, and need not remember them"),
    ("perplexity", "how surprised a model is by text, as a number of equally likely next words; lower is better"),
)


def reading(results: Results) -> Section:
    """Returns the words of the page, and the metrics that occur on it."""
    used = dict.fromkeys(score.metric for score in results.scores)
    named = [(words.METRICS[name][0], words.METRICS[name][1]) for name in words.METRICS if name in used]
    rows = [list(pair) for pair in (*_WORDS, *named)]
    return Section(
        "reading", "How to read this page", [Table("What the words of this page mean:", ["word", "means"], rows)]
    )


def forgetting(results: Results) -> Section:
    """Returns what the trainings gained and forgot on text that was held out."""
    rows, blocks = results.perplexities, list[Block]()
    lines = [
        [_STAGES.get(stage, stage), _TEXTS[one.last.source], f"{one.last.n_texts:,}",
         *(with_interval(at.perplexity, at.ci_low, at.ci_high, "{:,.1f}".format) for at in (one.first, one.last)),
         with_interval(one.last.ratio, one.last.ratio_low, one.last.ratio_high, significant), verdict(one.last)]
        for stage in dict.fromkeys(row.stage for row in rows)
        for one in changes(rows, stage)
        if not one.last.book
    ]  # fmt: skip
    if lines:
        said = (
            "Perplexity (how surprised the model is) on text that no training saw, before and after each training, "
            "with 95 % intervals. A ratio under 1 means that the model gained; over 1 on general text means that it "
            "forgot."
        )
        blocks = [Table(said, ["training", "text", "texts", "before", "after", "ratio", "says"], lines),
                  Picture("The same along the trainings:", perplexities_figure(rows))]  # fmt: skip
    return Section("forgetting", "What did it gain and forget on unseen text?", blocks)


def origins(results: Results) -> Section:
    """Returns where the numbers come from."""
    said = (
        "Every number is counted from stored answers: the datasets “predictions”, “scores”, “comparisons”, "
        "“exposures” and “lineage” of the project hold them, and “kedro trace QUESTION” follows one question back to "
        "the pages."
    )
    blocks: list[Block] = [Text(said)]
    if results.origins:
        rows = [[name, told] for name, told in results.origins.items()]
        blocks.append(
            Table("What stands behind them:", ["what", "from"], rows, folded=f"What stands behind them ({len(rows)})")
        )
    return Section("origins", "Where the numbers come from", blocks)
