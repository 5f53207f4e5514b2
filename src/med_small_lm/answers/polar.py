"""Yes, no and maybe; true and false: replies whose options are these words, and lists of them, one an option."""

from __future__ import annotations

import re
from collections.abc import Sequence

from med_small_lm.answers.nearest import TEXT, spans
from med_small_lm.schemas.rows import Option

_CLASSES = {
    "yes": ("yes", "oui"),
    "no": ("no", "non"),
    "maybe": ("maybe", "perhaps", "peut-être", "peut être"),
    "true": ("true", "vrai", "vraie", "correct", "right"),
    "false": ("false", "faux", "fausse", "incorrect", "wrong"),
}
"""Words that say the same; the first names them."""
_CLASS_OF = {word: name for name, words in _CLASSES.items() for word in words}
_STOP = (
    r"(?=\s*(?:$|[.,;:!)\]\n–—\"'»]|-\s)|\s+(?:because|since|as|for|car|parce|the|this|it|these|there|il|elle|ce)\b)"
)
_TURN = "but|mais|or|ou|and|et|rather|actually|wait|sorry|well"
_STATEMENT = (
    r"(?:\b(?:this|the|that|la|cette|l')\s*(?:statement|proposition|claim|assertion|affirmation)\s+(?:is|est)\s+|"
    r"\b(?:it|that|this)(?:\s+is|'s)\s+|\bc'est\s+)"
)
_RIGHT = ("true", "vraie", "vrai", "correcte", "correct", "right", "juste", "yes", "oui")
_WRONG = ("false", "fausse", "faux", "incorrecte", "incorrect", "wrong", "non", "no")


def polar_words(options: Sequence[Option]) -> dict[str, str] | None:
    """Returns the key of each word that stands for an option, where all options are such words; None elsewhere."""
    classes = {option.key: _CLASS_OF.get(option.text.strip(" .").casefold()) for option in options}
    if not options or None in classes.values() or len(set(classes.values())) < len(classes):
        return None
    return {word: key for key, name in classes.items() for word in _CLASSES[str(name)]}


def polar_at(text: str, words: dict[str, str]) -> frozenset[str]:
    """Returns the key of the word with which a text begins, if it stands by itself: "No.", not "No evidence".

    "Yes, maybe" and "Yes, but no" begin with two.
    """
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    one = rf"({listed}){_STOP}"
    match = re.match(rf"\W*{one}(?:\W*(?:(?:{_TURN})\b\W*)*{one})?", text, re.IGNORECASE)
    return frozenset(words[word.casefold()] for word in match.groups() if word) if match else frozenset()


def polar_reading(reply: str, words: dict[str, str]) -> frozenset[str]:
    """Returns the keys that a reply names by its first word, by a line of its own, or as what the statement is."""
    found = polar_at(re.sub(r"(?i)\A\W*(?:well|so|therefore)\b\W*", "", reply), words)
    for line in reply.splitlines():
        if re.fullmatch(r"\W*[\w-]+(?: être)?\W*", line):
            found |= polar_at(line, words)
    for match in re.finditer(_STATEMENT, reply, re.IGNORECASE):
        found |= polar_at(reply[match.end() :], words)
    return found


def calls_true_or_false(text: str) -> bool:
    """Returns whether a text begins with a word for true or false that stands by itself."""
    return re.match(rf"(?:{'|'.join(_RIGHT + _WRONG)}){_STOP}", text, re.IGNORECASE) is not None


def proposition_verdicts(reply: str, masked: str, options: Sequence[Option]) -> dict[str, bool] | None:
    """Returns whether each option is called true, where a list says it of all of them; None elsewhere.

    The list says "A: true", "B. False", "Option C - Vrai", or the option's text and then the word. One that says both
    of an option, or the key of one and the text of another, says nothing.

    Args:
        reply: the reply.
        masked: the same with a sign for each letter of an option's text.
        options: the options, each a proposition.
    """
    keys = "|".join(re.escape(option.key) for option in options)
    short = "" if {option.key.casefold() for option in options} & {"t", "f", "v"} else "|[TFV]"
    word = rf"(?P<word>(?i:{'|'.join(_RIGHT + _WRONG)}){short})(?![\w'-])"
    key = rf"(?i:(?:option|proposition|item|statement)\s+)?[(\[]?(?P<key>{keys})[)\]]?(?![\w'])"
    listed = rf"(?<![\w'(])(?:{key}[\s.):–—-]*)?(?P<text>{TEXT}+)?(?:\s*[=:.)→–—-]+|\s+(?:is|est))?\s*{word}"
    said: dict[str, set[bool]] = {option.key: set() for option in options}
    for match in re.finditer(listed, masked):
        shown = spans(reply[slice(*match.span("text"))], options) if match["text"] else []
        for named in {match["key"] or "", *(key for *_, key in shown)} - {""}:
            said[named].add(match["word"].casefold() in (*_RIGHT, "t", "v"))
            if match["key"] and shown and match["key"] != named:
                return None
    if not all(len(verdicts) == 1 for verdicts in said.values()):
        return None
    return {key: verdicts.pop() for key, verdicts in said.items()}
