"""Options of a question: whether they are different things, and where the right one stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from random import Random

from med_small_lm.overlap.guarded import points_at_options
from med_small_lm.overlap.normalise import normalised, singular
from med_small_lm.schemas.rows import Option, Question, Verdict

POSITIONS = "positions"

_SMALL = frozenset("a an the of le la les l un une des du de der die das ein eine el los las una".split())
_NUMBERS = {
    word: str(n)
    for words in (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty",
        "zéro un deux trois quatre cinq six sept huit neuf dix onze douze",
        "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    )
    for n, word in enumerate(normalised(words).split())
} | {word: str(10 * n) for n, word in enumerate("thirty forty fifty sixty seventy eighty ninety hundred".split(), 3)}
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12"}
_ORDINALS = {
    word: f"{n} th" for n, word in enumerate("first second third fourth fifth sixth seventh eighth".split(), 1)
}
_SPELLINGS = _NUMBERS | _ROMAN | _ORDINALS | {"percent": "%", "micrograms": "mcg", "milligrams": "mg", "grams": "g"}
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[<>≤≥±%+]|(?<![\w\s])-(?=\d)|(?<=\s)[-−](?=\d)|^[-−](?=\d)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b", re.IGNORECASE)
_JOINS = re.compile(
    r"\s*(?:,\s*(?:and|or)?|;|/|&|\+|\b(?:and|or|as well as|plus|et|ou|und|oder|y|o)\b)\s+", re.IGNORECASE
)
_BOTH = re.compile(r"^(?:both|either|neither)\s+", re.IGNORECASE)


@lru_cache(maxsize=50_000)
def canonical(text: str) -> str:
    """Return an option in one spelling: case, accents, articles, plurals, and numbers in words or digits are folded.

    Signs stay: "< 40" is not "> 40", nor is 1.5 the same as 15.
    """
    text = _ORDINAL.sub(r"\1 th", _THOUSANDS.sub("", text))
    tokens: list[str] = []
    found = _TOKEN.findall(text)
    for n, token in enumerate(found, 1):
        if token.isascii() and token.isalpha():
            words = [token.lower()]
        else:
            words = normalised(token).split() if token[0].isalpha() else [token.replace(",", ".").replace("−", "-")]
        # An article stands before something: the last letter of "vitamin A" is none.
        tokens += [_SPELLINGS.get(word, singular(word)) for word in words if word not in _SMALL or n == len(found)]
    return " ".join(tokens) or normalised(text)


def clash(options: Sequence[Option]) -> str:
    """Return why options are not different things that stand on their own, empty if they are.

    No two may say the same; none may be made up of others ("A and B"), point at them by letter, or at all of them.
    """
    named: dict[frozenset[str], str] = {}
    for option in options:
        text = option.text.strip().rstrip(".")
        if not canonical(text):
            return f"option {option.key} is empty"
        if points_at_options(text):
            return f"option {option.key} points at other options: {text!r}"
        parts = _parts(text)
        if parts in named:
            return f"options {named[parts]} and {option.key} are equal"
        named[parts] = option.key
    for parts, key in named.items():
        inside = [other for own, other in named.items() if len(own) == 1 and own < parts]
        if len(inside) == len(parts):
            return f"option {key} is options {' and '.join(sorted(inside))} together"
    return ""


def balanced(questions: Sequence[Question], excess: float, seed: int) -> list[Question]:
    """Return the questions, their options in another order where the right ones stand too often in one place.

    Questions with as many options are looked at together. If a place holds more of their right options than an equal
    share and ``excess`` more, each question's right option changes places with the one at a place that ``seed`` draws,
    all places equally often; else the order stays. What is said of an option (key, quotes) goes with it, and the
    verdict's value is the largest share that a place had.
    """
    order = list(questions)
    groups = Counter(len(question.options) for question in order if _movable(question))
    for size, count in groups.items():
        places = [n for n, question in enumerate(order) if _movable(question) and len(question.options) == size]
        share = max(Counter(_place(order[n]) for n in places).values()) / count
        drawn = _drawn(size, count, seed) if share > 1 / size + excess and count >= size else None
        for turn, n in enumerate(places):
            moved = order[n] if drawn is None else _with_right_at(order[n], drawn[turn])
            said = f"{order[n].answer_keys[0]} became {moved.answer_keys[0]}" if moved is not order[n] else ""
            order[n] = replace(moved, gates=[*moved.gates, Verdict(POSITIONS, "pass", share, said)])
    return order


@lru_cache(maxsize=50_000)
def _parts(text: str) -> frozenset[str]:
    """Return the things that an option names, "A and B" in either order."""
    return frozenset(part for part in map(canonical, _JOINS.split(_BOTH.sub("", text))) if part)


def _movable(question: Question) -> bool:
    """Return whether the order of a question's options means nothing: "yes, no, maybe" stays, and so do numbers."""
    figures = all(option.text.lstrip(" <>≤≥~")[:1].isdigit() for option in question.options)
    return question.kind == "single" and len(question.answer_keys) == 1 and not figures


def _place(question: Question) -> int:
    return [option.key for option in question.options].index(question.answer_keys[0])


def _drawn(size: int, count: int, seed: int) -> list[int]:
    """Return ``count`` places, each of ``size`` as often as any other to within one, in an order that is drawn."""
    places = [n % size for n in range(count)]
    Random(seed).shuffle(places)
    return places


def _with_right_at(question: Question, place: int) -> Question:
    """Return a question whose right option has changed places with the one at ``place``."""
    here, keys = _place(question), [option.key for option in question.options]
    if here == place:
        return question
    texts = [option.text for option in question.options]
    texts[here], texts[place] = texts[place], texts[here]
    now = {keys[here]: keys[place], keys[place]: keys[here]}
    return replace(
        question,
        options=[Option(key, text) for key, text in zip(keys, texts, strict=True)],
        answer_keys=[keys[place]],
        quotes=[replace(quote, option=now.get(quote.option, quote.option)) for quote in question.quotes],
    )
