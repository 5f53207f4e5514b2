"""The gates of rationales that need no teacher: format, answer consistency, support, language, surplus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from med_small_lm.answers.declining import declines
from med_small_lm.answers.extraction import stated_keys
from med_small_lm.answers.nearest import spans
from med_small_lm.overlap.normalise import words
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Passage, Question, Rationale, Verdict
from med_small_lm.synthesis.gates.verdicts import POINTS_AWAY, same_language, verdict
from med_small_lm.synthesis.optionwise import judged_options
from med_small_lm.synthesis.rationales import ENDING, METHOD, METHODS, OPTIONWISE

NAMES_A_LETTER = re.compile(
    r"\b(?i:option|choice|answer)s?:? (?:is:? )?(?:\([A-Ja-j]\)|[B-J]\b|A(?=[.,;:]|$| (?:is|and|or)\b))"
)
MARK_UP = re.compile(r"```|^\s*(?:[#>*•-]|\d+[.)])\s|[:.;]\s+[-*•]\s|\*\*|</?\w+>|[{}]|\\n", re.MULTILINE)
"""A list's later items stand behind a colon or full stop: a reply's lines are joined when it is read."""
_LAST_WORD = re.compile(r"\b(?:e\.g|i\.e|vs|cf|etc|approx|Dr|Mr|Mrs|Fig|No|the|a|an|of|to|and|or|with|by|is|as)\.$")
_PAIRS = ("()", "[]", "“”")
_FEW = frozenset("a an the of in on at to for and or by with from is are was were be been it its this that as".split())


def rationale_format(rationale: Rationale, params: RationaleGates) -> Verdict:
    """Return whether a rationale is a whole statement: of fit length, unmarked, pointing at no passage or letter.

    Of one that goes through the options, each option's reason has to be such a statement; it may name letters.
    """
    by_option = rationale.method == METHODS[OPTIONWISE]
    parts = [one.why for one in judged_options(rationale.text)] if by_option else [rationale.text]
    fault = next((fault for part in parts if (fault := _fault(part, params, letters=by_option))), "")
    return verdict("format", not fault, len(words(rationale.text)), fault)


def each_option(rationale: Rationale, question: Question) -> Verdict:
    """Return whether a rationale that goes through the options judges each once, in order; the value is how many."""
    judged = [one.key for one in judged_options(rationale.text)]
    wanted = [option.key for option in question.options]
    reason = f"judged are {', '.join(judged) or 'none'}, not {', '.join(wanted)}"
    return verdict("each_option", judged == wanted, len(judged), reason)


def states_answer(rationale: Rationale, question: Question) -> Verdict:
    """Return whether a rationale says every right answer word for word; the value is how many it says."""
    said = {key for _, _, key in spans(rationale.text, question.options)} & set(question.answer_keys)
    missing = ", ".join(sorted(set(question.answer_keys) - said))
    return verdict("states_answer", not missing, len(said), f"it does not say the right answer's text ({missing})")


def surplus(most: int) -> Callable[[Rationale], Verdict]:
    """Return the gate that lets the first ``most`` rationales of each question and method pass."""
    met: Counter[tuple[str, str]] = Counter()

    def said(rationale: Rationale) -> Verdict:
        own = rationale.question_id, rationale.method
        met[own] += 1
        return verdict("surplus", met[own] <= most, met[own], f"{most} of its question are kept already")

    return said


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
    texts += [question.stem, question.answer_text]
    if rationale.method != METHOD:  # who was shown the answer tells why the other options are none
        texts += [option.text for option in question.options]
    known = {word for text in texts for word in words(text)}
    told = [one.why for one in judged_options(rationale.text)] or [rationale.text]
    own = [word for text in told for word in words(text) if word not in _FEW]
    share = sum(word in known for word in own) / max(len(own), 1)
    return verdict("support", share >= params.supported, share, f"{share:.2f} of the words stand in the passage")


def _fault(text: str, params: RationaleGates, *, letters: bool) -> str:
    """Return why a text is no whole statement; empty if it is one. ``letters`` says that it may name options' keys."""
    n_words = len(words(text))
    if not params.words_min <= n_words <= params.words_max:
        return f"the rationale has {n_words} words, not {params.words_min} to {params.words_max}"
    away = POINTS_AWAY.search(text) or (None if letters else NAMES_A_LETTER.search(text)) or MARK_UP.search(text)
    if away:
        return f"the rationale points at {away.group()!r}"
    if declines(text):
        return "the rationale declines to answer"
    return "" if _is_whole(text) else "the rationale does not end as a statement does"


def _is_whole(text: str) -> bool:
    """Return whether a text was not cut off: it ends in a full stop that is none of an abbreviation, and closes."""
    said = text.rstrip("\"'”’) ")
    closed = all(text.count(pair[0]) == text.count(pair[1]) for pair in _PAIRS) and text.count('"') % 2 == 0
    return said.endswith((".", "!", "。")) and not said.endswith("..") and not _LAST_WORD.search(said) and closed
