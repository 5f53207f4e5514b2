"""The gates of rationales that need no teacher: format, answer consistency, support, language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from med_small_lm.answers.extraction import declines, stated_keys
from med_small_lm.overlap.normalise import words
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Passage, Question, Rationale, Verdict
from med_small_lm.synthesis.gates import POINTS_AWAY, same_language, verdict
from med_small_lm.synthesis.rationales import ENDING

_NAMES_A_LETTER = re.compile(
    r"\b(?:option|choice|answer)s?:? (?:is:? )?(?:\([A-Ja-j]\)|[B-J]\b|A(?=[.,;:]|$| (?:is|and|or)\b))"
)
_MARK_UP = re.compile(r"```|^\s*(?:[#>*•-]|\d+[.)])\s|\*\*|</?\w+>|[{}]|\\n", re.MULTILINE)
_LAST_WORD = re.compile(r"\b(?:e\.g|i\.e|vs|cf|etc|approx|Dr|Mr|Mrs|Fig|No|the|a|an|of|to|and|or|with|by|is|as)\.$")
_PAIRS = ("()", "[]", "“”")
_FEW = frozenset("a an the of in on at to for and or by with from is are was were be been it its this that as".split())


def rationale_format(rationale: Rationale, params: RationaleGates) -> Verdict:
    """Return whether a rationale is a whole statement: of fit length, unmarked, pointing at no passage or letter."""
    text = rationale.text
    n_words = len(words(text))
    if not params.words_min <= n_words <= params.words_max:
        reason = f"the rationale has {n_words} words, not {params.words_min} to {params.words_max}"
        return Verdict("format", "fail", n_words, reason)
    away = POINTS_AWAY.search(text) or _NAMES_A_LETTER.search(text) or _MARK_UP.search(text)
    if away:
        return Verdict("format", "fail", n_words, f"the rationale points at {away.group()!r}")
    if declines(text):
        return Verdict("format", "fail", n_words, "the rationale declines to answer")
    return verdict("format", _is_whole(text), n_words, "the rationale does not end as a statement does")


def answer_consistency(rationale: Rationale, question: Question) -> Verdict:
    """Return whether the rationale ends in the question's right answer; the value is how many options it names.

    What the rationale's own text states as the answer, if it does, counts beside what it was asked to end in.
    """
    stated = stated_keys(rationale.text, question.options, ENDING) or frozenset()
    named = sorted({*rationale.answer_keys, *stated})
    reason = f"the answer is {', '.join(named)}, not {', '.join(question.answer_keys)}" if named else "no option named"
    right = rationale.answer_keys and named == sorted(question.answer_keys)
    return verdict("answer", bool(right), len(named), reason)


def rationale_language(rationale: Rationale, languages: Mapping[str, str]) -> Verdict:
    """Return whether a rationale is in the language of its passages; ``languages`` are theirs by id."""
    return same_language(rationale.text, {languages[key] for key in rationale.passage_ids if key in languages})


def rationale_support(
    rationale: Rationale, question: Question, passages: Mapping[str, Passage], params: RationaleGates
) -> Verdict:
    """Return whether a rationale keeps to its passage: the value is the share of its words in passage and question."""
    texts = [passages[key].text for key in rationale.passage_ids if key in passages]
    known = {word for text in [*texts, question.stem, question.answer_text] for word in words(text)}
    own = [word for word in words(rationale.text) if word not in _FEW]
    share = sum(word in known for word in own) / max(len(own), 1)
    return verdict("support", share >= params.supported, share, f"{share:.2f} of the words stand in the passage")


def _is_whole(text: str) -> bool:
    """Return whether a text was not cut off: it ends in a full stop that is none of an abbreviation, and closes."""
    said = text.rstrip("\"'”’) ")
    closed = all(text.count(pair[0]) == text.count(pair[1]) for pair in _PAIRS) and text.count('"') % 2 == 0
    return said.endswith((".", "!", "。")) and not said.endswith("..") and not _LAST_WORD.search(said) and closed
