"""Questions, rationales and restatements from ordinary textbook prose, by the claims that it makes."""

from __future__ import annotations

from collections.abc import Sequence

from med_small_lm.teacher.builtin import draws, naming, numbers
from med_small_lm.teacher.builtin.claims import Claim, claims_of, terms_of
from med_small_lm.teacher.builtin.facts import distinct, key
from med_small_lm.teacher.builtin.sentences import plain, sentences, starts_upper, words
from med_small_lm.teacher.builtin.terms import is_plural, is_term, likeness

_WRONG = 3
_NEAR = 6
_ENOUGH = 0.5
"""Share of a stem's content words that a sentence has to hold, to be what answers it."""
_TWINS = 0.6
"""Claims whose stems share more of their words than this may have each other's answer."""
_LONGEST = 30
_SORTS = (
    ("object:effect", "object:cause", "object:need"),
    ("object:place", "object:agent"),
    ("object:mark", "object:work", "object:item", "item"),
    ("object:tool", "object:item"),
)
_COMMON = frozenset(
    "the a an of to in for and or is are was which following what with by on at from as that it best most likely "
    "one be does do not can may this these has have term terms used value completes statement known other name".split()
)


def questions(
    passage: str, related: Sequence[str], seed: int, wanted: int, without: Sequence[str] = ()
) -> list[tuple[Claim, tuple[str, ...]]]:
    """Return up to ``wanted`` claims of a passage with three wrong options each; no sentence is asked twice."""
    pool = [claim for text in (passage, *related) for claim in claims_of(text)]
    around = " ".join((passage, *related))
    terms = [term for text in (passage, *related) for term in terms_of(text) if not naming.is_person(term, around)]
    done = set(without)
    found: list[tuple[Claim, tuple[str, ...]]] = []
    turn = draws.number(seed, passage)
    for claim in sorted(claims_of(passage), key=lambda claim: (claim.rank, draws.number(turn, claim.stem))):
        if len(found) >= wanted:
            break
        if naming.is_person(claim.answer, around):
            continue
        wrong = _wrong_options(claim, pool, terms, turn)
        if claim.sentence not in done and len(wrong) == _WRONG:
            done.add(claim.sentence)
            found.append((_capitalized(claim), tuple(starts_upper(option) for option in wrong)))
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
        score = _overlap(stem, sentence)
        if len(said) == 1 and score >= _ENOUGH and (best is None or score > best[0]):
            best = (score, sentence, said[0])
    return (_short(best[1]), best[2]) if best else None


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
    """Return whether a quote names the answer together with most of what the stem asks about."""
    return _says(quote, answer) and _overlap(stem, quote) >= _ENOUGH


def _wrong_options(claim: Claim, pool: Sequence[Claim], terms: Sequence[str], turn: int) -> list[str]:
    """Return three answers of the claim's sort that are wrong for it, or fewer."""
    said = f" {' '.join(words(claim.stem))} {' '.join(words(claim.sentence))} "
    others = [other for other in pool if other.sentence != claim.sentence]
    values = [value for other in others if other.group == claim.group for value in (other.answer, *other.siblings)]
    if claim.group == "term":
        values += [term for term in terms if is_plural(term) == is_plural(claim.answer)]
        values = [value for value in values if is_plural(value) == is_plural(claim.answer)]
    if not claim.group.startswith(("number:", "term")):
        near = _near_groups(claim.group)
        values += [value for other in others if other.group in near for value in (other.answer, *other.siblings)]
        if is_term(claim.answer):
            values += [term for term in terms if is_plural(term) == is_plural(claim.answer)]
    banned = {other.answer for other in others if _overlap(claim.stem, other.stem) >= _TWINS}
    fresh = [
        value for value in dict.fromkeys(values) if value not in banned and f" {' '.join(words(value))} " not in said
    ]
    ranked = sorted(fresh, key=lambda value: (likeness(value, claim.answer), value))
    chosen = distinct(ranked, [claim.answer, *claim.siblings], most=_NEAR)
    chosen = draws.shuffled(chosen, turn, claim.answer)[:_WRONG]
    if len(chosen) < _WRONG and claim.group.startswith("number:"):
        chosen += distinct(numbers.wrong_values(claim.answer), [claim.answer, *chosen])[: _WRONG - len(chosen)]
    return chosen


def _near_groups(group: str) -> tuple[str, ...]:
    """Return the groups whose answers may stand among those of a group of objects."""
    return next((tuple(groups) for groups in _SORTS if group in groups), ())


def _capitalized(claim: Claim) -> Claim:
    return Claim(claim.stem, starts_upper(claim.answer), claim.group, claim.sentence, claim.statement, claim.rank)


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


def _overlap(stem: str, sentence: str) -> float:
    """Return the share of the stem's content words that stand in a sentence."""
    asked = {word for word in words(stem) if word not in _COMMON}
    said = {word[:6] for word in words(sentence)}
    return sum(word[:6] in said for word in asked) / len(asked) if asked else 0.0


def _short(sentence: str) -> str:
    """Return a sentence without glosses and citations, ending after at most so many words at a comma."""
    text = plain(sentence)
    while len(text.split()) > _LONGEST and ", " in text:
        text = text.rpartition(", ")[0]
    return f"{text}."
