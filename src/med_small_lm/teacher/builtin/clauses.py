"""Clauses of ordinary prose: subject and predicate of statements that stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from med_small_lm.teacher.builtin.naming import inside_sentence
from med_small_lm.teacher.builtin.terms import bars_end, is_plural, is_term, shares_word


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement: ``lead`` is an adverbial with its comma, ``article`` that of the subject; both may be empty.

    ``rank`` is 0 for a definition; ``tells_apart`` says that the predicate likely holds for this subject alone.
    """

    subject: str
    predicate: str
    lead: str = ""
    article: str = ""
    rank: int = 2
    tells_apart: bool = False


_LEANS = re.compile(
    r"\b(?:this|these|those|such|it|they|them|he|she|his|her|we|us|our|you|your|i|former|latter|above|below|following|"
    r"previous|previously|earlier|here|therefore|however|thus|another|other|others|additionally|furthermore|moreover|"
    r"chapter|section|figure|table|unit|module|learn|discussed|similarly|respectively|there|ones|"
    r"nurses?|students?|author|textbook|recent|recently|today|currently|who|example|as well)\b|\?|figure/|[“”\"]",
    re.IGNORECASE,
)
_OPENERS = re.compile(
    r"^(?:In addition|However|Additionally|Furthermore|Moreover|Therefore|Thus|Also|Finally|Overall|Similarly|"
    r"Generally|"
    r"Typically|Specifically|Consequently|In general|As a result|In contrast|Conversely|Unfortunately|"
    r"Importantly|Often|"
    r"Usually|Normally|In fact|Likewise|Accordingly|For example|For instance|Notably|Traditionally|Essentially|First|"
    r"Second|Third|Lastly|Nevertheless|On the other hand|As mentioned|As a reminder), (?=\S)|^(?:However|"
    r"Therefore|Thus|Also) (?=\S)"
)
_DROPPED = re.compile(
    r"\b(?:also|therefore|thus|however|then|generally|typically|usually|often|additionally),? (?=[a-z])"
)
_S_VERBS = (
    "is|was|refers to|means|describes|consists of|comprises|contains|includes|stimulates|regulates|produces|converts|"
    "transports|stores|secretes|releases|controls|inhibits|prevents|causes|promotes|protects|enables|facilitates|"
    "breaks down|binds|absorbs|measures|connects|helps|acts as|acts on|serves as|plays|occurs|results in|results from|"
    "develops|involves|provides|maintains|reduces|increases|decreases|lowers|delivers|carries|synthesizes|metabolizes|"
    "surrounds|separates|requires|begins|supplies|blocks|treats|affects|allows|removes|filters|supports|forms|makes|"
    "covers|lines|receives|sends|detects|raises|relaxes|contracts|attaches|activates|suppresses|impairs|leads to|has|"
    "arises|lies|functions|slows|creates|accelerates|enhances|assists|aids|contributes to|speeds|strengthens|weakens|"
    "damages|destroys|kills|triggers|initiates|mediates|modulates|coordinates|balances|boosts|ensures|assesses|"
    "evaluates|"
    "determines|indicates|reflects|represents|covers|extends|travels|passes|enters|digests|ferments|neutralizes|"
    "emulsifies|lubricates|moistens|dissolves|excretes|eliminates|improves|worsens|interferes with|depends on|"
    "relies on|"
    "works|targets|reverses|delays|dilates|constricts|stabilizes|repairs|replaces|restores|combines|interacts with"
)
_PLAIN = {"is": "are", "was": "were", "has": "have", "carries": "carry", "supplies": "supply", "passes": "pass"}
_MODAL = r"(?:can|may|will|must|should|might|cannot)"
_ADVERB = r"(?:[a-z]+ly |also |often |not )?"


def _plain_verb(verb: str) -> str:
    first, _, rest = verb.partition(" ")
    stripped = _PLAIN.get(first) or (first[:-2] if first.endswith(("sses", "xes", "shes", "ches")) else first[:-1])
    return f"{stripped} {rest}".strip()


