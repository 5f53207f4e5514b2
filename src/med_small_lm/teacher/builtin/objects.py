"""Statements of ordinary prose that are asked by their object: what something leads to, contains, is treated with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from med_small_lm.teacher.builtin.clauses import VERBS, leans
from med_small_lm.teacher.builtin.naming import inside_sentence
from med_small_lm.teacher.builtin.sentences import starts_upper, without_article
from med_small_lm.teacher.builtin.terms import bars_end, is_plural, is_term, shares_word


@dataclass(frozen=True, slots=True)
class Told:
    """A statement with its objects: ``stem`` asks for them, ``said`` is the statement up to them."""

    stem: str
    said: str
    sort: str
    items: tuple[str, ...]
    about: str
    modal: bool = False


_ADVERB = r"(?:[a-z]+ly |also |often |most )?"
_MODAL = r"(?:can |may |will |might |could |should |must )?"
_SORTS = {
    "effect": r"leads? to|causes?|results? in|contributes? to|triggers?|(?:increases?|raises?) the risk (?:of|for)|"
    r"puts? \w+ at (?:increased |greater )?risk (?:of|for)",
    "cause": r"(?:is|are|be) (?:most \w+ |often )?(?:caused|triggered|brought on) by|results? from|(?:is|are|be) "
    "due to|arises? from",
    "place": r"(?:is|are|be) (?:found|stored|produced|made|located|absorbed|synthesized|formed|housed) (?:in|within)|"
    r"(?:occurs?|takes? place|begins?) (?:in|within)|"
    r"(?:flows?|drains?|empties|empty|opens?|passes|pass|travels?|extends?|attaches|attach|inserts?|connects?|runs?|"
    r"projects?|leads?|moves?|enters?) (?:[a-z]+ly )?(?:into|onto|through|from|within)",
    "agent": r"(?:is|are|be) (?:produced|secreted|regulated|controlled|released|made|synthesized|excreted|"
    "filtered|stored) by|"
    r"(?:is|are) (?:released|secreted|derived) from",
    "tool": r"(?:is|are|be) (?:treated|managed|diagnosed|measured|assessed|confirmed|detected) (?:with|by|using|"
    "through)",
    "barred": r"(?:is|are|be) (?:contraindicated|avoided|used (?:cautiously|with (?:extreme )?caution)) (?:in|"
    r"for|during)"
    r"(?: (?:clients|patients|people|individuals|those|persons) with)?(?: an?)?(?: (?:known|documented))?",
    "need": r"(?:is|are) (?:indicated|approved|prescribed|used|given) (?:for|in|"
    r"to) (?:the )?(?:treat(?:ment of)?|prevent(?:ion of)?|"
    r"manage(?:ment of)?)|(?:is|are) (?:needed|required|necessary|essential|responsible|used|vital|"
    r"critical) (?:for|in)|"
    r"(?:is|are) used to (?:treat|prevent)|helps? (?:to )?(?:prevent|treat)|prevents?|treats?",
    "mark": r"(?:is|are) (?:characterized by|associated with|linked to|composed of|made up of|made of|rich in|"
    "high in)|consists? of|contains?",
    "work": r"stimulates?|inhibits?|promotes?|regulates?|secretes?|produces?|stores?|absorbs?|transports?|"
    "controls?|converts?|"
    r"releases?|provides?|supplies|supply|reduces?|lowers?|decreases?|suppresses|maintains?|supports?",
}
_STATEMENT = re.compile(
    r"^(?P<lead>(?:In|During|After|Before|Among|For|With|Without) [^,;:]{4,50}, )?(?P<subject>[\w'’/-]+(?: "
    r"[\w'’/-]+){0,8}?) "
    rf"(?P<verb>{_MODAL}{_ADVERB}(?:"
    + "|".join(f"(?P<{sort}>{verbs})" for sort, verbs in _SORTS.items())
    + r")) (?P<rest>.+)$"
)
_AMONG = re.compile(
    r"^(?:The |Some |Common |Other |Examples of |Many )?(?P<what>[\w'’-]+(?: [\w'’-]+){1,11}?) (?:include|"
    r"includes|can include|may include|are) "
    r"(?P<rest>[^;:]+,[^;:]+ and [^;:]+)$",
    re.IGNORECASE,
)
_SUCH_AS = re.compile(
    r"(?:^|[\s(])(?P<what>[a-z][a-z-]+ [a-z][a-z-]+s),? such as (?P<rest>(?:[\w'’ -]+, )+(?:and|or) [\w'’-]+(?: "
    r"[\w'’-]+){0,2}|"
    r"[\w'’-]+(?: [\w'’-]+)? (?:and|or) [\w'’-]+(?: [\w'’-]+)?)"
)
_BEFORE = re.compile(
    r"(?:^|[,(] ?|\b(?:with|from|includes?|including|by|are|is|other|and|or|causes?|cause|avoid|treats?|as|eat) )$"
)
_SIGNS = re.compile(
    r"\b(?:symptoms|signs|manifestations|effects|sources|causes|changes|signs and symptoms) (?:of|in|to) [^,;]*$"
)
_GENERIC = re.compile(
    r"^(?:special|particular|certain|bodily|thought|health|long-term|chronic|daily|specific|individual|personal|"
    r"other|social|"
    r"environmental|cultural|important|common|main|new|normal|simple|external|internal|adverse|side|underlying|"
    r"serious|known) "
)
_TAIL = re.compile(
    r"(?:,? (?:such as|including|which|that|as well as|because|although|when|while|but|where|who|if|as|resulting|"
    r"leading|"
    r"causing|making|through|so|to|whereas|since|due to|compared|depending|rather than|known as|called)\b.*|[;:(].*)$"
)
_SPLIT = re.compile(r", (?:and |or )?| and (?=[^,]+$)| or (?=[^,]+$)")
_ITEM_BARS = re.compile(
    r"\b(?:other|others|many|several|various|some|certain|more|etc|all|not|it|its|they|their|this|these|those|"
    r"you|your|both|each|"
    r"is|are|was|were|be|been|has|have|can|may|will|one|two|three|part|following|different|multiple|clients?|number|"
    r"variety|range|things?|factors?|ways?|problems?|issues?|effects?|changes?|levels?|people|individuals?|amounts?|"
    r"complications?|conditions?|symptoms?|disorders?|diseases?|outcomes?|health|process|body|common|important|"
    r"especially)$|"
    r"^(?:of|for|to|in|by|with|from|at|on|the|a|an|how|what|and|or|but|using|having|being|more|less|many|several|"
    r"some|all|not|"
    r"increasing|decreasing|both|either|its|their|his|her|this|these|other|various|different|only|up|about|"
    r"include|includes|responsible|able|likely|approximately|least)\b|"
    r"\b(?:is|are|was|were|has|have|can|may|will|should|must|their|its|they|it|this|these|those|\d+)\b"
)
SUBJECT_BARS = re.compile(
    r"^(?:the )?(?:drugs?|medications?|agents?|dos(?:e|es|age|ing)|combination|procedure|treatments?|therapy|condition|"
    r"disease|disorder|changes?|drug interactions?|variety of .*|process|result|problem|goal|purpose)$|"
    r"\b(?:their|its|his|her)\b|\b(?:symptoms|signs|effects|reactions|cases|forms?|results|complications)$|"
    r"^(?:and|or|but|as|if|when|while|because|since|although|to|of|it|its|this|that|these|those|they|what|how|"
    r"which|there|"
    r"not|all|most|many|some|several|each|both|one|two|three|more|less|once|after|before|by|from|according|"
    r"healthy|good|certain|various|differing|remaining|additional|further|too|sometimes|high|higher|low|lower|specific|"
    r"clients?|people|individuals?|research|studies|evidence|data|lacks?|avoid|includes?|contains?|eat|have|"
    r"consume|different|various|other)\b|"
    r"\b(?:is|are|was|were|has|have|had|that|which|who|can|may|will|should|must|might|could|because|if|when|while|as|"
    r"research|studies|evidence|shown|he|she|client|clients|person|individual)\b|\b(?:to|of|in|for|and|or|the|a|"
    r"an|not|also|by)$",
    re.IGNORECASE,
)


def told(text: str) -> Iterator[Told]:
    """Yield the statements of a sentence that can be asked by their object."""
    yield from _stated(text)
    yield from _among(text)
    for found in _SUCH_AS.finditer(text):
        items = items_of(found["rest"])
        what = found["what"]
        if (
            not _BEFORE.search(text[: found.start("what")])
            or _SIGNS.search(text[: found.start("what")])
            or VERBS & set(what.split())
            or what.startswith("called ")
            or _GENERIC.search(what)
            or shares_word(items[0] if items else what, what)
        ):
            continue  # "sources of fatty acids, such as fish": the examples are of the sources, not of what stands last
        if len(items) >= 2 and not leans(what) and not _ITEM_BARS.search(what) and not SUBJECT_BARS.search(what):
            yield Told(
                f"Which of the following are examples of {what}?", f"Examples of {what} are", "item", items, what
            )


def _stated(text: str) -> Iterator[Told]:
    found = _STATEMENT.match(text)
    if found is None or leans(found["subject"] + " " + (found["lead"] or "")):
        return
    subject = found["subject"]
    if SUBJECT_BARS.search(subject) or len(subject) < 4 or bars_end(subject):
        return
    if not _agrees(subject, found["verb"]):
        return
    if subject.startswith("The ") and is_plural(subject) or " " not in subject and not is_term(subject):
        return
    items = items_of(found["rest"])
    if len(items) == 1 and not re.match(
        r"(?:(?:the|an?) )?" + re.escape(items[0]) + r"(?:,|$)", found["rest"], re.IGNORECASE
    ):
        return  # "protection to the other organs": what was cut off belongs to it
    said = f"{_lead(found)}{subject if not found['lead'] else inside_sentence(subject, '')} {found['verb']}"
    if items and not shares_word(items[0], said):
        about = re.sub(r"^(?:The|An?) ", "", subject)
        modal = re.match(_MODAL[:-1], found["verb"]) is not None
        yield Told(
            starts_upper(f"{said} which of the following?"), starts_upper(said), _sort(found), items, about, modal
        )


def _among(text: str) -> Iterator[Told]:
    """Yield lists: "foods that contain vitamin D include trout, eggs, and milk"."""
    found = _AMONG.match(text)
    if found is None or leans(found["what"]):
        return
    what, items = inside_sentence(found["what"], ""), items_of(found["rest"])
    head = re.split(r" (?:that|of|for|in|to|with|from|who)\b", what)[0]
    # "Adverse effects include …" says of what only in the sentence before.
    if (
        len(items) >= 2
        and head != what
        and is_plural(head)
        and not SUBJECT_BARS.search(found["what"].replace(" that ", " "))
    ) and not shares_word(items[0], what):
        yield Told(f"Which of the following are among the {what}?", f"Among the {what} are", "item", items, what)


def items_of(text: str) -> tuple[str, ...]:
    """Return the short objects of a statement, without articles; none if the first is no plain noun phrase."""
    parts = [without_article(part.strip()) for part in _SPLIT.split(_TAIL.sub("", text))]
    good = list(takewhile(_is_item, parts))
    if good and len(good) > 1 and bars_end(good[0]):
        return ()  # "significant and sometimes fatal bleeding" is no list
    return () if leans(" ".join(good)) else tuple(good)


def _is_item(part: str) -> bool:
    """Return whether a part of an enumeration is a short noun phrase."""
    fits = len(part.split()) <= 6 and len(part) > 3
    first, *others = part.split()[:-1] or [""]
    clause = first in VERBS or any(word in VERBS and word.endswith("s") for word in others)
    return fits and not clause and not re.search(r" (?:and|or) ", part) and not _ITEM_BARS.search(part)


def _agrees(subject: str, verb: str) -> bool:
    """Return whether verb and subject agree in number; a noun that looks like a verb ("immediate release") does not."""
    verb = re.sub(r"^(?:[a-z]+ly|also|often|most) ", "", verb)
    if re.match(r"(?:can|may|will|might|could|should|must) ", verb):
        return True
    first = verb.split()[0]
    singular = first == "is" or (first not in ("are", "be") and first.endswith("s") and not first.endswith("ss"))
    return singular != (is_plural(subject) or " and " in subject)


def _lead(found: re.Match[str]) -> str:
    return inside_sentence(found["lead"], "") if found["lead"] else ""


def _sort(found: re.Match[str]) -> str:
    return next(sort for sort in _SORTS if found[sort])
