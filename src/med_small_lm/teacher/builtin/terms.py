"""Noun phrases of ordinary prose: which of them are terms that can be an answer or a wrong option."""

from __future__ import annotations

import re

from med_small_lm.teacher.builtin.sentences import words

BARS = re.compile(
    r"\b(?:of|for|to|in|by|with|from|at|on|that|which|who|when|while|if|because|since|as|than|and|or|but|not|all|"
    r"most|many|"
    r"some|several|each|every|any|no|more|less|few|fewer|various|different|certain|there|what|how|why|where|"
    r"although|it|its|"
    r"clients?|people|persons?|individuals?|patients?|adults?|women|men|children|child|infants?|providers?|"
    r"professionals?|"
    r"body|humans?|research|researchers|studies|study|evidence|data|factors?|goals?|purpose|results?|information|"
    r"his|her|their|"
    r"types?|examples?|role|functions?|use|effects?|reasons?|importance|methods?|key|focus|section|care|this|"
    r"these|those|they|"
    r"interventions?|education|knowledge|understanding|treatment|strategies|approach|plan|guidelines?|our|my|your|such|"
    r"changes?|levels?|amounts?|using|having|being|is|are|can|may|will|must|should|only|first|second|third|two|"
    r"three|four|"
    r"symptoms?|signs|complications?|causes?|sources?|benefits?|risks?|needs?|total|overall|average|both|another|other|"
    r"condition|conditions|organization|department|nurses?|students?|chapter|figure|table|has|have|was|were|been|"
    r"following|above|below|same|primary|main|normal|common|recent|current|new|important|good|proper|he|she|we|you|"
    r"prevalence|incidence|rate|number|percentage|majority|part|parts|aspect|way|ways|area|areas|group|groups|"
    r"item|items|"
    r"concept|idea|term|terms|word|practice|practices|action|actions|step|steps|outcomes?|findings?|issues?|problems?|"
    r"difference|differences|relationship|relationships|addition|order|then|help|helps|prevent|leads?|"
    r"imbalances?|hormones|insufficient|categories|category|sometimes|called|whereas|contains?|increased?|"
    r"decreased?|reduced?|improved?|healthy|unlike|include|includes|values?|accurate|once|after|"
    r"before|during|through|throughout|according|until|like|unlike|upon|under|over|within|without|between|among|"
    r"order|caution|correlation|association|link|exercise|transmission|time|day|days|year|years|activities|"
    r"questions?)\b|"
    r"(?<![\w_-])\d",
    re.IGNORECASE,
)
_LAST_BARS = re.compile(
    r"(?:ing|ly|[^aeiou]ous|ive|able|ible|ful|less|al|ular|ary|etic|atic|itic|onic|oric|genic|cient|[a-z]ed)$"
)
_NOUNS = frozenset(
    "mineral minerals animal meal hospital removal withdrawal portal scalp breastfeeding swelling bleeding "
    "swallowing urinary vomiting fasting bruising itching aging hearing seed "
    "antibiotic antibiotics diuretic diuretics laxative sedative cereal cereals clearing feeding additive "
    "narcotic vital "
    "preservative capillary ovary artery adrenal material wheezing snoring screening imaging training binding".split()
)
_TITLED = re.compile(r"[A-Z]{2}|\b(?:Health|Scale|Index|Score|Foundation|Association|Act|Diet|Program|Vitamin)\b|_|\d")
_ADJECTIVES = frozenset(
    "primary main common chronic acute current new same own such high low severe mild small large".split()
)
_OPENS = re.compile(
    r"(?:even|though|especially|particularly|itself|potential|concurrent|concomitant|excessive|additional|further|"
    r"proper|adequate|regular|rare|significant|severe|frequent|early|late|prior|possible|specific|related|certain|"
    r"increasing|decreasing|rapid|slow|greater|larger|smaller|lower|higher|better|worse|just|very|too|usual|"
    r"alone|mild|moderate|orally|dosage|when|if|induce|autoimmune disorder)\b|"
    r".* (?:itself|here|up|down|out|off|dose|doses|dosage|daily|today|therapy|therapies|medications?|drugs?|"
    r"reactions?|use|administration|release)$",
    re.IGNORECASE,
)
_NON_TERMS = frozenset(
    "disease diseases system systems thing things health nutrition diet diets food foods medication "
    "medications drug drugs nutrients nutrient diagnosis prognosis hypothesis emphasis basis mind cells "
    "disorder syndrome hormone extension attention route administration capsule capsules suspension prototype "
    "along antagonists antagonist agonists inhibitors tablet tablets effector glands muscle screening "
    "protection symptom assessment process support culture family families mother parents society world life".split()
)


_FIELD = re.compile(r"(?:gene|kine|dynam|statis|pediatr|phys|mechan|econom|obstetr|geriatr|\beth)t?ics$")


def is_term(phrase: str) -> bool:
    """Return whether a noun phrase is a name or term by itself, and not a passing mention or a clause."""
    parts = phrase.split()
    if not parts or len(parts) > 4 or len(phrase) < 4 or BARS.search(phrase):
        return False
    last = parts[-1].lower()
    if len(parts) == 2 and parts[0][0].isupper() and parts[1][0].isupper() and not _TITLED.search(phrase):
        return False  # a person, as cases are told
    if _OPENS.match(phrase) or phrase.lower() in _NON_TERMS:
        return False
    if last in _NOUNS:
        return True
    if parts[0].lower().endswith("ing") and len(parts) > 1:
        return False  # a gerund with its object ("maintaining a healthy weight") is no term
    return not _LAST_BARS.search(last) and not any(p.lower().endswith("ly") for p in parts)


def bars_end(phrase: str) -> bool:
    """Return whether a phrase ends in no noun ("the primary", "common"), or is none at all."""
    if not phrase.strip():
        return True
    last = phrase.split()[-1].lower()
    return last not in _NOUNS and (_LAST_BARS.search(last) is not None or last in _ADJECTIVES)


def is_plural(phrase: str) -> bool:
    """Return whether a term takes a plural verb."""
    last = phrase.split()[-1].lower()
    if last.endswith(("ae", "children", "bacteria", "fungi", "nuclei", "criteria", "villi")):
        return True
    if last.endswith("ics"):
        return _FIELD.search(last) is None
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "ous", "betes", "rabies", "herpes"))


def singular(word: str) -> str:
    """Return a lower-case noun in the singular, by its ending."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def shares_word(answer: str, stem: str) -> bool:
    """Return whether the stem gives the answer away by a word of it, also in another form."""
    roots = {word[:5] for word in words(stem) if len(word) > 3}
    return any(word[:5] in roots for word in words(answer) if len(word) > 3)


def likeness(one: str, other: str) -> float:
    """Return how unlike two terms look, 0 for the most alike: length, number of words, ending, last word."""
    distance = abs(len(one) - len(other)) / 4 + abs(one.count(" ") - other.count(" "))
    distance -= 2.0 * (one[-3:].lower() == other[-3:].lower())
    distance -= 2.0 * (one.split()[0].lower() == other.split()[0].lower())
    return distance
