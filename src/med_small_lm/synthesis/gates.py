"""Gates: each says of one record whether it passes, and why not; they run in order and every verdict is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from statistics import mean
from typing import TypeVar

from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.overlap.documents import Document, question_document
from med_small_lm.overlap.minhash import repeats
from med_small_lm.overlap.normalise import normalised, words
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Passage, Question, Rationale, Rephrasing, Verdict

Record = TypeVar("Record", Question, Rationale, Rephrasing)

CONTAMINATION = "contamination"
DUPLICATE = "duplicate"

_POINTS_AWAY = re.compile(
    r"\b(?:the|this) (?:passage|text|excerpt|figure|table|chapter|paragraph)\b|\b(?:figure|table) \d", re.IGNORECASE
)
_NAMES_A_LETTER = re.compile(r"\b(?:option|choice|answer) \(?[A-J]\b")
_FEW = frozenset("a an the of in on at to for and or by with from is are was were be been it its this that as".split())


def verdict(gate: str, passed: bool, value: float, reason: str) -> Verdict:
    """Return what a gate says; the reason stands only where it failed."""
    return Verdict(gate, "pass" if passed else "fail", float(value), "" if passed else reason)


def sift(records: Iterable[Record], gates: Sequence[Callable[[Record], Verdict]]) -> tuple[list[Record], list[Record]]:
    """Return the records that pass all gates and those that do not; each carries its verdicts, up to the first fail."""
    kept: list[Record] = []
    rejected: list[Record] = []
    for record in records:
        judged = judge(record, (gate(record) for gate in gates))
        (kept if passed(judged) else rejected).append(judged)
    return kept, rejected


def judge(record: Record, verdicts: Iterable[Verdict]) -> Record:
    """Return the record with the verdicts added, up to the first fail; what comes after is not asked for."""
    said = list(record.gates)
    for one in verdicts:
        said.append(one)
        if one.verdict == "fail":
            break
    return replace(record, gates=said)


def passed(record: Question | Rationale | Rephrasing) -> bool:
    """Return whether no gate stopped a record."""
    return all(said.verdict != "fail" for said in record.gates)


def question_format(question: Question, params: QuestionGates) -> Verdict:
    """Return whether a stem has a fit length and stands on its own: it points at no passage, figure or table."""
    n_words = len(words(question.stem))
    if not params.stem_words_min <= n_words <= params.stem_words_max:
        bounds = f"{params.stem_words_min} to {params.stem_words_max}"
        return Verdict("format", "fail", n_words, f"the stem has {n_words} words, not {bounds}")
    away = _POINTS_AWAY.search(question.stem)
    return verdict("format", away is None, n_words, f"the stem points at {away.group()!r}" if away else "")


def option_texts(question: Question, params: QuestionGates) -> Verdict:
    """Return whether the options differ and the right one does not stand out by its length.

    The value is how many times longer or shorter the right option is than the wrong ones on the mean.
    """
    texts = [normalised(option.text) for option in question.options]
    if len(set(texts)) < len(texts) or not all(texts):
        return Verdict("options", "fail", 0.0, "two options are equal, or one is empty")
    if (longest := max(len(text.split()) for text in texts)) > params.option_words_max:
        return Verdict("options", "fail", 0.0, f"an option has {longest} words, more than {params.option_words_max}")
    right = mean(len(o.text) for o in question.options if o.key in question.answer_keys)
    wrong = mean([len(o.text) for o in question.options if o.key not in question.answer_keys] or [right])
    ratio = max(right / wrong, wrong / right)
    reason = f"the right option is {ratio:.1f} times as long or short as the others"
    return verdict("options", ratio <= params.option_length_ratio, ratio, reason)


def question_support(question: Question, passages: Mapping[str, Passage], params: QuestionGates) -> Verdict:
    """Return whether the quote stands in its passage and holds the right option; the value is the share that does."""
    if not question.quotes:
        return Verdict("support", "fail", 0.0, "no quote")
    quote = question.quotes[0]
    passage = passages.get(quote.passage_id)
    if passage is None:
        return Verdict("support", "fail", 0.0, f"no passage {quote.passage_id}")
    stands = share_found(quote.text, passage.text)
    if stands < params.quote_found:
        return Verdict("support", "fail", stands, f"{stands:.2f} of the quote stands in the passage")
    told = set(words(quote.text))
    answer = words(question.answer_text)
    held = sum(word in told for word in answer) / max(len(answer), 1)
    return verdict("support", held >= params.answer_in_quote, stands, f"{held:.2f} of the answer stands in the quote")


def share_found(quote: str, passage: str) -> float:
    """Return the share of a quote's words that stand in a passage, in order, in runs of two and more."""
    own, text = words(quote), words(passage)
    if not own:
        return 0.0
    if f" {' '.join(own)} " in f" {' '.join(text)} ":
        return 1.0
    blocks = SequenceMatcher(a=own, b=text, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 1) / len(own)


