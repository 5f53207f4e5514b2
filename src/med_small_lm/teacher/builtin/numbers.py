"""Quantities: numbers with units, and values near them that are wrong."""

from __future__ import annotations

import re

_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?"
_UNIT = (
    r"%| percent| (?:to |– ?)?(?:mg|mcg|g|kg|lb|kcal|calories|mL|L|cups?|ounces|oz|hours?|minutes?|days?|weeks?|"
    r"months?|years?|"
    r"times|inches|feet|cm|mm ?Hg|mm|mEq|IU|beats per minute|grams|bones|vertebrae|pairs)(?:/(?:day|kg/day|"
    r"kg|dL|mL|L|min|hour|week))?\b"
)
_QUANTITY = re.compile(rf"(?<![\w.,/–-])(?:{_NUMBER})(?:(?:–| to |-)(?:{_NUMBER}))?(?:{_UNIT})(?![–-])")
_MOST = 3
"""Most quantities of a statement of which one is asked for: more make a table of it."""
_FACTORS = (0.5, 2.0, 1.5, 0.75, 3.0, 0.25, 4.0, 5.0)
_STORY = re.compile(
    r"\b(?:old|ago|believed|survey|study|studies|participants|Mr|Ms|Mrs|spouse|client’s|client has|prefers|"
    r"reports|reported|stated|lives|noted|found|"
    r"et al|figure/table)\b|\bis now\b|^(?:For more than|Over the (?:last|past)|In the (?:last|past))"
)
_TOLD = re.compile(
    r"\b(?:is|are|should|must|needs?|requires?|contains?|recommends?|has|have|increases?|decreases?|takes?|"
    r"lasts?|makes?|"
    r"accounts?|occurs?|begins?|weighs?|provides?|consists?|ranges?|produces?|absorbs?|reaches|supplies|can|may|will)\b"
)


def is_story(text: str) -> bool:
    """Return whether a sentence tells of one person or study, whose numbers nobody has to know, or tells nothing."""
    return _STORY.search(text) is not None or _TOLD.search(text) is None


def asked_quantity(text: str) -> re.Match[str] | None:
    """Return the quantity of a text that can be asked for: the first, if few stand beside it and none is the same."""
    found = list(_QUANTITY.finditer(text))
    if not found or len(found) > _MOST or text.count(found[0].group()) > 1:
        return None
    return found[0]


def unit(quantity: str) -> str:
    """Return what follows the numbers of a quantity, and whether it is a range."""
    name = re.sub(rf"{_NUMBER}|–| to ", "", quantity).strip()
    return f"{name}{'~' if re.search('[–-]| to ', quantity) else ''}"


def wrong_values(quantity: str) -> list[str]:
    """Return quantities of the same form, scaled so that none is near the right one."""
    scaled = (re.sub(_NUMBER, lambda found, by=by: _times(found.group(), by), quantity) for by in _FACTORS)  # type: ignore[misc]
    low, high = min(_values(quantity)), max(_values(quantity))
    apart = (value for value in scaled if min(_values(value)) > high or max(_values(value)) < low)
    return [value for value in dict.fromkeys(apart) if not _absurd(value)]


def _values(quantity: str) -> list[float]:
    return [float(value.replace(",", "")) for value in re.findall(_NUMBER, quantity)]


def _times(number: str, factor: float) -> str:
    """Return a number scaled and written as the first one is: same decimals, same separators."""
    value = float(number.replace(",", "")) * factor
    decimals = len(number.split(".")[1]) if "." in number else 0
    if decimals == 0 and value >= 20 and int(number.replace(",", "")) % 10 == 0:
        value = round(value / 5) * 5
    return f"{value:,.{decimals}f}" if "," in number else f"{value:.{decimals}f}"


def _absurd(quantity: str) -> bool:
    values = _values(quantity)
    share = "%" in quantity or "percent" in quantity
    return any(value <= 1 or (share and value > 100) for value in values) or len(set(values)) < len(values)
