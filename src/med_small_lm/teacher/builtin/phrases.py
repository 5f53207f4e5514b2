"""Statements that are asked by their last phrase: what something is used for, by which means, and when it occurs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from med_small_lm.teacher.builtin.clauses import VERBS, leans
from med_small_lm.teacher.builtin.naming import inside_sentence
from med_small_lm.teacher.builtin.objects import SUBJECT_BARS
from med_small_lm.teacher.builtin.sentences import starts_upper
from med_small_lm.teacher.builtin.terms import bars_end, is_plural, shares_word


@dataclass(frozen=True, slots=True)
class Phrase:
    """A statement with its last phrase: ``form`` is how such phrases begin, ``about`` the subject."""

    stem: str
    answer: str
    form: str
    about: str
    said: str


_SUBJECT = r"^(?P<article>The |An? )?(?P<subject>[\w'’/-]+(?: [\w'’/-]+){0,4}?)"
_HOW = r"(?:[a-z]+ly |also |often |sometimes |most \w+ )?"
_PURPOSE = re.compile(
    rf"{_SUBJECT} (?P<be>is|are|can be|may be) {_HOW}(?P<verb>used|given|prescribed|indicated|administered|performed|"
    rf"needed|taken) {_HOW}(?P<answer>(?:to|for|in the treatment of|as) .+)$"
)
_MEANS = re.compile(
    rf"{_SUBJECT} (?P<predicate>(?!(?:is|are|was|were|can|may|should|must) be\b)[a-z]+ [a-z][^,;:]{{3,90}}?) "
    r"(?P<answer>by (?:[a-z]+ly )?[a-z]{3,}ing (?!to\b).+)$"
)
_WHEN = re.compile(
    rf"{_SUBJECT} (?P<verb>occurs?|develops?|arises?|happens?|results?|begins?|appears?) {_HOW}"
    r"(?P<answer>(?:when|if|as a result of|because of|after|during) .+)$"
)
_BARRED = re.compile(
    rf"{_SUBJECT} (?P<verb>(?:is|are) {_HOW}contraindicated|(?:should|must) (?:not )?be (?:avoided|"
    rf"used (?:cautiously|with "
    r"(?:caution|extreme caution))|(?:used|given|administered|taken)(?= (?:in|by))))"
    r" (?P<answer>(?:in|for|by|during) .+)$"
)
_EFFECT = re.compile(
    rf"{_SUBJECT} (?P<predicate>{_HOW}(?:causes?|produces?|leads? to|results? in|prevents?)) "
    r"(?P<answer>.+)$"
)
_END = re.compile(
    r"(?:;|:|,? (?:which|although|while|whereas|so that|though|unless|but|however|because|since|thereby|thus|"
    r"resulting|leading|making|causing|allowing|where|whose|"
    r"and (?:is|are|it|they|can|may|has|have|should|must|was|were|therefore|[a-z]+s (?:the|a|an|to|in|with))|"
    r"and (?=[a-z]+(?:es|ed) (?:the|a|an|to|in|with)\b)|such as|including|as well as)\b).*$|,$"
)
_FORMS = (("to", _PURPOSE), ("barred", _BARRED), ("by", _MEANS), ("when", _WHEN), ("effect", _EFFECT))
_WORDS = (3, 16)
_MEANING_WORDS = 5
_RELATIVE = re.compile(r" (?:that|which|who|whose|where|when)\b")
_MODIFIED = re.compile(
    r" (?:that|which|who|where|when|of|in|for|from|with|used|between|to|on|caused|characterized|produced|made|"
    r"located|found|by|involving|containing)\b"
)
_AUXILIARIES = frozenset("is are was were has have can may must should will could would might do does did be".split())
_VERBS = VERBS | _AUXILIARIES
_GENERAL = re.compile(
    r"\b(?:effect|effects|concern|part|way|role|result|goal|step|issue|example|need|use|thing|things|mechanism|"
    r"variety|number)$"
)
_OWN = re.compile(r"\b(?:their|its|his|her|it|they|them)\b")
_VAGUE = re.compile(
    r"\b(?:various|varying|different|several|many|certain|practice|needs|reasons|purposes|conditions|situations)\b"
)
_OPEN_END = re.compile(
    r"\b(?:or|and|the|an?|of|to|in|with|for|by|from|on|is|are|that|when|very|more|most|also|than|not)$"
)
_WHOM = (
    r"(?:clients|patients|people|individuals|adults|those|children|women|persons) (?:with|who|taking|receiving) "
    r"[^,;:|]{5,90}"
)
_LOOSE = tuple(
    (form, re.compile(rf"{pattern}(?=[,;:|]|$)"))
    for form, pattern in (
        ("is", r"(?:\b(?:is|refers to|called|means|remains)|(?<=[a-z]),) (?P<phrase>(?:an?|the) [^,;:|]{15,110})"),
        (
            "are",
            r"\b(?:are|refers? to|include) (?P<phrase>(?!(?:the|an?|also|not|more|most|less) )"
            r"[a-z-]+(?: [a-z-]+)? (?:that|which|of|used|for|in) [^,;:|]{10,100})",
        ),
        ("by by", r"(?P<phrase>\bby (?:[a-z]+ly )?[a-z]{3,}ing (?!to\b)[^,;:|]{8,90})"),
        (
            "to to",
            r"\b(?:used|given|indicated|needed|required|order|helps?|administered|prescribed|able|necessary) "
            r"(?P<phrase>to [a-z]+ [^,;:|]{6,90})",
        ),
        (
            "to for",
            r"\b(?:used|given|indicated|prescribed|approved|needed|necessary|recommended|essential) "
            r"(?P<phrase>for [^,;:|]{8,80})",
        ),
        (
            "to in",
            r"\b(?:used|given|indicated|prescribed|approved|needed|effective) (?P<phrase>in (?:the )?[^,;:|]{8,80})",
        ),
        ("to as", r"\b(?:used|given|indicated|prescribed|known|serves?|acts?) (?P<phrase>as an? [^,;:|]{8,80})"),
        ("when when", r"(?P<phrase>\bwhen [^,;:|]{12,90})"),
        ("when after", r"(?P<phrase>\bafter [^,;:|]{12,90})"),
        ("when during", r"(?P<phrase>\bduring [^,;:|]{12,90})"),
        ("when as", r"(?P<phrase>\bas a result of [^,;:|]{8,90})"),
        (
            "barred in",
            rf"(?P<phrase>\bin {_WHOM})",
        ),
        (
            "barred for",
            rf"(?P<phrase>\bfor {_WHOM})",
        ),
        (
            "barred by",
            rf"(?P<phrase>\bby {_WHOM})",
        ),
        ("effect", r"\b(?:causes?|produces?|leads? to|results? in|prevents?) (?P<phrase>[^,;:|]{12,90})"),
        ("when because", r"\b(?P<phrase>because of [^,;:|]{8,90})"),
    )
)


def phrases(text: str) -> Iterator[Phrase]:
    """Yield the statements of a sentence that can be asked by their last phrase."""
    for form, pattern in _FORMS:
        found = pattern.match(text)
        if found is None:
            continue
        subject, answer = found["subject"], _END.sub("", found["answer"]).strip()
        if not _sound(found, subject, answer):
            continue
        if form == "effect" and "," in answer:
            continue  # a list is asked for as one
        name = f"{(found['article'] or '').lower()}{inside_sentence(subject, text)}"
        stem, said = _asked(form, found, name)
        if not shares_word(answer, subject):
            kind = form if form == "effect" else f"{form} {answer.split()[0]}"
            yield Phrase(starts_upper(stem), answer, kind, subject, said)
        return


@lru_cache(maxsize=50_000)
def loose(text: str) -> tuple[tuple[str, str], ...]:
    """Return the phrases of a sentence with their forms, whatever it says them of: they are wrong of other things."""
    found = []
    for form, pattern in _LOOSE:
        for match in pattern.finditer(text):
            phrase = _END.sub("", match["phrase"]).strip()
            if _is_whole(phrase) and not leans(phrase) and _fits(form, phrase):
                found.append((form, phrase))
    return tuple(found)


def whole(phrase: str) -> str:
    """Return a phrase up to where the next statement begins."""
    return _END.sub("", phrase).strip()


def is_meaning(phrase: str) -> bool:
    """Return whether a phrase says what something is: a noun with what tells it apart, and no statement of its own."""
    head = _MODIFIED.split(phrase, maxsplit=1)
    plain = _RELATIVE.split(phrase, maxsplit=1)[0].lower().split()
    return (
        len(head) == 2
        and len(phrase.split()) >= _MEANING_WORDS
        and not _VERBS & set(head[0].lower().split())
        and not _AUXILIARIES & set(plain)
        and not _GENERAL.search(head[0])
    )


def _fits(form: str, phrase: str) -> bool:
    """Return whether a phrase found anywhere may stand as one of its form."""
    if form in ("is", "are"):
        head = re.sub(r"^(?:an?|the) ", "", _MODIFIED.split(phrase, maxsplit=1)[0])
        return is_meaning(phrase) and not bars_end(head) and (form == "is" or is_plural(head))
    return form.startswith(("by ", "to to", "when when")) or not _VERBS & set(phrase.split())


def _asked(form: str, found: re.Match[str], name: str) -> tuple[str, str]:
    """Return the question, and the statement up to the phrase."""
    if form == "to":
        be, verb = found["be"].split(), found["verb"]
        asked = f"{be[0]} {name} {' '.join([*be[1:], verb])}"
        return f"For which of the following {asked}?", f"{name} {found['be']} {verb}"
    if form == "by":
        said = f"{name} {found['predicate']}"
        return f"{said} by which of the following means?", said
    if form == "effect":
        said = f"{name} {found['predicate']}"
        return f"{said} which of the following?", said
    if form == "barred":
        be, _, rest = found["verb"].partition(" ")
        return f"In which of the following cases {be} {name} {rest}?", f"{name} {found['verb']}"
    verb = found["verb"].rstrip("s") if not is_plural(found["subject"]) else found["verb"]
    does = "do" if is_plural(found["subject"]) else "does"
    return f"In which of the following circumstances {does} {name} {verb}?", f"{name} {found['verb']}"


def _sound(found: re.Match[str], subject: str, answer: str) -> bool:
    """Return whether subject and phrase stand on their own, and the phrase is whole."""
    said = found.groupdict().get("predicate") or ""
    if SUBJECT_BARS.search(subject) or bars_end(subject) or leans(f"{subject} {said} {answer}") or len(subject) < 4:
        return False
    if found["article"] == "The " and is_plural(subject):
        return False
    return _is_whole(answer) and not _OWN.search(said) and not _VAGUE.search(answer)


def _is_whole(phrase: str) -> bool:
    """Return whether a phrase has a fit length, ends in a word that may end it, and names no owner but itself."""
    low, high = _WORDS
    return low <= len(phrase.split()) <= high and not _OPEN_END.search(phrase) and not _OWN.search(phrase)