def contamination(document: Document, guards: Sequence[ContaminationIndex]) -> Verdict:
    """Return whether a document holds no guarded item; the value is how many it holds."""
    hits = [hit for guard in guards for hit in guard.hits(document)]
    return verdict(CONTAMINATION, not hits, len({hit.question_id for hit in hits}), _said(hits))


def duplicates(questions: Sequence[Question], params: QuestionGates) -> list[Verdict]:
    """Return for each of the questions whether an earlier one asks the same; the value is the similarity to it.

    Compared are stem, right answer and the set of options.
    """
    texts = [
        " ".join([question.stem, question.answer_text, *sorted(option.text for option in question.options)])
        for question in questions
    ]
    said: list[Verdict] = []
    for place, repeat in enumerate(repeats(texts, params.duplicate_similarity)):
        again = repeat.first != place
        reason = f"asks the same as {questions[repeat.first].question_id}"
        said.append(verdict(DUPLICATE, not again, repeat.similarity if again else 0.0, reason))
    return said


def rationale_format(rationale: Rationale, params: RationaleGates) -> Verdict:
    """Return whether a rationale has a fit length, makes statements, and points at no passage and no letter."""
    n_words = len(words(rationale.text))
    if not params.words_min <= n_words <= params.words_max:
        reason = f"the rationale has {n_words} words, not {params.words_min} to {params.words_max}"
        return Verdict("format", "fail", n_words, reason)
    away = _POINTS_AWAY.search(rationale.text) or _NAMES_A_LETTER.search(rationale.text)
    if away:
        return Verdict("format", "fail", n_words, f"the rationale points at {away.group()!r}")
    whole = rationale.text.rstrip("\"'”’) ").endswith((".", "!", "。"))
    return verdict("format", whole, n_words, "the rationale does not end as a statement does")


def answer_consistency(rationale: Rationale, question: Question) -> Verdict:
    """Return whether the rationale ends in the question's right answer; the value is how many options it names."""
    named = rationale.answer_keys
    reason = f"the answer is {', '.join(named)}, not {', '.join(question.answer_keys)}" if named else "no option named"
    return verdict("answer", sorted(named) == sorted(question.answer_keys), len(named), reason)


def rationale_support(
    rationale: Rationale, question: Question, passages: Mapping[str, Passage], params: RationaleGates
) -> Verdict:
    """Return whether a rationale keeps to its passage: the value is the share of its words in passage and question."""
    texts = [passages[key].text for key in rationale.passage_ids if key in passages]
    known = {word for text in [*texts, question.stem, question.answer_text] for word in words(text)}
    own = [word for word in words(rationale.text) if word not in _FEW]
    share = sum(word in known for word in own) / max(len(own), 1)
    return verdict("support", share >= params.supported, share, f"{share:.2f} of the words stand in the passage")


def rationale_document(rationale: Rationale, question: Question) -> Document:
    """Return a question and its rationale as the one document that a training example of them makes."""
    return question_document(question, [rationale])


def _said(hits: Sequence[Hit]) -> str:
    """Return what was found, the first three items by name."""
    named = "; ".join(f"{hit.rule} {hit.reason}" for hit in hits[:3])
    return f"{named}; and {len(hits) - 3} more" if len(hits) > 3 else named
