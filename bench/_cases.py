"""Progressive cases from the books' own sentences, clean and with a leak planted, by code that shares nothing with the
gate.

A proposition is a sentence of a book, or a sentence with its key term changed for that of another one. A clean case
builds on what came before: time passes, new findings come up, and its stems name what the section is about.
"""  # noqa: D205

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from _planted import _SYNONYMS, swapped

from med_small_lm.schemas.rows import Option, Passage, Question, Quote

QUESTIONS, PROPOSITIONS = 4, 4
_LEANS = re.compile(
    r"^(?:This|These|That|Those|It|They|He|She|His|Her|Their|Its|However|For example|In addition|Also|Another|Such|We|"
    r"You|Figure|Table|See|Both|Other|But|And|Thus|Therefore|As a result|In contrast|Finally|First|Second|Here|There|"
    r"Chapter)\b"
)
_AWAY = re.compile(
    r"\d\.\d|\. |[|•“”\[\](:]|\b(?:[Cc]hapter|[Ss]ection|[Ff]igures?|[Tt]ables?|figure/table|you|your|we|[Oo]utcomes|"
    r"[Ww]ebsite|site|[Mm]nemonic|[Ll]ink|[Vv]ideo|discussed|earlier|passage|excerpt|text|questions?)\b"
)
_NO_NOUN = re.compile(
    r"(?:ed|ing|ly|ize|ise|ous|ive|al|ic|ary|able|ible|ent|ant|ar|ful|est|less|ible|ify|ate|ates|izes|ern|ior|ial|en|er)$"
)
_BEFORE_A_NOUN = set("the a an of in with by from for as and or is are called".split())
_SMALL = set(
    "about above after again against also although among another because been before being below between both cannot "
    "could does doing down during each either every from further have having here however into itself just less like "
    "made make many more most much must need neither often only other others over same several should since some such "
    "than that their them then there these they this those through under until upon usually very were what when where "
    "which while whose will with within without would your example called known include includes including".split()
)
_AGES = range(21, 79)
_PEOPLE = ("woman", "man", "teacher", "farmer", "nurse", "retired engineer")
_COMPLAINTS = (
    "tiredness for three weeks", "trouble sleeping", "a cough since last month", "loss of appetite",
    "headaches at work", "pain in the right knee", "a routine visit", "weight loss of 4 kg", "dizziness on standing",
    "itching at night",
)  # fmt: skip
_TIMES = (
    "Two days later", "A week later", "At the visit after a month", "48 hours after admission", "Half a year later",
    "The next morning", "Twelve weeks afterwards", "On the following day",
)  # fmt: skip
_FINDINGS = (
    "the blood pressure has risen to 150/95 mm Hg", "the temperature is 38.6 degrees Celsius",
    "a blood test shows a mild anemia", "the patient reports poor sleep and less appetite",
    "the heart rate is 104 beats a minute", "a urine sample is taken", "the patient feels better and walks again",
    "a relative has been admitted with the same complaint", "the patient has stopped smoking",
    "a new rash is seen on both arms", "the weight has not changed", "the laboratory calls with a normal result",
)  # fmt: skip
MORE = {
    "increases": "raises", "decreases": "lowers", "produces": "makes", "occurs": "happens", "contains": "holds",
    "large": "big", "important": "essential", "used": "applied", "helps": "aids", "several": "some", "body": "organism",
    "begins": "starts", "prevents": "averts", "located": "situated", "called": "named", "many": "numerous",
    "people": "persons", "usually": "mostly", "result": "outcome", "provides": "gives", "allows": "lets",
    "patients": "the sick", "caused": "brought about", "treated": "managed", "shows": "reveals", "sign": "mark",
}  # fmt: skip
KINDS = (
    "verbatim",
    "reworded",
    "turned",
    "key term",
    "given",
    "later still",
    "vignette",
    "denied",
    "presupposed",
    "inflected",
)


@dataclass(frozen=True)
class Sentence:
    """A sentence of a book with its key term."""

    text: str
    key: str
    passage: Passage


def sections(
    passages: Sequence[Passage], by: Callable[[Passage], str], values: Sequence[str] = ()
) -> list[list[Sentence]]:
    """The sections (``by``) that have sentences enough, with their key terms: the fact table's ``values`` that stand in
    them, or where none are given the rarest words.
    """  # noqa: D205
    said = {p.passage_id: re.split(r"(?<=[a-z)]\.)\s+(?=[A-Z])", p.text.replace("\n", " ")) for p in passages}
    counts = Counter(word for own in said.values() for text in own for word in set(plain(text)))
    no_nouns = _used_as_verbs(passages)
    by_section: dict[str, list[Sentence]] = {}
    for passage in passages:
        for text in said[passage.passage_id]:
            held = [value for value in values if value in text]
            key = max(held, key=len, default="") if values else key_of(text, counts, no_nouns)
            is_whole = 8 <= len(text.split()) <= 30 and text.endswith(".") and text[0].isupper()
            if key and is_whole and not _LEANS.match(text) and not _AWAY.search(text):
                by_section.setdefault(by(passage), []).append(Sentence(text, key, passage))
    return [own for own in map(_specific, by_section.values()) if len(own) >= 2 * QUESTIONS * PROPOSITIONS]


