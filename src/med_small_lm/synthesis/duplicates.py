"""Which questions ask again what an earlier one asks."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from med_small_lm.overlap.minhash import Repeat, repeats
from med_small_lm.overlap.normalise import singular, words
from med_small_lm.overlap.stems import FUNCTION_WORDS
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.schemas.rows import Question, Verdict
from med_small_lm.synthesis.gates import DUPLICATE, verdict
from med_small_lm.synthesis.options import canonical

Bag = frozenset[str]

_SHARED = 0.5  # of the options of two questions


def duplicates(questions: Sequence[Question], params: QuestionGates) -> list[Verdict]:
    """Return for each of the questions whether an earlier one asks the same; the value is the similarity to it.

    Two ask the same if stem, right answer and options are the same but for a few words (MinHash), or if they have the
    same right answer and half of their options, in whatever spelling, and their stems share their content words. With
    mostly other wrong options the same stem asks for another choice, and stays.
    """
    texts = [
        " ".join([question.stem, question.answer_text, *sorted(option.text for option in question.options)])
        for question in questions
    ]
    said: list[Verdict] = []
    both = zip(repeats(texts, params.duplicate_similarity), _asked_again(questions, params), strict=True)
    for place, (copy, again) in enumerate(both):
        found = copy if copy.first != place else again
        reason = f"asks the same as {questions[found.first].question_id}"
        said.append(verdict(DUPLICATE, found.first == place, found.similarity if found.first != place else 0.0, reason))
    return said


def _asked_again(questions: Sequence[Question], params: QuestionGates) -> list[Repeat]:
    """Return for each question the first one with the same right answer whose stem is like its own.

    Only stems with one of their rarest words in common can be alike, so only those are compared (prefix filtering, as
    in Bayardo et al., 2007).
    """
    least = params.duplicate_stem_similarity
    bags = [_content(question) for question in questions]
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


def _content(question: Question) -> Bag:
    """Return the words of a question that say what it asks, number and function words folded."""
    return frozenset(singular(word) for word in words(f"{question.context} {question.stem}")) - FUNCTION_WORDS


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
