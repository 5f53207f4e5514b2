"""Names of drugs and diseases that do not exist, made of syllables by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Set

from med_small_lm.overlap.normalise import words

_OPENINGS = "zor vel quo xan trel fyn grul plo dwi kra mov jex bru skel vun thra yos nil pez dro".split()
_MIDDLES = "ba do fi ga lu me no pra qui ra sto tu va xi zo nde lfa rmi ske".split()
_ENDINGS = {
    "drug": "dine mab lol tril pine zole trix cept".split(),
    "disease": "itis osis emia oma pathy plegia".split(),
}
KINDS = tuple(_ENDINGS)


def known_words(texts: Iterable[str]) -> set[str]:
    """Return all words of texts: what none of them may be invented."""
    return {word for text in texts for word in words(text)}


def invented_name(known: Set[str], *seed: object) -> str:
    """Return a name that is none of the ``known`` words, and what kind of thing it sounds like: "the drug zorbadine".

    The same seed gives the same name while it is not known.
    """
    chance = random.Random(" ".join(map(str, seed)))
    while True:
        kind = chance.choice(KINDS)
        name = "".join(chance.choice(parts) for parts in (_OPENINGS, _MIDDLES, _ENDINGS[kind]))
        if name not in known:
            return f"the {kind} {name}"
