"""What in a text may tell who a patient is: found by patterns, without a download; names only by the user's model.

The kinds are those of the Safe Harbor list (45 CFR 164.514(b)(2)) that have a form of their own: dates more exact than
a year, ages over 89, telephone and fax numbers, e-mail and web and IP addresses, record, account, plan and social
security numbers, streets and postal codes behind a place. Names have no form: they are looked for only by a ``Namer``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from med_small_lm.schemas.rows import Verdict

PHI = "phi"
NAME = "name"

Namer = Callable[[str], Iterable[tuple[int, int]]]
"""Returns where names of people stand in a text, as (start, end): the user's own model."""

_MONTH = (
    r"(?:jan(?:uary|vier|uar)?|feb(?:ruary|ruar)?|f[ée]v(?:rier)?|mar(?:ch|s|zo)?|märz|apr(?:il)?|avril|abril|may|mai|"
    r"mayo|june?|juin|juni|junio|july?|juillet|juli|julio|aug(?:ust)?|ao[uû]t|agosto|sept?(?:ember|embre|iembre)?|"
    r"o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|de[cz](?:ember)?|d[ée]c(?:embre)?|dic(?:iembre)?|"
    r"enero|febrero)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NUMBER = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:1[89]|20)\d\d"
_STREET = (
    r"(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|way|highway|"
    r"hwy|parkway|pkwy|crescent)"
)
_ID = r"(?=[\w-]*\d)[A-Z\d][A-Z\d-]{3,}\b"  # a code holds a digit
_NUMBERED = r"\s*(?:(?:number|no|num|nr|id)\b\.?\s*(?:is\s+)?[:#=]?|#)\s*"  # "case 1200" alone is a count,
_LABEL = rf"(?:{_NUMBERED}|\s*[:=]\s*)"  # and "Patient: 1000 mg?" is who speaks

_PATTERNS: dict[str, str] = {
    "e-mail": r"(?i)\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b",
    "web address": r"(?i)\b(?:https?://|www\.)[^\s<>()]+[^\s<>().,;:]",
    "ip address": r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])",
    "social security number": (
        r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"
        rf"|(?i:\b(?:ssn|social security)(?:{_LABEL}|\s+))\d{{9}}\b"
    ),
    "telephone": (
        r"(?<![\w./-])(?:\+\d{1,3}[ .-]?|1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\d-])"  # 555-123-4567
        r"|(?<![\w.])\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}(?!\d)"  # +44 20 7946 0958
        r"|(?<![\w.,/-])0[1-9](?:[ .-]\d{2}){4}(?![\d-])"  # 01 23 45 67 89
        r"|(?i:\b(?:tel|phone|telephone|cell|mobile|fax|pager|call(?: me| us| him| her)?(?: at| on))\b\.?"
        r"(?: (?:number|no))?\.?(?: is)?[ :]*\+?\(?\d(?:[\d ().-]{5,}\d))"
    ),
    "record number": (
        rf"(?i:\bmrn\b(?:{_LABEL}|\s+)|\b(?:patient|case){_NUMBERED}"
        rf"|\b(?:medical record|hospital|chart|record|encounter|accession|file){_LABEL}){_ID}"
    ),
    "account number": (
        rf"(?i:\b(?:account|acct|insurance|policy|health plan|member|beneficiary|licen[cs]e|passport|nhs|medicare|"
        rf"medicaid|serial){_LABEL}){_ID}"
    ),
    "date": (
        rf"(?i)\b(?:{_DAY}(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?{_MONTH}(?:,?\s+(?:de\s+)?{_YEAR})?(?!\w)"
        rf"|{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?\b(?!\s*(?:%|mg|ml|g|patients|cases))(?:,?\s+{_YEAR}\b)?"
        rf"|{_MONTH},?\s+{_YEAR}\b"
        rf"|{_YEAR}-{_NUMBER}-{_DAY}\b"
        rf"|(?:{_DAY}([/.-]){_NUMBER}|{_NUMBER}([/.-]){_DAY})(?:\1|\2){_YEAR}\b"
        rf"|(?:{_DAY}/{_NUMBER}|{_NUMBER}/{_DAY})/\d\d\b)"
    ),
    "age over 89": (
        r"(?i)\b(?:9\d|1[01]\d)(?=[ -](?:years?|yrs?)[ -]old\b|[ -]?y/?o\b)|\baged? (?:9\d|1[01]\d)\b(?! ?%)"
    ),
    "address": (
        rf"\b\d{{1,5}} (?:[NSEW]\.? )?(?:[A-Z][\w'.-]+ ){{1,3}}(?i:{_STREET})\b\.?"
        r"|\b\d{1,4},? (?:rue|avenue|boulevard|place|calle|avenida) (?:de |du |des |la |le )*[A-Z][\w'-]+"
        r"|\b[A-Z][a-zäöü]+(?:straße|strasse|weg|platz) \d{1,4}\b"
        r"|(?i:\bp\.? ?o\.? box \d+)"
        r"|\b[A-Z][a-z]+,? [A-Z]{2} \d{5}(?:-\d{4})?\b"
    ),
}
_RECOGNISERS = {kind: re.compile(pattern) for kind, pattern in _PATTERNS.items()}
_HINT = re.compile(r"\d|@|www\.|://")  # what has none of these holds nothing that a pattern finds
_MAY = re.compile(r"\bmay\s+\d|\d\s+may\b(?!\s+\d{4})|\bmar(?:ch|s)\s+\d{1,2}\b(?!,?\s+\d{4})")
"""Words that are months only with a capital: "may 10 patients", "march 3 times"."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of a text that may identify somebody: its kind, and where it stands."""

    kind: str
    start: int
    end: int


def looked_for(names_model: str = "") -> str:
    """Return what is looked for and by what, as a report has to say it beside the count: names or no names."""
    names = f"names by {names_model}" if names_model else "names have no form and were not looked for"
    return f"by their form {', '.join(_RECOGNISERS)}; {names}"


def findings(text: str, names: Namer | None = None) -> list[Finding]:
    """Return what may identify somebody, in the order of the text, none inside another."""
    found = [
        Finding(kind, *match.span())
        for kind, pattern in (_RECOGNISERS.items() if _HINT.search(text) else ())
        for match in pattern.finditer(text)
        if not (kind == "date" and _MAY.match(match.group()))
    ]
    found += [Finding(NAME, start, end) for start, end in (names(text) if names else ())]
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[Finding] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def phi(texts: Sequence[str], names: Namer | None = None) -> Verdict:
    """Return whether texts hold nothing that may identify somebody.

    The value is how many findings there are; the reason names their kinds, never what they say.
    """
    found = [one.kind for text in texts for one in findings(text, names)]
    said = ", ".join(f"{kind} {found.count(kind)}" for kind in dict.fromkeys(found))
    return Verdict(PHI, "fail" if found else "pass", float(len(found)), said)
