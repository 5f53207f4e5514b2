"""Words in one form: endings off, British spelling folded, Latin and Greek adjectives beside their nouns."""

from __future__ import annotations

import re
from functools import lru_cache

from med_small_lm.overlap.normalise import words
from med_small_lm.overlap.stems import FUNCTION_WORDS

_ENDINGS = (
    "isations izations isation ization ational ingly ations ation ically iveness fulness ements ement ments ment "
    "nesses ness ities ity ition itions ances ance ences ence ative atives ators ator ated ates ating ate ative "
    "ions ion ively ive ives ical ics ic ally ally als al ous ously ings ing ers er ors or edly ed ies ied ily ly "
    "ises ised ising ise izes ized izing ize yses ysis yze yzed ysed otic osis oses itis itic emia emic ia ic is es s "
    "ants ant ents ent ary ary able ible ially ial ian ae us um a e y"
).split()
_BY_LENGTH = sorted(set(_ENDINGS), key=lambda ending: (-len(ending), ending))
_LEAST = 4  # letters that an ending leaves at least
_PLAIN = ("s", "ed", "ing")  # endings that may leave one letter less: "asked"
_BRITISH = ((re.compile(r"(?<=[a-z])our\b|(?<=[a-z])our(?=s|ed|ing)"), "or"), (re.compile("ae|oe"), "e"))
_ALIKE = """
kidney renal nephr|liver hepatic hepat|heart cardiac cardi|lung pulmonary pneumon|stomach gastric gastr|brain cerebral
skin dermal cutaneous derm|blood hematologic hemat|bone osseous skeletal|muscle muscular|nerve neural neuronal
vessel vascular|eye ocular ophthalmic|bowel intestine intestinal gut enteric|uterus womb uterine|breast mammary
raise increase elevate heighten higher rise augment|lower decrease reduce diminish lessen decline drop fall
drug medication medicine agent|inhibit block suppress prevent|cause produce trigger provoke induce|treat manage therapy
swelling edema|fever pyrexia|itch pruritus|bleed hemorrhage|tumor neoplasm|clot thrombus|stroke apoplexy
vomit emesis|breathlessness dyspnea|swallow deglutition|birth delivery parturition|pregnancy gestation
child pediatric infant|elderly geriatric|death mortality fatal|eat ingest|narrow constrict stenosis|widen dilate
remove excise resect|damage injure injury harm|begin start initiate onset|stop cease discontinue|begin commence
location site place|destroy break degrade|release secrete discharge|big large enlarge|small little
"""


def content(text: str) -> list[str]:
    """Return the roots of the content words of a text."""
    return [own for _, own in forms(text)]


def forms(text: str) -> list[tuple[str, str]]:
    """Return the content words of a text, each with its root; a figure goes with its unit: "12 mg" is one word."""
    found: list[tuple[str, str]] = []
    own = words(text)
    for word, following in zip(own, [*own[1:], ""], strict=True):
        if is_figure(word):
            found.append((word + following[:4],) * 2)
        elif word not in FUNCTION_WORDS and len(word) > 1:
            found.append((word, root(word)))
    return found


def is_figure(word: str) -> bool:
    """Return whether a word is a number, with its unit or without."""
    return word[0].isdigit()


@lru_cache(maxsize=200_000)
def root(word: str) -> str:
    """Return the form under which a lower-case word is compared: that of its synonym where it has one."""
    stem = _stem(word)
    return _SYNONYMS.get(stem, stem)


def _stem(word: str) -> str:
    for spelling, other in _BRITISH:
        word = spelling.sub(other, word)
    while True:
        able = (ending for ending in _BY_LENGTH if word.endswith(ending))
        cut = next((ending for ending in able if len(word) - len(ending) >= _LEAST - (ending in _PLAIN)), "")
        if not cut:
            break
        word = word.removesuffix(cut)
    return word[:-1] if len(word) > _LEAST and word[-1] == word[-2] else word


_SYNONYMS = {
    _stem(word): _stem(own[0])
    for line in _ALIKE.strip().replace("\n", "|").split("|")
    for own in [line.split()]
    for word in reversed(own)
}
