"""Leaks of a progressive case: what is said later, or before all, and gives away which proposition was true.

A proposition's *decisive* words are its content words that no vignette and no stem up to its own question has said, and
that no proposition on the other side (false beside true) holds: whoever reads them later knows how to answer.

    stem 1       Which statements on acromegaly are correct?
    true         Its usual cause is a pituitary adenoma.          decisive: pituitary, adenoma
    false        Its usual cause is a renal tumor.                ("usual" and "cause" stand on both sides)
    stem 2       Two months after the adenoma was removed, ...    leak: a rare word of a true one that is new here
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from med_small_lm.schemas.rows import Passage, Question
from med_small_lm.synthesis.exemplars import SENTENCE
from med_small_lm.synthesis.gates.word_forms import content, forms, is_figure

_TOLD = 0.5  # of the weight of the decisive words that a text says: then it says the proposition,
_CUED = 0.34  # less where it says that something is so,
_BEFORE = 0.3  # in the vignette, of which the stems have said the subject
_AGAIN = 0.8  # more in a later proposition, which asserts nothing
_WHOLE = 0.6  # of all its content words: to name the same subject is to say something else of it
_LEAST = 2  # decisive words, where there are more than two
_RARE = 0.004  # of the books' sentences that hold a word, at most, where the word alone gives the answer away
_RARE_CUED = 0.01  # where the text says that something is so
_TOPIC = 0.15  # of a section's sentences that hold a word of which it speaks throughout,
_OFTEN = 5  # and at least so many
_FEW = 3  # sentences; in a short book any word is in more than a share
_CUES = re.compile(
    r"\b(?:given|since|because|as (?:the|this|it|he|she|they|a|an)|confirm\w*|establish\w*|known|knowing|already|"
    r"now that|identified|correctly|recogni[sz]ed|diagnosed|proven|shown|having|owing|due to|in view of|in light of|"
    r"despite|whose|thanks to|consider\w*|remember\w*|recall\w*)\b",
    re.IGNORECASE,
)
_DENIALS = re.compile(
    r"\b(?:not|no|never|neither|nor|without|unlike|none|cannot|excluded?|excluding|ruled out|rather than|instead of|"
    r"other than|false|incorrect|wrong|wrongly|untrue|mistaken\w*|no longer|fails?|failed|denied|dismissed|"
    r"rejected|refuted|except)\b|n['’]t\b",
    re.IGNORECASE,
)
_FORM = frozenset(
    content(
        """
        patient client person doctor physician nurse visit return come see seen report tell say ask question
        statement correct true false follow answer know learn read remember talk note find show feel day week month
        year hour half later next time new now last first second age old man woman hospital clinic team examine test
        result normal well morning evening night today family relative mother father wife husband friend home work
        job school sleep eat drink smoke walk run sit stand live poor good bad better worse little long short error
        help start stop begin end bring take taken make made give given choose choice cause effect sign symptom
        finding feature treatment therapy diagnosis complication disease disorder condition syndrome drug class type
        kind function role location site mechanism laboratory again complaint one two three four five six seven
        eight nine ten twelve
        """
    )
)
"""What any stem may say."""
_CLAUSE = re.compile(r"[,;:.?!]\s|\b(?:and|but)\b")


@dataclass(frozen=True, slots=True)
class Leak:
    """Where an answer is given away: the rank of the question asked, the text that tells, how much of it, which words.

    ``rank`` is that of the question whose text it is; 0 is the vignette.
    """

    answers: int
    rank: int
    share: float
    said: str

    @property
    def reason(self) -> str:
        """Return the leak in one line."""
        where = f"question {self.rank}" if self.rank else "the vignette"
        return f"{where} gives away an answer of question {self.answers}: {self.said}"


@dataclass(frozen=True, slots=True)
class _Decisive:
    """The decisive words of one proposition: the forms of each root, and its weight.

    ``topics`` are what the section speaks of throughout, ``whole`` are all content words of the proposition.
    """

    answers: int
    is_true: bool
    forms: dict[str, set[str]]
    weights: dict[str, float]
    topics: frozenset[str]
    whole: frozenset[str]


class Leaks:
    """Finds leaks; how rare a word is, it knows from the sentences of the books."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Count in how many sentences of the books, and of each section, each word stands."""
        self._n = 0
        self._count: Counter[str] = Counter()
        self._of_section: dict[str, Counter[str]] = defaultdict(Counter)
        self._section = {passage.passage_id: f"{passage.book} {passage.section}" for passage in passages}
        for passage in passages:
            for said in SENTENCE.split(passage.text):
                own = {word for pair in forms(said) for word in pair}
                self._n += 1
                self._count.update(own)
                self._of_section[self._section[passage.passage_id]].update([*own, ""])

    def of(self, case: Sequence[Question]) -> list[Leak]:
        """Return the leaks of a case whose questions are in order, those of each text once for each answer."""
        found = [*self._in_vignette(case)]
        for place in range(len(case)):
            earlier = self._decisive(case, place)
            for later in case[place + 1 :]:
                found += self._in_question(earlier, later, _known(case, later.rank))
        return found

    def _decisive(self, case: Sequence[Question], place: int, *, vignette: bool = True) -> list[_Decisive]:
        """Return the decisive words of the propositions of one question."""
        asked = case[place]
        said = [asked.context] if vignette else []
        topics = self._topics(asked)
        known = frozenset(content(" ".join([*said, *(one.stem for one in case[: place + 1])])))
        bags = {option.key: frozenset(content(option.text)) for option in asked.options}
        sides = {
            side: frozenset().union(*(bags[o.key] for o in asked.options if (o.key in asked.answer_keys) == side))
            for side in (True, False)
        }
        found = []
        for option in asked.options:
            is_true = option.key in asked.answer_keys
            own = bags[option.key] - known - sides[not is_true] - _FORM
            spelt, weights = forms_of(option.text), {word: self._weight(word) for word in own}
            found.append(
                _Decisive(asked.rank, is_true, {word: spelt[word] for word in own}, weights, topics, bags[option.key])
            )
        return [one for one in found if one.weights]

    def _in_vignette(self, case: Sequence[Question]) -> Iterator[Leak]:
        """Yield what the vignette says of answers, beyond what the stems say too."""
        for place in range(len(case)):
            for one in self._decisive(case, place, vignette=False):
                for text in _windows(case[0].context):
                    if said := self._told(one, text, least=_BEFORE, rare=False):
                        yield Leak(one.answers, 0, *said)
                        break

    def _in_question(self, earlier: Sequence[_Decisive], later: Question, known: frozenset[str]) -> Iterator[Leak]:
        """Yield what the stem and the propositions of a later question say of earlier answers."""
        for one in earlier:
            for text in _windows(later.stem):
                if said := self._told(one, text, known=known):
                    yield Leak(one.answers, later.rank, *said)
                    break
            for option in later.options:
                cued = _CUES.search(option.text) is not None
                again = len(one.whole.intersection(content(option.text))) >= _WHOLE * len(one.whole)
                if again and (said := self._told(one, option.text, least=_TOLD if cued else _AGAIN, rare=False)):
                    yield Leak(one.answers, later.rank, *said)
                    break

    def _told(
        self, one: _Decisive, text: str, *, known: frozenset[str] = frozenset(), least: float = _TOLD, rare: bool = True
    ) -> tuple[float, str] | None:
        """Return how much of a proposition a text tells and in which words, None where it does not give it away.

        A false one is given away where it is denied.
        """
        cued = _CUES.search(text) is not None
        if not one.is_true and (denied := [part for part in _CLAUSE.split(text) if _DENIALS.search(part)]):
            text, cued = " ".join(denied), True
        elif not one.is_true:
            least, rare = _AGAIN, False
        held = {word: own for word, own in forms_of(text).items() if word in one.weights and word not in known}
        share = sum(one.weights[word] for word in held) / sum(one.weights.values())
        enough = len(held) >= min(_LEAST, (len(one.weights) + 1) // 2)
        told = enough and share >= (min(least, _CUED) if rare and cued else least)
        named = rare and any(self._is_rare(own & one.forms[word] or {word}, one, cued) for word, own in held.items())
        return (share, ", ".join(sorted(held))) if told or named else None

    def _is_rare(self, spelt: set[str], one: _Decisive, cued: bool) -> bool:
        """Return whether a word names so few things that it alone tells which proposition is meant."""
        most = max((_RARE_CUED if cued else _RARE) * self._n, _FEW)
        told = spelt if cued else {word for word in spelt - one.topics if not is_figure(word)}
        return any(self._count[word] <= most for word in told)

    def _topics(self, asked: Question) -> frozenset[str]:
        """Return the words that stand all over the sections of a question's passages."""
        sections = {self._section[name] for name in asked.passage_ids if name in self._section}
        counts = [self._of_section[name] for name in sections]
        return frozenset(w for own in counts for w, n in own.items() if n >= max(_TOPIC * own[""], _OFTEN))

    def _weight(self, word: str) -> float:
        return math.log((self._n + 2) / (self._count[word] + 1))


def forms_of(text: str) -> dict[str, set[str]]:
    """Return the roots of a text's content words with the forms in which they stand there."""
    found: dict[str, set[str]] = defaultdict(set)
    for word, own in forms(text):
        found[own].add(word)
    return found


def _known(case: Sequence[Question], rank: int) -> frozenset[str]:
    """Return the words that vignette and stems have said before the question of a rank."""
    return frozenset(content(" ".join([case[0].context, *(one.stem for one in case if one.rank < rank)])))


def _windows(text: str) -> Iterator[str]:
    """Yield the sentences of a text, two by two where it has several."""
    own = [said for said in SENTENCE.split(text) if said]
    yield from own if len(own) < 2 else map(" ".join, zip(own, own[1:], strict=False))