def _specific(own: Sequence[Sentence]) -> list[Sentence]:
    """The sentences whose key term is theirs and at most two other ones' of the section: what more name is a topic."""
    holders = Counter(word for one in own for word in set(plain(one.text)))
    return [one for one in own if min(holders[word] for word in plain(one.key)) <= 3]


def _used_as_verbs(passages: Sequence[Passage]) -> set[str]:
    """The words that stand behind a pronoun, an auxiliary or "to" somewhere: they are no terms."""
    before = re.compile(
        r"\b(?:to|can|may|will|must|should|not|they|it|he|she|that|which|who|also|more|very|be) ([a-z]+)\b"
    )
    return {word for passage in passages for word in before.findall(passage.text)}


def key_of(text: str, counts: Counter[str], no_nouns: set[str]) -> str:
    """The rarest noun of a sentence, with the word before it where that is rare, too; empty where none is rare."""
    words = text.rstrip(".").split()
    bare = [re.sub(r"\W", "", word).lower() for word in words]
    able = [
        n
        for n, word in enumerate(bare)
        if n and len(word) > 6 and words[n].strip(",;:").isalpha() and word not in _SMALL | no_nouns
        if _BEFORE_A_NOUN & set(bare[max(n - 2, 0) : n]) and not _NO_NOUN.search(word)
    ]
    if not able:
        return ""
    place = min(able, key=lambda n: (counts[bare[n]], -len(bare[n])))
    if counts[bare[place]] > 40:
        return ""
    has_two = place - 1 in able and counts[bare[place - 1]] <= 150 and words[place - 1][-1].isalpha()
    first = place - has_two
    key = " ".join(word.strip(",;:()'’") for word in words[first : place + 1])
    return key if re.search(rf"\b{re.escape(key)}\b", text) else ""


def plain(text: str) -> list[str]:
    """The lower-case words of a text."""
    return re.findall(r"[a-z]+", text.lower())


def case(own: Sequence[Sentence], name: str, draw: random.Random) -> tuple[list[Question], dict[str, str]]:
    """A clean case of a section, empty if it has too few sentences, and the key terms by the texts of its propositions.

    No stem and no vignette names a key term.
    """
    chosen = _apart(draw.sample(list(own), len(own)), QUESTIONS * PROPOSITIONS)
    if len(chosen) < QUESTIONS * PROPOSITIONS:
        return [], {}
    words = {word for one in chosen for word in plain(one.text)}
    begun = {word[:4] for word in words}
    spare = [one for one in own if one not in chosen and not begun & {word[:4] for word in plain(one.key)}]
    if not spare:
        return [], {}
    keys = {word for one in (*chosen, *spare) for word in plain(one.key)}
    common = Counter(word for one in own for word in set(plain(one.text)))
    topics = [w for w, n in common.most_common(40) if n >= 3 and len(w) > 4 and w not in keys and w not in _SMALL][:5]
    person, age = draw.choice(_PEOPLE), draw.choice(_AGES)
    about = ", ".join(["health", *topics])
    vignette = f"A {age}-year-old {person} comes with {draw.choice(_COMPLAINTS)}. The talk turns to {about}."
    questions, terms = [], dict[str, str]()
    for rank in range(1, QUESTIONS + 1):
        some = chosen[(rank - 1) * PROPOSITIONS : rank * PROPOSITIONS]
        lies = draw.sample(range(PROPOSITIONS), draw.choice((1, 2, 3)))
        keyed = [_changed(one, draw.choice(spare)) if n in lies else (one.text, one.key) for n, one in enumerate(some)]
        told = [text for text, _ in keyed]
        terms |= dict(keyed)
        earlier = [*(one.text for one in chosen[: (rank - 1) * PROPOSITIONS]), *terms]
        before = {word for text in earlier for word in plain(text)}
        new = [w for one in some for w in plain(one.text) if len(w) > 6 and w not in before | keys | _SMALL]
        about = [*draw.sample(topics, min(2, len(topics))), *draw.sample(new, min(1, len(new)))]
        topic = f" They ask about {' and '.join(about)}." if about else ""
        later = f"{draw.choice(_TIMES)}, {draw.choice(_FINDINGS)}.{topic} " if rank > 1 else ""
        options = [Option(key, text) for key, text in zip("ABCD", told, strict=True)]
        right = [option for n, option in enumerate(options) if n not in lies]
        questions.append(
            Question(
                f"{name}-{rank}", some[0].passage.book, "train", "progressive",
                f"{later}Which of the following statements are correct?", options, [option.key for option in right],
                "; ".join(option.text for option in right), name, rank, context=vignette,
                quotes=[Quote(o.key, s.text, "", s.passage.passage_id) for o, s in zip(options, some, strict=True)],
                method="case", call_id="bench", passage_ids=list(dict.fromkeys(s.passage.passage_id for s in some)),
                licence="CC-BY-4.0",
            )
        )  # fmt: skip
    return questions, terms


