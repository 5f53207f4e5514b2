"""Questions, rationales and restatements from ordinary textbook prose, by the claims that it makes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from med_small_lm.teacher.builtin import draws, naming
from med_small_lm.teacher.builtin.claims import TOLD, Claim, claims_of
from med_small_lm.teacher.builtin.facts import key
from med_small_lm.teacher.builtin.options import WRONG, Pool, overlap
from med_small_lm.teacher.builtin.sentences import plain, sentences, starts_upper, words

_ENOUGH = 0.5
"""Share of a stem's content words that a sentence has to hold, to be what answers it."""
_SIDES = 2
"""Most questions on one sentence, each from another side."""
_LONGEST = 30
_ITEMS = re.compile(r", (?:and )?| and ")


def questions(
    passage: str, related: Sequence[str], seed: int, wanted: int, without: Sequence[str] = ()
) -> list[tuple[Claim, tuple[str, ...]]]:
    """Return up to ``wanted`` claims of a passage with three wrong options each, the soundest kinds first."""
    claims = [claim for claim in claims_of(passage) if claim.rank < TOLD and claim.sentence not in without]
    if not claims:
        return []
    pool, turn = Pool((passage, *related)), draws.number(seed, passage)
    around = " ".join((passage, *related))
    asked: dict[str, set[str]] = defaultdict(set)
    found: list[tuple[Claim, tuple[str, ...]]] = []
    for claim in sorted(claims, key=lambda claim: (claim.rank, draws.number(turn, claim.stem))):
        if len(found) >= wanted:
            break
        sides = asked[claim.sentence]
        side = claim.group.partition(":")[0]
        if len(sides) == _SIDES or side in sides or naming.is_person(claim.answer, around):
            continue
        wrong = pool.wrong(claim, turn)
        if len(wrong) == WRONG:
            sides.add(side)
            options = tuple(starts_upper(option) for option in wrong)
            found.append((replace(claim, answer=starts_upper(claim.answer)), options))
    return found


def rationale(stem: str, options: Sequence[str], text: str) -> tuple[str, str] | None:
    """Return a short statement that decides a question and the option it names, or None if the text has none.

    The claim that the stem asks for is looked for first, then the sentence that holds most of the stem's words and
    exactly one option.
    """
    for claim in claims_of(text):
        if claim.stem == stem:
            option = _named_option(claim.answer, options)
            if option:
                return claim.statement, option
    best: tuple[float, str, str] | None = None
    for sentence in sentences(text):
        said = [option for option in options if _says(sentence, option)]
        score = overlap(stem, sentence)
        if len(said) == 1 and score >= _ENOUGH and (best is None or score > best[0]):
            best = (score, sentence, said[0])
    return (_short(best[1]), best[2]) if best else None


def mention(phrase: str, text: str) -> str:
    """Return a claim of a text that names a phrase, as a short statement; empty where none does."""
    return next((claim.statement for claim in claims_of(text) if _says(claim.statement, phrase)), "")


def restatements(passage: str, style: str, seed: int, without: Sequence[str]) -> list[str]:
    """Return the claims of a passage as plain sentences, except those of the sentences in ``without``."""
    done = set(without)
    told: list[str] = []
    for claim in claims_of(passage):
        if claim.sentence not in done and not claim.group.startswith("number"):
            done.add(claim.sentence)
            told.append(_restated(claim, draws.number(style, claim.answer) + seed))
    return told


def supports(stem: str, answer: str, quote: str) -> bool:
    """Return whether a quote names the answer, all of a list, together with most of what the stem asks about."""
    told = f"{quote} | {plain(quote)}"  # an answer may run over brackets
    named = _says(told, answer) or all(_says(told, item) for item in _ITEMS.split(answer))
    return named and overlap(stem, quote) >= _ENOUGH


def _restated(claim: Claim, turn: int) -> str:
    """Return a claim's statement, definitions in one of several forms."""
    body = claim.statement[:-1]
    if " is the term for " in body:
        term, _, meaning = body.partition(" is the term for ")
        forms = ("{t} is the term for {m}.", "{t} means {m}.", "{t} stands for {m}.", "{t} is what one calls {m}.")
        return forms[turn % len(forms)].format(t=term, m=meaning)
    return claim.statement


def _named_option(answer: str, options: Sequence[str]) -> str:
    return next((option for option in options if key(option) == key(answer)), "")


def _says(sentence: str, phrase: str) -> bool:
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(sentence))} "


def _short(sentence: str) -> str:
    """Return a sentence without glosses and citations, ending after at most so many words at a comma."""
    text = plain(sentence)
    while len(text.split()) > _LONGEST and ", " in text:
        text = text.rpartition(", ")[0]
    return f"{text}."
