"""The licence ledger: under which terms the records stand that a model is trained on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from med_small_lm.schemas.rows import Conversation, CorpusText, LicenceUse

_FREE = {"cc0", "unlicense", "domain"}  # public domain
_CREDITED = {"ccby", "attribution", "odcby", "mit", "apache", "bsd", "isc"}  # not RAIL: its bans on uses are passed on
_SHARED = {"sa", "sharealike", "gpl", "agpl", "lgpl", "gfdl", "odbl"}
_UNPAID = {"nc", "noncommercial", "nocommercial"}
_UNCHANGED = {"nd", "noderivatives", "noderivs"}
_WORD = re.compile(r"cc0|(?:[al]?gpl|bsd)(?=v?\d)|[a-z]+")
_JOINED = re.compile(r"\b(non?|share|cc|odc)[-\s_]*(commercial|deriv|alike|by(?![a-z]))")  # "by" alone tells no terms
_HUB = {
    "apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0",
    "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "openrail",
}  # fmt: skip
_SEVERAL = re.compile(r";|\+|\band\b")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence asks for; ``known`` is false where its text tells nothing."""

    known: bool
    attribution: bool = False
    non_commercial: bool = False
    share_alike: bool = False
    no_derivatives: bool = False

    def named(self) -> list[str]:
        """Returns the terms that bind whatever is built from the text, in words."""
        told = [("non-commercial", self.non_commercial), ("share-alike", self.share_alike),
                ("no derivatives", self.no_derivatives), ("terms unknown", not self.known)]  # fmt: skip
        return [name for name, holds in told if holds]


def terms_of(licence: str) -> Terms:
    """Returns the terms that a licence's name tells: ``CC BY-NC-SA 4.0``, ``Apache-2.0``, ``non-commercial research``.

    Several licences in one text ("CC BY 4.0 and own") bind together, and are known if each of them is. What
    is one's own, or stands under terms that the name does not tell, is not known: the owner has to be asked before it,
    or what is built from it, is passed on.
    """
    each = [_terms(set(_WORD.findall(_JOINED.sub(r"\1\2", one)))) for one in _SEVERAL.split(licence.casefold())]
    return Terms(
        all(one.known for one in each),
        *(any(getattr(one, name) for one in each)
          for name in ("attribution", "non_commercial", "share_alike", "no_derivatives")),
    )  # fmt: skip


def _terms(words: set[str]) -> Terms:
    unpaid, shared, unchanged = bool(words & _UNPAID), bool(words & _SHARED), bool(words & _UNCHANGED)
    credited = bool(words & _CREDITED) or shared
    known = bool(words & _FREE) or credited or unpaid or unchanged
    return Terms(known, credited, unpaid, shared, unchanged)


def licence_uses(corpus: Iterable[CorpusText], conversations: Iterable[Conversation]) -> list[LicenceUse]:
    """Returns a line for each stage, source and licence, the most records of a stage first."""
    told: list[LicenceUse] = []
    for stage, records in (("corpus", corpus), ("conversations", conversations)):
        counts = Counter((record.source, record.licence) for record in records)
        for (source, licence), count in counts.most_common():
            terms = terms_of(licence)
            told.append(
                LicenceUse(
                    stage, source, licence, count, terms.known, terms.attribution, terms.non_commercial,
                    terms.share_alike, terms.no_derivatives,
                )
            )  # fmt: skip
    return told


def licences_of(*groups: Iterable[CorpusText] | Iterable[Conversation] | Sequence[str]) -> tuple[str, ...]:
    """Returns the licences of records, and those given as they are, each once, in alphabetical order."""
    return tuple(sorted({one if isinstance(one, str) else one.licence for group in groups for one in group}))


def terms_in_words(licences: Iterable[str]) -> str:
    """Returns which licences bind what is built from them, as a model card says it; empty where none does."""
    bound = {licence: terms for licence in sorted(set(licences)) if (terms := terms_of(licence).named())}
    return "; ".join(f"{licence} ({', '.join(terms)})" for licence, terms in bound.items())


def hub_licence(licences: Iterable[str]) -> dict[str, str]:
    """Returns what the head of a card on the hub says of the licences: the one that it knows by name, else "other"."""
    named = {re.sub(r"[\s_]+", "-", licence.strip().casefold()) for licence in licences}
    if len(named) == 1 and named <= _HUB:
        return {"license": named.pop()}
    return {"license": "other", "license_name": "mixed" if len(named) > 1 else "see-card"}
