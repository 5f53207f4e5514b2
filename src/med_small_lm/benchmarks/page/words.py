"""The page's own words for what records call by short names, and numbers as they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from med_small_lm.schemas.rows import Score

MODELS: Mapping[str, str] = {
    "base": "before it has read the books",
    "injected": "after reading the books",
    "tuned": "after reading the books and practising on questions",
}
METRICS: Mapping[str, tuple[str, str]] = {
    "accuracy": ("accuracy", "share of all questions that were answered rightly"),
    "macro_accuracy": ("mean of subjects", "the accuracies of the subjects (or of several exams), each counted once"),
    "micro_accuracy": ("over all questions", "accuracy over all questions of several exams together"),
    "exact_match": ("exactly right", "share of questions of which every right option and no other was named"),
    "jaccard": ("overlap (Jaccard)", "options rightly named, of all that are right or named; some call it Hamming"),
    "one_minus_hamming_loss": (
        "statements by question",
        "of each question, the share of its statements judged rightly",
    ),
    "proposition_accuracy": ("statements", "share of all statements that were judged rightly"),
    "f1_samples": ("F1 by question", "right options found and wrong ones avoided, balanced; the mean of questions"),
    "f1_micro": ("F1 over all", "the same over all options together"),
    "f1_macro": ("F1 of both sorts", "the same for true and for false statements, their mean"),
    "exam_scale": ("exam points", "1 point without a mistake, 0.5 with one, 0.2 with two, none with more"),
    "case_accuracy": ("mean of cases", "each case's share of right answers, the mean of cases"),
    "case_exact_match": ("whole cases right", "share of cases with every question right"),
    "case_exam_scale": ("exam points of cases", "each case's points, the mean of cases"),
    "sample_accuracy": ("single replies", "share of right answers among all replies, before the majority is taken"),
    "flip_rate": ("changes its answer", "share of questions that got different answers when they were asked again"),
    "ece_equal_mass": ("calibration error", "how far being sure is from being right: 0 is perfect"),
    "ece_equal_width": ("calibration error, equal steps", "the same, counted in steps of equal confidence"),
    "brier": ("Brier score", "squared distance of its probabilities from the truth: 0 at best, 2 at worst"),
    "risk_coverage_area": ("risk when it may abstain", "mean share of wrong answers, the surest answered first"),
    "completeness": ("completeness", "share of the statements that an answer must make which it makes, by a judge"),
    "hallucination": ("contradictions", "statements of the physicians that an answer contradicts, per question"),
    "precision": ("not contradicted", "share of the physicians' statements that the answers do not contradict"),
    "rubric": ("rubric score", "points that a judge gave by the rubric, of those that can be had"),
    "premise_acceptance": ("accepts false premises", "share of false premises that the answers went along with"),
    "ties": ("ties", "share of answers that the judge found as good as the other model's"),
    "position_inconsistency": (
        "judge swayed by order",
        "share of pairs judged otherwise when shown in the other order",
    ),
    "win_rate": ("preferred", "share of answers that the judge preferred to the other model's; a tie is half"),
    "judge_unread": ("judge without a verdict", "share of what was put to the judge that it gave no verdict on"),
}
NO_SHARES = ("hallucination", "brier")
"""Metrics that are no shares of a whole, so no percentages."""
_BOUNDS = {"_answered": "answered questions alone", "_least": "at least", "_most": "at most"}
_HOW: Mapping[str, str] = {
    "option_text": "picks the option whose text it finds likeliest",
    "letter": "picks the likeliest letter",
    "proposition": "judges each statement true or false",
    "stem_hidden": "control: picks an option without seeing the question",
    "explain": "writes its reasons and an answer",
    "direct": "writes an answer",
}
_BESIDE = (
    (re.compile(r"sc(\d+)"), r"the majority of \1 replies"),
    (re.compile(r"permuted(\d+)"), r"the options in \1 orders"),
    (re.compile(r"context=gold"), "told the right answers to earlier questions"),
    (re.compile(r"context=model"), "told its own answers to earlier questions"),
    (re.compile(r"context=none"), "told no earlier answers"),
    (re.compile(r"plain-(.+)"), r"in the words of \1"),
)
_BY: Mapping[str, str] = {"length": "by the mean of its tokens", "characters": "by the mean of its characters"}
_SHOTS = re.compile(r"(\d+)-shot")


def way(mode: str, variant: str) -> str:
    """Returns how a benchmark was put to a model, in words: "writes its reasons and an answer, after 5 examples"."""
    head, *rest = variant.split("/")
    how, _, by = head.partition("-")
    if how == "proposition" and mode == "generation":
        told = ["writes of each statement whether it is true"]
    else:
        told = [_HOW.get(how, f"{mode}: {head}")]
    told += [_BY.get(by, by)] if by else []
    for part in rest:
        shots = _SHOTS.fullmatch(part)
        if shots:
            told += [f"after {shots[1]} solved examples"] if shots[1] != "0" else []
        else:
            told.append(next((form.sub(words, part) for form, words in _BESIDE if form.fullmatch(part)), part))
    return ", ".join(told)


def metric(name: str) -> str:
    """Returns a metric's name on the page."""
    if name in METRICS:
        return METRICS[name][0]
    stem, _, bound = name.rpartition("_")
    if f"_{bound}" in _BOUNDS:
        return f"{metric(stem)}, {_BOUNDS[f'_{bound}']}"
    return name.replace("_", " ")


def value_of(score: Score) -> str:
    """Returns a score with its interval, as a percentage where it is a share."""
    if score.metric.startswith(NO_SHARES):
        return f"{score.value:.2f} ({score.ci_low:.2f} to {score.ci_high:.2f})"
    return with_bounds(score.value, score.ci_low, score.ci_high)


def subset(name: str) -> str:
    """Returns which subset it is: "surgery" of "subject=surgery"."""
    return name.partition("=")[2] or name


def percent(value: float) -> str:
    """Returns a share as a percentage with one decimal."""
    return f"{100 * value:.1f} %"


def with_bounds(value: float, low: float, high: float) -> str:
    """Returns a share with its interval: "77.3 % (73.1 to 81.0)"."""
    return percent(value) + (f" ({100 * low:.1f} to {100 * high:.1f})" if low == low else "")


def points(value: float) -> str:
    """Returns a difference of shares in points: "+3.2"."""
    return f"{100 * value:+.1f}"


def right_of(score: Score) -> str:
    """Returns how many of how many were right."""
    return f"{round(score.value * score.n):,} of {score.n:,}" if score.metric == "accuracy" else f"of {score.n:,}"
