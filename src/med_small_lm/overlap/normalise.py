"""Words as they are compared: lower case, Unicode folded, punctuation off."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "π": "pi", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega",
}  # fmt: skip
_GREEK_TABLE = str.maketrans(_GREEK)
_POSSESSIVE = re.compile(r"['’‘`´]s?\b|['’‘`´]")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Return the words of ``text``: lower case, accents and possessives off, Greek letters by name, no punctuation.

    A hyphen parts words, so ``TNF-α`` gives ``tnf``, ``alpha``.
    """
    if not text.isascii():
        folded = unicodedata.normalize("NFKD", text)
        text = "".join(mark for mark in folded if not unicodedata.combining(mark))
    text = text.lower()
    if not text.isascii():
        text = text.translate(_GREEK_TABLE)
    return _WORD.findall(_POSSESSIVE.sub("", text))


def normalised(text: str) -> str:
    """Return the words of ``text`` joined by single spaces."""
    return " ".join(words(text))


@lru_cache(maxsize=100_000)
def singular(word: str) -> str:
    """Return ``word`` without a plural's final s, so that a fact said of many is found where it is asked of one."""
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "siu":
        return word[:-1]
    return word
