"""Claims of ordinary textbook prose: sentences that can be asked about without the passage around them.

Each rule turns a sentence into a stem and its answer: the subject of a definite statement, the term of a definition,
the word that brackets explain, an item of a list. Sentences that lean on their neighbours (this, they, however) or
speak of the reader, the course or a figure are left alone: better no question than one that nobody can answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from med_small_lm.teacher.builtin import clauses, naming, numbers, objects
from med_small_lm.teacher.builtin.sentences import (
    plain,
    sentences,
    starts_upper,
    without_article,
)
from med_small_lm.teacher.builtin.terms import BARS, is_plural, is_term, shares_word


@dataclass(frozen=True, slots=True)
class Claim:
    """A question that one sentence answers.

    ``group`` names what sort of answer it is: wrong options come from the same group. ``statement`` says the claim in
    one short sentence. ``rank`` orders claims from the soundest kind (0) on. ``siblings`` would be right as well.
    """

    stem: str
    answer: str
    group: str
    sentence: str
    statement: str
    rank: int = 0
    siblings: tuple[str, ...] = ()


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
    r"especially|in |on |at |from |by |with |to |if |when |due |because|as |caused|related|which|that|at least|per )"
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
    r"side effects|risk factors|contraindications|types|examples|stages)) (?:of|for) (?P<of>[^,;:]{3,60}?) "
    r"(?:include|are|can include|may include) (?P<items>[^;:]+)$",
    re.IGNORECASE,
)
_PLACED = re.compile(
    r"^(?P<of>[A-Z][\w'’-]+(?: [\w'’-]+){0,3}) (?:is|are) (?:commonly |primarily |mainly |mostly |naturally |"
    r"abundantly )?"
    r"(?P<how>found in|produced in|produced by|secreted by|stored in|made in|synthesized in|absorbed in|located in|"
    r"composed of|made of|made up of|caused by|transmitted by|treated with|excreted by|metabolized in|metabolized by|"
    r"derived from|released by|released from) (?P<items>[^;:]+)$"
)
_FORM = re.compile(
    r"\b(?:Drug Class|Drug Dosage|Current Medications|Mechanism of Action|[Dd]os(?:e|age|ing):|Indications?:)"
)
_REGIMEN = re.compile(r"\b(?:at least|daily|once|twice|times|per|weekly|or more|less than)\b")
_TAIL = re.compile(r"(?:,? (?:such as|including|which|that|as well as|because|although|when|but|where|who)\b.*)$")
_SINGULAR = {"symptoms": "symptom", "signs": "sign", "manifestations": "manifestation", "sources": "source",
             "functions": "function", "complications": "complication", "causes": "cause", "components": "component",
             "effects": "effect", "factors": "factor", "contraindications": "contraindication", "types": "type",
             "examples": "example", "stages": "stage"}  # fmt: skip
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
    text = clauses.standing_alone(plain(sentence))
    if not 5 <= len(text.split()) <= 50 or "|" in text or _FORM.search(text):
        return
    yield from _explained(sentence)
    yield from _named(sentence, text)
    yield from _topped(sentence, text)
    yield from _listed(sentence, text)
    for clause in clauses.clauses(text):
        yield _subject(clause, sentence, passage)
    for told in objects.told(text):
        said = f"{told.said} {told.items[0]}."
        yield Claim(told.stem, told.items[0], f"object:{told.sort}", sentence, said, 2, told.items)
    yield from _numbered(sentence, text)


def _subject(clause: clauses.Clause, sentence: str, passage: str) -> Claim:
    """Return a definite statement with its subject as the answer: "Which of the following stimulates …?"."""
    term = naming.inside_sentence(clause.subject, passage)
    said = f"{clause.lead}{clause.article}{term} {clause.predicate}."
    asked = f"{clause.lead}which of the following {clause.predicate}?"
    return Claim(starts_upper(asked), term, "term", sentence, starts_upper(said), clause.rank)


def _explained(sentence: str) -> Iterator[Claim]:
    """Yield what brackets explain: "hemoptysis (coughing up of blood)"."""
    for found in _GLOSS.finditer(sentence):
        term, gloss = found["term"], found["gloss"].strip()
        if len(gloss.split()) < 2 or gloss.count(",") > 1 or shares_word(term, gloss) or _REGIMEN.search(gloss):
            continue
        if clauses.leans(gloss):
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
        if 4 <= len(what.split()) <= 28 and not re.search(r"\b(?:is|are|was|were)\b", what.split(" that ")[0]):
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
        if is_term(value) and not shares_word(value, found["what"]):
            stem = f"Which of the following {found['be']} the {found['what']}?"
            said = f"The {found['what']} {found['be']} {found['value']}."
            yield Claim(stem, value, "term", sentence, said, 0)


def _listed(sentence: str, text: str) -> Iterator[Claim]:
    """Yield items of a list of symptoms, sources, functions and the like, and where things are found or made."""
    found = _LIST.match(text)
    if found and not clauses.leans(found["of"]):
        items, of = list_items(found["items"]), naming.inside_sentence(found["of"], text)
        head = " ".join(_SINGULAR.get(word, word) for word in found["head"].lower().split())
        what = f"{'an' if head[0] in 'aeiou' else 'a'} {head} of {of}"
        for item in items[:2]:
            if not shares_word(item, what):
                said = f"{starts_upper(item)} is {what}."
                yield Claim(f"Which of the following is {what}?", item, "item", sentence, said, 1, tuple(items))
    found = _PLACED.match(text)
    if found and is_term(found["of"]) and not clauses.leans(found["items"]):
        items, of = list_items(found["items"]), naming.inside_sentence(found["of"], text)
        said = f"{starts_upper(of)} {'are' if is_plural(of) else 'is'} {found['how']}"
        for item in items[:1]:
            stem = f"{said} which of the following?"
            yield Claim(stem, item, found["how"], sentence, f"{said} {item}.", 1, tuple(items))


def _numbered(sentence: str, text: str) -> Iterator[Claim]:
    """Yield statements whose one number can be asked for."""
    if (
        text.endswith(":")
        or clauses.leans(text)
        or len(text.split()) > 32
        or len(text.split()) < 7
        or numbers.is_story(text)
    ):
        return
    found = numbers.only_quantity(text)
    if found is not None:
        blank = f"{text[: found.start()]}________{text[found.end() :]}"
        stem = f"Which value completes the statement? {blank}."
        yield Claim(stem, found.group(), f"number:{numbers.unit(found.group())}", sentence, f"{text}.", 3)


def list_items(text: str) -> list[str]:
    """Return the short items of an enumeration, without articles."""
    parts = re.split(r", (?:and |or )?| and (?=[^,]+$)| or (?=[^,]+$)", _TAIL.sub("", text))
    items = [without_article(part.strip()) for part in parts]
    return [
        item for item in items if 1 <= len(item.split()) <= 6 and not _HEDGED_ITEM.search(item) and not BARS.match(item)
    ]