_SINGULAR_VERB = rf"(?:{_S_VERBS})"
_PLURAL_VERB = "(?:" + "|".join(_plain_verb(verb) for verb in _S_VERBS.split("|")) + ")"
_MORE_VERBS = (
    "induces|includes|confers|exerts|appears|remains|becomes|takes|gives|uses|shows|needs|keeps|wants|manages|"
    "exacerbates|potentiates"
)
VERBS = frozenset(
    verb for form in f"{_S_VERBS}|{_MORE_VERBS}".split("|") for verb in (form, _plain_verb(form)) if " " not in verb
)
"""Verbs of statements, in singular and plural."""
_VERB = rf"{_ADVERB}(?:{_MODAL} (?:also )?(?:be|{_PLURAL_VERB})|{_SINGULAR_VERB}|{_PLURAL_VERB})"
_CLAUSE = re.compile(
    rf"^(?P<article>The |An? )?(?P<subject>[\w'’/-]+(?: [\w'’/-]+){{0,4}}?)"
    rf"(?:, (?:also |commonly |often |sometimes )?(?:known as|called|referred to as|or) [^,]+,)?"
    rf" (?P<verb>{_VERB}) (?P<rest>.+)$"
)
_RELATIVE = re.compile(
    rf"(?:^|\b(?:called|is|are) )(?P<article>[Tt]he |[Aa]n? "
    rf")?(?P<subject>[\w'’/-]+(?: [\w'’/-]+){{0,2}}), which (?P<verb>{_VERB}) (?P<rest>[^,;:]+)[,;]?"
)
_APPOSED = re.compile(
    r"^(?P<article>The |An? )?(?P<subject>[\w'’/-]+(?: [\w'’/-]+){0,3}), (?P<rest>(?:an?|the) [^,;:]{18,110}), "
    r"(?:\w+ly )?"
    rf"(?:{_VERB})\b"
)
_CUT = re.compile(
    r"(?:;|:|,? (?:although|whereas|while|because|but|so that|since|though|unless|resulting in|leading to)\b|"
    r",? (?:such as|including)|, (?:so|and|or|which|making|resulting|leading|causing|especially|particularly|"
    r"as well as|"
    r"allowing|helping|with)\b|, )"
)
_BE_PREDICATE = re.compile(
    r"^(?:an?|the|one of the|[a-z]+(?:ed|made|found|known|given|bound|built|born)|made|found|located|composed|[a-z]+s) "
)
_VAGUE = re.compile(
    r"\b(?:important|essential|vital|critical|beneficial|recommended|helpful|necessary|useful|significant|"
    r"overall|impact|"
    r"considered|various|several|many|multiple|different|appropriate|key|crucial|commonly used|effective|linked|"
    r"positive|"
    r"negative|possible|a concern|important time|required to|based on|used to|health outcomes|quality of life|"
    r"well-being|wellness|common|millions|worldwide|popular|widely|well-known|identified)\b",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"(?P<heading>[A-Z][\w-]+(?: [\w-]+){0,3}) (?P=heading)\b", re.IGNORECASE)
_RUN_IN = re.compile(r"^(?:[A-Z][\w-]+ (?:(?:and|of|the|for|in|to) )*){1,6}(?=(?:The|An?|If|When|In) [a-z])")
_LOOSE = re.compile(
    r"(?:[a-z]+ly |also |often )?(?:causes?|cause|increases?|decreases?|reduces?|lowers?|affects?|requires?|has|"
    r"have|provides?|helps?|"
    r"improves?|leads? to|contributes? to|results? in|interferes? with|interacts? with|includes?|occurs?|involves?|"
    r"(?:is|are) (?:a |an )?(?:common|commonly|used|often|given|prescribed|associated|available|recommended|"
    r"contraindicated|indicated|administered|not|generally|usually|typically|found|known|metabolized|excreted))\b"
)
_UNIQUE = re.compile(
    r"\bthe (?:only|most|first|main|major|primary|largest|smallest|longest|principal|chief|outermost|innermost)\b"
)
_FEW = frozenset("with from that which into through their between within during including called when".split())
_TELLING, _TELLING_LOOSE = 4, 6
"""Fewest content words of a predicate that likely holds for one subject alone."""
_LEAD = re.compile(
    r"^(?P<lead>(?:In|During|Within|After|Before|At|On|Under|For|Among|With|Without|If|When) [^,;:]{4,60}), "
    r"(?P<rest>[a-zA-Z].+)$"
)
_CASE = re.compile(r"\b([A-Z][a-z]+)(?: [A-Z][a-z]+)?(?:,| is) an? \d+-(?:year|month|week)-old")


def leans(text: str) -> bool:
    """Return whether a text needs its neighbours, or speaks of readers and figures."""
    return _LEANS.search(text) is not None


