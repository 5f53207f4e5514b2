"""Which questions ask again what an earlier one asks."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from med_small_lm.overlap.minhash import Repeat, repeats
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.schemas.rows import Question, Verdict
from med_small_lm.synthesis.gates.fidelity import content
from med_small_lm.synthesis.gates.options import canonical
from med_small_lm.synthesis.gates.verdicts import DUPLICATE, verdict

Bag = frozenset[str]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Gives texts as vectors of length 1, a row each."""

_SHARED = 0.5  # of the options of two questions
_BLOCK = 2_048  # vectors that are compared at once with as many: 16 MiB of cosines


def duplicates(questions: Sequence[Question], params: QuestionGates, embed: Embed | None = None) -> list[Verdict]:
    """Return for each of the questions whether an earlier one asks the same; the value is the similarity to it.

    Two ask the same if stem, right answer and options are the same but for a few words (MinHash), or if they have the
    same right answer and half of their options, in whatever spelling, and their stems share their content words. With
    mostly other wrong options the same stem asks for another choice, and stays. With ``embed``, two whose stems and
    right answers have near vectors ask the same as well.
    """
    texts = [
        " ".join([question.stem, question.answer_text, *sorted(option.text for option in question.options)])
        for question in questions
    ]
    said: list[Verdict] = []
    rules = [repeats(texts, params.duplicate_similarity), _asked_again(questions, params)]
    if embed is not None:
        rules.append(nearest_earlier(embed([_asks(question) for question in questions]), params.duplicate_cosine))
    for place, told in enumerate(zip(*rules, strict=True)):
        found = next((repeat for repeat in told if repeat.first != place), Repeat(place, 0.0))
        reason = f"asks the same as {questions[found.first].question_id}"
        said.append(verdict(DUPLICATE, found.first == place, found.similarity if found.first != place else 0.0, reason))
    return said


def nearest_earlier(vectors: NDArray[np.float32], least: float) -> list[Repeat]:
    """Return for each vector of length 1 the first earlier one with which its cosine is ``least`` or more.

    A repeat of a repeat belongs to the first one's group. Blocks are compared with blocks, so that memory holds the
    vectors and one block of cosines, however many there are.
    """
    found = [Repeat(place, 0.0) for place in range(len(vectors))]
    for start in range(0, len(vectors), _BLOCK):
        rows = vectors[start : start + _BLOCK]
        nearest = np.full(len(rows), -1)
        cosines = np.zeros(len(rows), dtype=np.float32)
        for left in range(0, start + 1, _BLOCK):
            alike = rows @ vectors[left : left + _BLOCK].T
            if left == start:
                alike = np.where(np.tri(len(rows), k=-1, dtype=bool), alike, -1.0)
            place = (alike >= least).argmax(axis=1)
            cosine = alike[np.arange(len(rows)), place]
            new = (nearest < 0) & (cosine >= least)
            nearest[new], cosines[new] = place[new] + left, cosine[new]
        for row in np.flatnonzero(nearest >= 0):
            found[start + row] = Repeat(found[nearest[row]].first, min(float(cosines[row]), 1.0))
    return found


def _asks(question: Question) -> str:
    """Return what a question asks and the right answer to it."""
    return f"{question.context} {question.stem} {question.answer_text}".strip()


def _asked_again(questions: Sequence[Question], params: QuestionGates) -> list[Repeat]:
    """Return for each question the first one with the same right answer whose stem is like its own.

    Only stems with one of their rarest words in common can be alike, so only those are compared (prefix filtering, as
    in Bayardo et al., 2007).
    """
    least = params.duplicate_stem_similarity
    bags = [content(f"{question.context} {question.stem}") for question in questions]
    choices = [frozenset(canonical(option.text) for option in question.options) for question in questions]
    frequency = Counter(word for bag in bags for word in bag)
    rarity = {word: math.log((len(bags) + 1) / count) for word, count in frequency.items()}
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    found: list[Repeat] = []
    for place, (question, bag) in enumerate(zip(questions, bags, strict=True)):
        best = Repeat(place, 0.0)
        if question.kind in ("single", "open"):  # "yes" and sets of options are answers to very many stems
            answer = canonical(question.answer_text)
            telling = _prefix(bag, rarity, least)
            near = sorted({other for word in telling for other in index[answer, word]})
            for other in near:
                alike = _alike(bag, bags[other], rarity)
                shared = len(choices[place] & choices[other])
                if alike >= least and shared >= _SHARED * len(choices[place] | choices[other]):
                    best = Repeat(found[other].first, alike)
                    break
            for word in telling:
                index[answer, word].append(place)
        found.append(best)
    return found


def _alike(left: Bag, right: Bag, rarity: Mapping[str, float]) -> float:
    """Return the Jaccard similarity of two sets of words, each word counted by its rarity.

    Where questions are asked in a form, the subject weighs more than all the form's words.
    """
    whole = sum(rarity[word] for word in left | right)
    return sum(rarity[word] for word in left & right) / whole if whole else float(left == right)


def _prefix(bag: Bag, rarity: Mapping[str, float], least: float) -> list[str]:
    """Return a set's rarest words: so many that what is left over weighs too little to make two sets alike."""
    ordered = sorted(bag, key=lambda word: (-rarity[word], word))
    left = sum(rarity[word] for word in ordered)
    enough, kept = least * left, []
    for word in ordered:
        if left < enough:
            break
        kept.append(word)
        left -= rarity[word]
    return kept
