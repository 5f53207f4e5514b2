"""Which passages speak of the same: pairs of different sections, found by the rare words that they share."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice

from med_small_lm.overlap.stems import can_name, folded
from med_small_lm.schemas.rows import Passage
from med_small_lm.synthesis.asked import is_drawn
from med_small_lm.synthesis.gates.fidelity import content

_SHARE = 0.02  # of the passages: a word of more of them is no subject,
_FEW, _MANY = 5, 50  # but one of so few may be, and one of so many is none, which bounds the work for a passage
_RAREST = 30  # words of a passage that are looked up
_REPEATS = 0.15  # share of a passage's rare words, by rarity, above which another one repeats it
_TRIED = 5  # nearest passages that are tried for each one that is wanted
_COMES_BACK = 2  # mentions of a single word, of both texts together, above which it is a subject
_LONGEST = 4  # words of a subject
_SHORTEST = 4  # letters of a subject
_NO_NAME = re.compile(r"(?:ed|ly|ful|able|ible|ous|ive)$")  # in which a verb or an adjective ends
_STRETCH = re.compile(r"[^\W_]+(?:[-‐‑'’ ][^\W_]+)*")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two passages of different sections, and the subject that both name, in the first one's spelling."""

    first: Passage
    second: Passage
    subject: str


def pairs_of(passages: Sequence[Passage], share: float, most: int, seed: int = 0) -> list[Pair]:
    """Return for each of the ``share`` of passages that is drawn at most ``most`` passages that it hangs together with.

    Near is what shares many rare words. Only passages that hold one of the rarest are compared, by an inverted index,
    so the work grows with the number of passages and not with its square. No pair is returned twice.
    """
    if share <= 0 or not most:
        return []
    frequency = Counter(word for passage in passages for word in _content(passage.text))
    holders = min(max(_SHARE * len(passages), _FEW), _MANY)
    index: dict[str, list[int]] = defaultdict(list)
    for place, passage in enumerate(passages):
        for word in _content(passage.text):
            if 1 < frequency[word] <= holders:
                index[word].append(place)
    rarity = {word: math.log((len(passages) + 1) / n) for word, n in frequency.items() if n <= holders}
    found: dict[frozenset[int], Pair] = {}
    for place, passage in enumerate(passages):
        if is_drawn(f"link {seed} {passage.passage_id}", share):
            near = _near(passage, passages, index, rarity)[: _TRIED * most]
            told = ((other, shared_subject(passage.text, passages[other].text, rarity)) for other in near)
            for other, subject in islice(((other, subject) for other, subject in told if subject), most):
                found.setdefault(frozenset((place, other)), Pair(passage, passages[other], subject))
    return list(found.values())


def shared_subject(first: str, second: str, rarity: Mapping[str, float]) -> str:
    """Return the rare phrase that both texts name, in the first one's spelling, and come back to most; empty for none.

    What a text is about comes back in it: "gout" in every sentence, "urate crystals" in one. A single word that does
    not come back is no subject; two or more words ("smoking cessation") name something.
    """
    here, there = _phrases(first), Counter(map(folded, _phrases(second)))
    times = Counter(map(folded, here))
    weights = {
        phrase: (max(rarity.get(word, 0.0) for word in own) * (times[own] + there[own]), len(own))
        for phrase in here
        if (own := folded(phrase)) in there and (len(own) > 1 or times[own] + there[own] > _COMES_BACK)
    }
    best = max(weights, key=lambda phrase: weights[phrase], default="")
    return best if best and weights[best][0] else ""


def _near(
    own: Passage, passages: Sequence[Passage], index: Mapping[str, Sequence[int]], rarity: Mapping[str, float]
) -> list[int]:
    """Return the passages of other sections that share rare words with one, those that share most first.

    One that shares most of them says the same again, and is left out.
    """
    rare = [word for word in _content(own.text) if word in rarity]
    shared = sorted((word for word in rare if word in index), key=lambda word: (-rarity[word], word))
    weights: dict[int, float] = defaultdict(float)
    for word in shared[:_RAREST]:
        for other in index[word]:
            if (passages[other].book, passages[other].section) != (own.book, own.section):
                weights[other] += rarity[word]
    most = _REPEATS * sum(rarity[word] for word in rare)
    return sorted((other for other in weights if weights[other] <= most), key=lambda other: (-weights[other], other))


def _content(text: str) -> frozenset[str]:
    """Return the words of a text that can name something, plurals folded."""
    return frozenset(word for word in content(text) if not word.isdigit())


@lru_cache(maxsize=10_000)
def _phrases(text: str) -> tuple[str, ...]:
    """Return the phrases that can name something: up to four words before a function word, a mark or the end.

    A phrase inside a longer one is none: "renal" of "renal biopsy" is no subject.
    """
    found: list[str] = []
    for stretch in _STRETCH.findall(_SPACE.sub(" ", text)):
        for named, run in groupby(stretch.split(" "), lambda word: can_name(folded(word))):
            words = list(run)[-_LONGEST:] if named else []
            words = [] if words and _NO_NAME.search(words[-1].lower()) else words
            found += [" ".join(words[start:]) for start in range(len(words))]
    return tuple(phrase for phrase in found if len(phrase) >= _SHORTEST)
