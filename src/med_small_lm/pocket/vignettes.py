"""Who comes where in a short vignette: age, person and setting, drawn by seed and fitting the subject's books."""

from __future__ import annotations

from collections.abc import Sequence

from med_small_lm.pocket.facts import Fact
from med_small_lm.pocket.wordings import stable_hash

# Ages that take "a", not "an".
CHILD_AGES = (2, 3, 4, 5, 6, 7, 9, 10, 12)
CHILDBEARING_AGES = (22, 24, 26, 27, 29, 31, 32, 34, 36, 37)
ADULT_AGES = (32, 35, 38, 41, 44, 46, 49, 52, 55, 57, 59, 61, 63, 66, 68)
ADULTS = (
    "teacher", "farmer", "bus driver", "librarian", "carpenter", "cook", "bank clerk", "gardener", "tailor", "musician",
    "patient", "shopkeeper", "engineer", "taxi driver",
)  # fmt: skip
SETTINGS = (
    "a primary care clinic", "a teaching hospital", "an outpatient clinic", "a rural hospital", "an urgent care center",
    "a community hospital", "a walk-in clinic", "a university hospital", "a small-town practice", "a county hospital",
)  # fmt: skip
WOMENS_BOOKS = {"gynecology", "obstetrics"}


def slots(fact: Fact, seed: int) -> dict[str, str]:
    """Age, person and setting of the vignette about a fact.

    The person is a woman where the subject belongs first of all to obstetrics or gynecology, a child where it belongs
    to pediatrics, an adult of some trade otherwise.
    """
    ages: Sequence[int]
    persons: Sequence[str]
    if fact.books[0] in WOMENS_BOOKS:
        ages, persons = CHILDBEARING_AGES, ("woman",)
    elif fact.books[0] == "pediatrics":
        ages, persons = CHILD_AGES, ("child",)
    else:
        ages, persons = ADULT_AGES, ADULTS

    def drawn(slot: str, choices: int) -> int:
        return stable_hash("slot", slot, str(seed), fact.subject, fact.attribute) % choices

    return {
        "age": str(ages[drawn("age", len(ages))]),
        "person": persons[drawn("person", len(persons))],
        "setting": SETTINGS[drawn("setting", len(SETTINGS))],
    }
