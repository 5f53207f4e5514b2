"""Statements that something rises or falls: asked by the direction, whose opposite is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from med_small_lm.teacher.builtin.clauses import leans
from med_small_lm.teacher.builtin.naming import inside_sentence
from med_small_lm.teacher.builtin.objects import SUBJECT_BARS
from med_small_lm.teacher.builtin.terms import bars_end, is_plural, shares_word


@dataclass(frozen=True, slots=True)
class Direction:
    """A stem that asks what becomes of something, the verb that answers it, and the verbs that do not."""

    stem: str
    answer: str
    wrong: tuple[str, ...]
    said: str


_OPPOSITES = {
    "increase": "decrease", "raise": "lower", "enhance": "reduce", "elevate": "lower", "accelerate": "slow",
    "decrease": "increase", "reduce": "increase", "lower": "raise", "diminish": "enhance", "slow": "accelerate",
    "stimulate": "inhibit", "activate": "inhibit", "promote": "inhibit", "inhibit": "stimulate",
    "suppress": "stimulate", "block": "stimulate", "dilate": "constrict", "constrict": "dilate",
    "relax": "contract", "strengthen": "weaken", "weaken": "strengthen", "prolong": "shorten", "shorten": "prolong",
    "improve": "worsen", "worsen": "improve", "delay": "hasten",
}  # fmt: skip
_STATEMENT = re.compile(
    rf"^(?P<article>The |An? )?(?P<subject>[\w'’/-]+(?: [\w'’/-]+){{0,5}}?)"
    rf" (?P<modal>can |may |will |might |could )?(?:also |[a-z]+ly )?(?P<verb>{'|'.join(_OPPOSITES)})(?P<s>e?s)? "
    r"(?P<rest>.+)$"
)
_END = re.compile(
    r",.*$|;.*$|:.*$| (?:and|which|that|because|while|when|if|as|by|through|so|resulting|leading|causing|thereby|but|"
    r"although|or|due|in order|to|making|allowing|helping|where|who|such as|including)\b.*$"
)
_VAGUE_OBJECT = re.compile(
    r"^(?:the|its|their|his|her|both|any|these|this|those|such|all|it|them|other|many|several|some)\b(?! (?:risk|rate|"
    r"amount|production|release|absorption|level|levels|number|effects?|activity|metabolism|action|size|strength|"
    r"volume|force|secretion|synthesis|breakdown|excretion|concentration|flow|clearance|[\w-]+ of|[\w-]+ [\w-]+ of)\b)"
)


def directions(text: str) -> Iterator[Direction]:
    """Yield the statement of a sentence that something increases, lowers, stimulates or inhibits something else."""
    found = _STATEMENT.match(text)
    if found is None:
        return
    subject, verb = found["subject"], found["verb"]
    object_ = _END.sub("", found["rest"]).strip()
    if SUBJECT_BARS.search(subject) or bars_end(subject) or leans(f"{subject} {object_}"):
        return
    if found["article"] == "The " and is_plural(subject):
        return
    if not found["modal"] and bool(found["s"]) == is_plural(subject):
        return
    if not 2 <= len(object_.split()) <= 12 or _VAGUE_OBJECT.match(object_) or bars_end(object_):
        return
    if shares_word(verb, f"{subject} {object_}"):
        return
    name = f"{(found['article'] or '').lower()}{inside_sentence(subject, text)}"
    modal, es = found["modal"] or "", found["s"] or ""
    opposite = _inflected(_OPPOSITES[verb], es)
    told = f"{modal}{verb}{es} {object_}"
    wrong = (
        f"{modal}{opposite} {object_}",
        f"{'cannot' if modal else 'does not' if es else 'do not'} change {object_}",
        f"{modal}first {verb}{es} and then {opposite} {object_}",
    )
    yield Direction(f"Which of the following is true of {name}?", told, wrong, f"{name} {told}.")


def _inflected(verb: str, ending: str) -> str:
    """Return a verb in the plain form, or with the ending of the singular where ``ending`` is one."""
    return verb if not ending else f"{verb}es" if verb.endswith(("s", "x", "sh", "ch")) else f"{verb}s"