def _apart(own: Sequence[Sentence], n: int) -> list[Sentence]:
    """The first sentences none of which names another one's key term."""
    found: list[Sentence] = []
    for one in own:
        text, key = set(plain(one.text)), set(plain(one.key))
        if len(found) < n and not any(key & set(plain(o.text)) or set(plain(o.key)) & text for o in found):
            found.append(one)
    return found


def _changed(one: Sentence, other: Sentence) -> tuple[str, str]:
    return re.sub(rf"\b{re.escape(one.key)}\b", other.key, one.text, count=1), other.key


def leaked(clean: Sequence[Question], keys: dict[str, str], kind: str, draw: random.Random) -> list[Question]:
    """The case with one leak of a kind; ``keys`` are the key terms by the texts of the propositions."""
    questions = list(clean)
    j = draw.randrange(QUESTIONS - (2 if kind == "later still" else 1))
    k = j + 2 if kind == "later still" else draw.randrange(j + 1, QUESTIONS)
    is_true = kind != "denied"
    able = [o.text for o in questions[j].options if (o.key in questions[j].answer_keys) == is_true]
    text = draw.choice(able)
    key, bare = keys[text], text.rstrip(".")
    inside = bare if bare[:2].isupper() else bare[0].lower() + bare[1:]
    says = {
        "verbatim": f"It has turned out that {inside}.",
        "reworded": f"{reworded(bare, key, draw)}, as they learned.",
        "turned": f"{swapped(bare, draw)}, they read.",
        "key term": f"In the meantime they have read more about {key}.",
        "given": f"Given the confirmed {key}, the plan is changed.",
        "later still": draw.choice([f"{reworded(bare, key, draw)}.", f"The {key} is talked over once more."]),
        "vignette": f"{reworded(bare, key, draw)}.",
        "denied": draw.choice([f"After {key} has been ruled out, they go on.", f"They know that it is not {key}."]),
        "presupposed": f"Because {inside}, a check is due every year.",
        "inflected": f"{inflected(bare, draw)}, says a colleague.",
    }[kind]
    if kind == "vignette":
        return [replace(question, context=f"{question.context} {says}") for question in questions]
    if kind == "presupposed":
        options = [*questions[k].options]
        options[1] = replace(options[1], text=says)
        questions[k] = replace(questions[k], options=options)
        return questions
    stem = questions[k].stem
    cut = stem.index("Which of the following")
    questions[k] = replace(questions[k], stem=f"{stem[:cut]}{says[0].upper()}{says[1:]} {stem[cut:]}")
    return questions


def reworded(text: str, key: str, draw: random.Random) -> str:
    """A text with synonyms where there are some, and a fifth of its other words left out, none of the key term's."""
    words = []
    for word in text.split():
        bare = re.sub(r"\W", "", word).lower()
        other = _SYNONYMS.get(bare) or MORE.get(bare)
        if other or draw.random() > 0.2 or bare in plain(key):
            words.append(other or word)
    return " ".join(words)


def inflected(text: str, draw: random.Random) -> str:
    """A text whose nouns and verbs have other endings, its first words left out."""
    words = text.split()[draw.choice((0, 1, 2)) :]
    turns = (("ies", "y"), ("ing", "ed"), ("tion", "ting"), ("ed", "ing"), ("s", ""), ("", "s"))
    for n, word in enumerate(words):
        if len(word) > 5 and word.isalpha() and draw.random() < 0.6:
            end, other = next((end, other) for end, other in turns if word.endswith(end))
            words[n] = (word[: len(word) - len(end)] if end else word) + other
    return " ".join(words)


def naive(case: Sequence[Question]) -> bool:
    """Whether a later stem or the vignette shares 8 words in a row with a right proposition, or holds it whole."""
    for question in case:
        texts = [case[0].context, *(later.stem for later in case if later.rank > question.rank)]
        for option in question.options:
            if option.key not in question.answer_keys:
                continue
            words = plain(option.text)
            grams = {" ".join(words[n : n + 8]) for n in range(max(len(words) - 7, 1))}
            if any(f" {gram} " in f" {' '.join(plain(text))} " for text in texts for gram in grams):
                return True
    return False