def standing_alone(text: str) -> str:
    """Return a sentence without the openers and adverbs that only tie it to the sentence before."""
    opened = _OPENERS.sub("", text, count=1)
    text = _DROPPED.sub("", opened)
    return text[:1].upper() + text[1:]


def without_heading(text: str) -> str:
    """Return a sentence without a heading that runs into it: "Cations A cation is …", "Azathioprine The use of …"."""
    again = _AGAIN.match(text)
    return text[again.end("heading") + 1 :] if again else _RUN_IN.sub("", text, count=1)


def case_name(passage: str) -> str:
    """Return the name of the person whose case a passage tells, or an empty string."""
    found = _CASE.search(passage)
    return found.group(1) if found else ""


def subject_of(text: str) -> str:
    """Return the subject of a statement, or an empty string."""
    found = _CLAUSE.match(text)
    return found["subject"] if found and _agrees(found) else ""


def clauses(text: str) -> Iterator[Clause]:
    """Yield the statements of a sentence that can be asked about by their subject."""
    lead, rest = "", text
    found = _LEAD.match(text)
    if found is not None and not leans(found["lead"]):
        lead, rest = f"{inside_sentence(found['lead'], '')}, ", found["rest"]
        rest = rest[:1].upper() + rest[1:]
    for pattern in (_CLAUSE, _RELATIVE):
        match = pattern.search(rest)
        if match is not None and _agrees(match):
            yield from _checked(match, lead if pattern is _CLAUSE else "")
    match = _APPOSED.match(rest)
    if match is not None and is_term(match["subject"]):
        verb = "are" if is_plural(match["subject"]) else "is"
        yield from _sound(match["subject"], f"{verb} {match['rest']}", "", (match["article"] or "").lower(), 0)


def _checked(found: re.Match[str], lead: str) -> Iterator[Clause]:
    rest = _CUT.split(found["rest"], maxsplit=1)[0].strip()
    verb = found["verb"]
    if rest != found["rest"].strip() and bars_end(rest):
        return  # the cut fell between adjectives
    if re.search(r"\b(?:is|are|was|were)$", verb) and not _BE_PREDICATE.match(rest):
        return
    defines = bool(re.match(r"(?:is|are) (?:an?|the) |refers? to|means|(?:is|are) defined", f"{verb} {rest}"))
    yield from _sound(found["subject"], f"{verb} {rest}", lead, (found["article"] or "").lower(), 0 if defines else 2)


def _sound(subject: str, predicate: str, lead: str, article: str, rank: int) -> Iterator[Clause]:
    """Yield the clause if its subject is a term, and its predicate says enough and nothing that leans or is vague."""
    count = len(predicate.split())
    vague = _VAGUE.search(predicate) is not None
    if not is_term(subject) or leans(predicate) or not (10 if vague else 5) <= count <= 26:
        return
    if shares_word(subject, predicate) or re.search(
        r" (?:of|and|the|to|for|in|by|with|or|a|an|not|is|are|can)$", predicate
    ):
        return
    if re.search(r"\bnot\b|\bno\b|cannot|\btheir\b|^(?:is|are|has|have) (?:has|have|is|are|results)\b", predicate):
        return
    if article == "the " and is_plural(subject):
        return  # "the patches" were spoken of before
    if count < 7 and re.match(_MODAL, predicate):
        return
    yield Clause(subject, predicate, lead, article, rank + vague, not vague and _tells_apart(predicate))


def _tells_apart(predicate: str) -> bool:
    """Return whether a predicate says enough, and nothing that many things may do, to hold for one subject alone."""
    if re.match(rf"{_ADVERB}{_MODAL}\b", predicate):
        return False
    telling = [word for word in re.findall(r"[\w-]{4,}", predicate) if word not in _FEW]
    enough = _TELLING_LOOSE if _LOOSE.match(predicate) else _TELLING
    return len(telling) >= enough or _UNIQUE.search(predicate) is not None


def _agrees(found: re.Match[str]) -> bool:
    """Return whether verb and subject agree in number, which sorts out nouns that look like verbs ("main causes")."""
    verb = re.sub(r"^(?:[a-z]+ly|also|often|not) ", "", found["verb"])
    if re.match(_MODAL, verb):
        return True
    singular = re.fullmatch(_SINGULAR_VERB, verb) is not None
    return singular != is_plural(found["subject"])
