"""Which language a text is in, by the small words that it cannot do without; ``unknown`` where they do not tell."""

from __future__ import annotations

import re
from collections import Counter

UNKNOWN = "unknown"

_LEAST = 2  # small words of a language, and a lead of so many over the next one
_WORD = re.compile(r"[^\W\d_]+")
_PROFILES = {
    "en": "the of and to in is that for it as with was by be which this from or are not have an what following patient "
    "most his her on at but has who does would likely",
    "fr": "le la les des et est une du dans que qui pour par sur au aux pas plus avec ce cette son sont ou quel quelle "
    "il elle chez être ne suivants se",
    "de": "der die das und ist ein eine den dem des mit zu von auf für nicht im sich auch bei wird sind welche welcher "
    "werden als oder aus einer einem durch nach",
    "es": "el los las una y es que en por con para del se su lo al como más no pero sus le ha cuál paciente este esta "
    "son o un de la",
}
# What two profiles share ("la", "des") counts for both, so only the words of one's own part them.
_LANGUAGES = {
    word: [code for code, profile in _PROFILES.items() if word in profile.split()]
    for word in {word for profile in _PROFILES.values() for word in profile.split()}
}


def language_of(text: str) -> str:
    """Return ``en``, ``fr``, ``de``, ``es`` or ``unknown``: no download, no guess on a few words."""
    hits: Counter[str] = Counter()
    for word in filter(_LANGUAGES.__contains__, _WORD.findall(text.lower())):
        for code in _LANGUAGES[word]:
            hits[code] += 1
    (best, most), (_, next_one), *_ = [*hits.most_common(2), ("", 0), ("", 0)]
    return best if most >= _LEAST and most - next_one >= _LEAST else UNKNOWN
