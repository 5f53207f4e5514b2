"""The gates of rephrasings, summaries, atomic facts and links: what the injection corpus may hold beside the books."""

from __future__ import annotations

import re
from collections.abc import Sequence

from med_small_lm.overlap.contamination import COVERAGE, FUZZY, ContaminationIndex, Hit, hits_of
from med_small_lm.overlap.documents import text_document
from med_small_lm.overlap.normalise import words
from med_small_lm.overlap.stems import folded
from med_small_lm.schemas.rows import Passage, Question, Rephrasing, Verdict
from med_small_lm.synthesis.gates.fidelity import changes, content, sentences, supported_share
from med_small_lm.synthesis.gates.language import language_of
from med_small_lm.synthesis.gates.verdicts import POINTS_AWAY, holds_none, same_language, sift, verdict

_OWN_WORDS = 1  # that a link has to hold of each passage and that the other passage lacks
_ADDED = 5  # words of an exam's item that a text has from elsewhere; fewer are how one speaks of such a thing
_LEANS = re.compile(
    r"(?:it|they|this|these|that|those|he|she|its|their|his|her|such|here|there|both|another|others?|some|however|"
    r"therefore|thus|hence|also|moreover|furthermore|additionally|conversely|in (?:addition|contrast|turn)|"
    r"as a result|the (?:former|latter|same|above|following))\b",
    re.IGNORECASE,
)


def text_format(text: str, words_min: int) -> Verdict:
    """Return whether a text is long enough and points at no passage, figure or table; the value counts its words."""
    n, away = len(words(text)), POINTS_AWAY.search(text)
    reason = f"the text points at {away.group()!r}" if away else f"the text has {n} words"
    return verdict("format", n >= words_min and not away, n, reason)


def statements(text: str) -> Verdict:
    """Return whether a text asks nothing: what does is exam practice in disguise; the value counts the questions."""
    return verdict("statements", "?" not in text, text.count("?"), "the text asks a question")


def text_language(text: str, passages: Sequence[Passage]) -> Verdict:
    """Return whether a text is in a language of its passages."""
    return same_language(text, {language_of(passage.text) for passage in passages})


def without_exams(
    records: Sequence[Rephrasing],
    passages: Sequence[Passage],
    exams: Sequence[Question],
    guards: Sequence[ContaminationIndex],
    found: list[list[Hit]],
) -> tuple[list[Rephrasing], list[Rephrasing]]:
    """Return the texts that copy no guarded item, and the others; ``found`` takes what each of them copies.

    Looked for is an item's wording: by coverage, and by likeness. That a text states the fact that an item asks for is
    no fault: it stands in the book, the model is to learn it there, and the exam asks whether it did. So the rule of
    the same fact, which guards questions and rationales, is not applied, and the others count only where the text has
    some of the item's words that it cannot have from its passages.
    """
    items = {exam.question_id: exam for exam in exams}
    told = {passage.passage_id: passage.text for passage in passages}
    documents = (text_document(record.rephrasing_id, record.text) for record in records)
    for record, every in zip(records, hits_of(documents, guards), strict=True):
        sources = [told[name] for name in record.passage_ids]
        worded = [hit for hit in every if hit.rule in (COVERAGE, FUZZY)]
        found.append([hit for hit in worded if _n_added(record.text, sources, items[hit.question_id]) >= _ADDED])
    said = map(holds_none, found)
    return sift(records, [lambda _: next(said)])


def _n_added(text: str, sources: Sequence[str], item: Question) -> int:
    """Return how many content words a text shares with an exam's item and has not from its passages."""
    whole = " ".join([item.context, item.stem, *(option.text for option in item.options)])
    return len((content(text) & content(whole)).difference(*map(content, sources)))


def text_support(text: str, source: str, least: float) -> Verdict:
    """Return whether every sentence keeps to the words of its passages; the value is the least one's share."""
    share, said = supported_share(text, source)
    return verdict("support", share >= least, share, f"{share:.2f} of the words of {said!r} stand in the source")


def fidelity(text: str, source: str) -> Verdict:
    """Return whether numbers, units, negations and directions are the source's; the value is how many are not."""
    changed = list(dict.fromkeys(changes(text, source)))
    return verdict("fidelity", not changed, len(changed), f"not as in the source: {', '.join(changed)}")


def shorter(text: str, source: str, most: float) -> Verdict:
    """Return whether a summary is so much shorter than its passage; the value is its length as a share."""
    ratio = len(words(text)) / max(len(words(source)), 1)
    return verdict("shorter", ratio <= most, ratio, f"{ratio:.2f} of the passage's length")


def stands_alone(text: str) -> Verdict:
    """Return whether an atomic fact is one whole sentence that leans on none before it; the value counts sentences."""
    n, leans = len(sentences(text)), _LEANS.match(text)
    reason = f"it begins with {leans.group()!r}" if leans else f"{n} sentences" if n > 1 else "it has no full stop"
    return verdict("stands_alone", n == 1 and not leans and text.endswith("."), n, reason)


def linked(text: str, subject: str, passages: Sequence[Passage]) -> Verdict:
    """Return whether a link names the subject and draws on both passages.

    The value is how many content words it has of the passage that it draws on less, without those that both hold.
    """
    if f" {' '.join(folded(subject))} " not in f" {' '.join(folded(text))} ":
        return Verdict("linked", "fail", 0.0, f"it does not name {subject!r}")
    own, (first, second) = content(text), (content(passage.text) for passage in passages)
    least = min(len(own & (first - second)), len(own & (second - first)))
    return verdict("linked", least >= _OWN_WORDS, least, f"it has {least} words of one of the passages alone")
