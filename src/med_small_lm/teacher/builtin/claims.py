"""Claims of ordinary textbook prose: sentences that can be asked about without the passage around them.

Each rule turns a sentence into a stem and its answer: the subject of a definite statement, the term of a definition,
the word that brackets explain, an item of a list. Sentences that lean on their neighbours (this, they, however) or
speak of the reader, the course or a figure are left alone: better no question than one that nobody can answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from med_small_lm.teacher.builtin import clauses, directions, naming, numbers, objects, phrases
from med_small_lm.teacher.builtin.kinds import forms_of
from med_small_lm.teacher.builtin.sentences import (
    is_whole,
    plain,
    sentences,
    starts_upper,
    without_article,
)
from med_small_lm.teacher.builtin.terms import BARS, is_plural, is_term, shares_word


@dataclass(frozen=True, slots=True)
class Claim:
    """A question that one sentence answers.

    ``group`` names what sort of answer it is: a term, an object, a list, a phrase of some form, a direction, a number.
    ``statement`` says the claim in one short sentence. ``rank`` orders claims from the soundest kind (0) on; what has
    the rank TOLD is said again and never asked. ``siblings`` would be right as well. ``about`` is what the claim speaks
    of, ``told`` what it says of its answer; ``items`` are those of a list; ``wrong`` are options that it brings itself.
    """

    stem: str
    answer: str
    group: str
    sentence: str
    statement: str
    rank: int = 0
    siblings: tuple[str, ...] = ()
    about: str = ""
    told: str = ""
    items: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


TOLD = 4
"""Rank of claims that would hold for more than their subject."""
LISTED = "list"
_LISTED_MOST = 3

_NAMED = re.compile(
    r"^(?P<what>(?!(?:When|If|As|Because|While|Although|Since|Once)\b)(?:An?|The|[A-Z][a-z]+) .{15,160}?),? "
    r"(?:is|are) (?:often |commonly |also |sometimes |generally |usually )?"
    r"(?:called|known as|termed|referred to as) (?:an? |the )?[“\"]?(?P<term>[\w'’-]+(?: [\w'’-]+){0,3}?)[”\"]?"
    r"(?:[,;:]| (?:and|or|which|because|when|but|in|is|that)\b.*|$)"
)
_ALIAS = re.compile(
    r"^(?:The |An? )?(?P<term>[A-Z][\w'’-]+(?: [\w'’-]+){0,3}), (?:also|commonly|otherwise|more commonly|often|"
    r"sometimes) "
    r"(?:known as|called|referred to as|termed) (?:the |an? )?(?P<alias>[^,]{4,50}?),"
)
_GLOSS = re.compile(
    r"(?<=[\s“])(?P<term>[a-z][a-z-]{6,}) "
    r"\((?P<gloss>(?!see |e\.g|i\.e|also |or |and |such |for |including|formerly|about|approximately|usually|"
    r"an? [a-z]+ (?:and|or) |commonly|signs|symptoms|referred|known|called|formerly|an? \w+ \w+\)|especially|"
    r"in |on |at |from |by |with |to |if |when |due |because|as |caused|related|which|that|at least|per )"
    r"[a-z][a-z ,’'-]{9,70})\)"
)
_TOP = re.compile(
    r"^The (?P<what>(?:[a-z]+ )?(?:most|primary|main|major|largest|smallest|leading|chief|principal|normal|recommended|"
    r"preferred|hallmark|gold standard|longest|outermost|innermost|building|functional)\b[^,;:]{8,110}?) "
    r"(?P<be>is|are) "
    r"(?P<value>(?:the |an? )?[\w'’%/-]+(?: [\w'’%/-]+){0,7})$"
)
_LIST = re.compile(
    r"^(?:The |Common |Typical |Some |Early |Major |Other |Dietary |Food |Good |Rich |Many |Possible |Potential "
    r")*(?P<head>"
    r"(?:clinical )?(?:symptoms|signs|manifestations|sources|functions|complications|causes|components|adverse effects|"
    r"side effects|risk factors|contraindications|types|examples|stages)) (?P<tie>of|for) (?P<of>[^,;:]{3,60}?) "
    r"(?:include|are|can include|may include) (?P<items>[^;:]+)$",
    re.IGNORECASE,
)
_MEANING = re.compile(r"^(?:is|are|refers? to|means|describes) (?P<what>\S+ \S+ \S+ .+)$")
_DECIDED = ("cause", "place", "agent", "mark", "tool", "work", "need", "barred", "effect")
"""Sorts of objects of which a thing has few, so that one of another subject is likely wrong."""
_CLASS = re.compile(r"\b(?:drug|medication|therapy|inhibitor|blocker|agonist|antagonist|agent|brand|trade|name)s?$")
_FORM = re.compile(
    r"\b(?:Drug Class|Drug Dosage|Current Medications|Mechanism of Action|[Dd]os(?:e|age|ing):|Indications?:)"
)
_DOSED = re.compile(
    r"\b(?:dos(?:e|es|age|ing)|administ\w+|infusion|initiat\w+|tablets?|orally|mg|mcg)\b|^(?:Caution|Monitor|"
    r"Assess|Bleeding|Pain)|\bremaining\b"
)
_PARTS = {"structure", "cell", "messenger", "nutrient", "enzyme", "process"}
"""Sorts of things of which a body has one, so that "the" needs nothing before it."""
_KNOWN = re.compile(r"The (?P<word>[a-z]+) (?:is|are|was|were|has|have|can|may|will|should|must|[a-z]+s|[a-z]+ed)\b")
_REGIMEN = re.compile(r"\b(?:at least|daily|once|twice|times|per|weekly|or more|less than)\b")
_TAIL = re.compile(r"(?:,? (?:such as|including|which|that|as well as|because|although|when|but|where|who)\b.*)$")
_HEDGED_ITEM = re.compile(
    r"\b(?:other|others|many|several|various|some|certain|more|etc|all|not|it|they|this|these|you)\b"
)


@lru_cache(maxsize=20_000)
def claims_of(passage: str) -> tuple[Claim, ...]:
    """Return the claims of a passage, the soundest kinds first."""
    person = clauses.case_name(passage)
    found = [
        claim
        for sentence in sentences(passage)
        if not (person and person in sentence)
        for claim in _claims(sentence, passage)
    ]
    return tuple(sorted(found, key=lambda claim: claim.rank))


@lru_cache(maxsize=20_000)
def terms_of(passage: str) -> tuple[str, ...]:
    """Return the terms that a passage speaks of, as wrong options: subjects, listed items, glossed words."""
    claims = claims_of(passage)
    found = [claim.answer for claim in claims if claim.group == "term"]
    found += [item for claim in claims for item in claim.siblings if is_term(item)]
    for sentence in sentences(passage):
        found += [match["term"] for match in _GLOSS.finditer(sentence) if is_term(match["term"])]
        subject = clauses.subject_of(plain(sentence))
        if subject and is_term(subject):
            found.append(naming.inside_sentence(subject, passage))
    return tuple(dict.fromkeys(found))


def _claims(sentence: str, passage: str) -> Iterator[Claim]:
    if not is_whole(sentence):
        return
    text = clauses.standing_alone(plain(sentence))
    text = clauses.without_heading(text)
    if not 5 <= len(text.split()) <= 50 or _FORM.search(text):
        return
    yield from _explained(sentence)
    if "(" in text or ")" in text:
        return  # brackets in brackets
    yield from _named(sentence, text)
    yield from _topped(sentence, text)
    yield from _listed(sentence, text)
    for clause in clauses.clauses(text):
        yield from _subject(clause, sentence, passage)
    if _spoken_of(text):
        return
    for way in phrases.phrases(text):
        said = f"{way.said} {way.answer}."
        yield Claim(way.stem, way.answer, f"phrase:{way.form}", sentence, starts_upper(said), 2, about=way.about)
    for turn in directions.directions(text):
        yield Claim(turn.stem, turn.answer, "direction", sentence, starts_upper(turn.said), 2, wrong=turn.wrong)
    for told in objects.told(text):
        yield from _object(told, sentence)
    yield from _numbered(sentence, text)


def _subject(clause: clauses.Clause, sentence: str, passage: str) -> Iterator[Claim]:
    """Yield a definite statement with its subject as the answer, and a definition with its meaning as the answer."""
    term = naming.inside_sentence(clause.subject, passage)
    said = starts_upper(f"{clause.lead}{clause.article}{term} {clause.predicate}.")
    asked = starts_upper(f"{clause.lead}which of the following {clause.predicate}?")
    rank = clause.rank if clause.rank == 0 or clause.tells_apart else TOLD
    yield Claim(asked, term, "term", sentence, said, rank, told=clause.predicate)
    meaning = _MEANING.match(clause.predicate)
    what = phrases.whole(meaning["what"]) if meaning else ""
    if clause.rank == 0 and meaning and not clause.lead and phrases.is_meaning(what):
        if clause.article == "the " and not forms_of(term) & _PARTS:
            return
        stem = f"Which of the following describes {clause.article}{term}?"
        form = f"phrase:{'are' if clause.predicate.startswith('are ') else 'is'}"
        yield Claim(stem, what, form, sentence, said, 1, about=term)


def _listings(claim: Claim) -> Iterator[Claim]:
    """Yield a list with its first items, and with fewer where that many wrong lists cannot be made."""
    for size in range(min(len(claim.items), _LISTED_MOST), 1, -1):
        items = claim.items[:size]
        yield replace(claim, answer=joined(items), items=items)


def _object(told: objects.Told, sentence: str) -> Iterator[Claim]:
    """Yield a statement with its object as the answer, or with the first of its objects as a list."""
    said = starts_upper(f"{told.said} {joined(told.items)}.")
    if len(told.items) >= 2:
        yield from _listings(
            Claim(told.stem, "", LISTED, sentence, said, 2, told.items, about=told.about, items=told.items)
        )
    else:
        rank = 2 if told.sort in _DECIDED and not told.modal and is_term(told.items[0]) else TOLD
        yield Claim(told.stem, told.items[0], f"object:{told.sort}", sentence, said, rank, about=told.about)


def _explained(sentence: str) -> Iterator[Claim]:
    """Yield what brackets explain: "hemoptysis (coughing up of blood)"."""
    for found in _GLOSS.finditer(sentence):
        term, gloss = found["term"], found["gloss"].strip()
        if (
            len(gloss.split()) < 3
            or " or " in gloss[:20]
            or "," in gloss
            or shares_word(term, gloss)
            or _REGIMEN.search(gloss)
        ):
            continue
        if clauses.leans(gloss) or _CLASS.search(gloss) or term in clauses.VERBS or term.endswith(("ed", "ing", "ly")):
            continue
        # Brackets after a plural name members more often than they explain.
        if is_term(term) and not is_plural(term) and not sentence[: found.start()].endswith(" of"):
            stem = f"Which of the following terms means “{gloss}”?"
            yield Claim(stem, term, "term", sentence, f"{starts_upper(term)} means {gloss}.", 1)


def _named(sentence: str, text: str) -> Iterator[Claim]:
    """Yield terms that a sentence introduces: "A heart rate above 100 … is called tachycardia"."""
    found = _NAMED.match(text)
    if found and not clauses.leans(found["what"]) and not shares_word(found["term"], found["what"]):
        what = naming.inside_sentence(found["what"], text)
        if (
            4 <= len(what.split()) <= 28
            and not re.search(r"^(?:their|its|his|her|a an)\b|,", what)
            and not re.search(r"\b(?:is|are|was|were)\b", what.split(" that ")[0])
        ):
            stem = f"Which of the following is the term for {what}?"
            said = f"{starts_upper(found['term'])} is the term for {what}."
            yield Claim(stem, found["term"], "term", sentence, said, 0)
    alias = _ALIAS.match(text)
    if alias and not shares_word(alias["alias"], alias["term"]) and not clauses.leans(alias["alias"]):
        term = naming.inside_sentence(alias["term"], text)
        said = f"{starts_upper(term)} is also known as {alias['alias']}."
        yield Claim(f"By which other name is {term} known?", alias["alias"], "term", sentence, said, 1)


def _topped(sentence: str, text: str) -> Iterator[Claim]:
    """Yield what is said of the main, largest or most common of something."""
    found = _TOP.match(text)
    if found and not clauses.leans(found["what"] + " " + found["value"]):
        value = without_article(found["value"])
        if len(found["what"].split()) >= 3 and is_term(value) and not shares_word(value, found["what"]):
            stem = f"Which of the following {found['be']} the {found['what']}?"
            said = f"The {found['what']} {found['be']} {found['value']}."
            yield Claim(stem, value, "term", sentence, said, 0)


def _listed(sentence: str, text: str) -> Iterator[Claim]:
    """Yield lists of symptoms, sources, functions and the like."""
    found = _LIST.match(text)
    if found is None or clauses.leans(found["of"]):
        return
    items, of = tuple(list_items(found["items"])), naming.inside_sentence(found["of"], text)
    if len(items) < 2 or any(shares_word(item, of) for item in items):
        return
    what = f"{found['head'].lower()} {found['tie']} {of}"
    said = f"Among the {what} are {joined(items)}."
    stem = f"Which of the following are among the {what}?"
    yield from _listings(Claim(stem, "", LISTED, sentence, said, 1, items, about=of, items=items))


def _numbered(sentence: str, text: str) -> Iterator[Claim]:
    """Yield statements whose one number can be asked for."""
    if (
        text.endswith(":")
        or clauses.leans(text)
        or len(text.split()) > 32
        or len(text.split()) < 7
        or numbers.is_story(text)
        or not _anchored(text)
    ):
        return
    found = numbers.asked_quantity(text)
    if found is not None:
        blank = f"{text[: found.start()]}________{text[found.end() :]}"
        stem = f"Which value completes the statement? {blank}."
        yield Claim(stem, found.group(), f"number:{numbers.unit(found.group())}", sentence, f"{text}.", 3)


def _spoken_of(text: str) -> bool:
    """Return whether a statement is about something that the text before it spoke of: "the nausea", "the diet"."""
    subject = clauses.subject_of(text).split()
    known = _KNOWN.match(text)
    if len(subject) == 1 and not forms_of(subject[0]) - {"process"} and not subject[0].isupper():
        return True  # "overdose", "screening": of what was said before
    name = known["word"] if known else " ".join(subject)
    return text.startswith("The ") and not forms_of(name) & _PARTS if name else False


def _anchored(text: str) -> bool:
    """Return whether a statement names what it is about: a dose its drug, others a term of some sort."""
    if _DOSED.search(text):
        return any(forms_of(word) & {"drug", "drug class", "messenger"} for word in re.findall(r"[\w-]{4,}", text))
    subject = clauses.subject_of(text)
    return any(
        (
            subject != "" and is_term(subject),
            any(forms_of(word) for word in re.findall(r"[\w-]{4,}", text)),
            re.search(r"\b[A-Z]{2,}", text) is not None,
        )
    )


def joined(items: Sequence[str]) -> str:
    """Return an enumeration of items."""
    return ", ".join(items[:-1]) + (f", and {items[-1]}" if len(items) > 2 else f" and {items[-1]}")


def list_items(text: str) -> list[str]:
    """Return the short items of an enumeration, without articles."""
    parts = re.split(r", (?:and |or )?| and (?=[^,]+$)| or (?=[^,]+$)", _TAIL.sub("", text))
    items = [without_article(part.strip()) for part in parts]
    return [
        item for item in items if 1 <= len(item.split()) <= 6 and not _HEDGED_ITEM.search(item) and not BARS.match(item)
    ]
