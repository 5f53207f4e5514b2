"""Conversations: a question and its rationale as patient and doctor would say them, and chats put in another form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from med_small_lm.teacher.builtin import clauses, draws, naming
from med_small_lm.teacher.builtin.sentences import plain, sentences, starts_upper, words

_OPENINGS = ("I have a question.", "Can you help me?", "May I ask something?")
_BACK = ("What is it?", "What would you like to know?", "What is it about?")
_POLITE = re.compile(
    r"^(?:hi|hello|hey|dear|greetings|welcome|thanks?|good (?:morning|day|evening))\b|\b(?:thank you|thanks(?! to)|"
    r"(?<!with )regards|best wishes|take care(?=\W*$)|chat ?doctor|hope (?:this|that|i|my|it)|wish you|wishing|"
    r"let me know|feel free|i (?:understand|appreciate) your (?:concern|question|query)|further (?:queries|questions)|"
    r"(?:gone|went|going) through your|www\.|https?:|visit our|subscribe|icliniq|healthcaremagic)\b",
    re.IGNORECASE,
)
_GREETING = re.compile(r"^(?:hi|hello|hey|dear \w+|greetings)(?: there| dear| sir| madam)?[,!.:]+\s*", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(?:The |An? )?(?P<s>[A-Z][\w'’-]+(?: (?!with|of|in|for)[\w'’-]+){0,3}?) (?:is|are|was|has|have|can|may|[a-z]+s)\b"
)
_WAYS = (
    "Please {low}",
    "Your task is this: {text}",
    "Here is what to do: {text}",
    "This is what is asked: {text}",
    "You are asked the following: {text}",
    "Do what is said here: {text}",
    "Follow this instruction: {text}",
    "What to do now: {text}",
)


def dialogue(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return a conversation in which the doctor asks what the question is, and answers it with the rationale.

    Slots: stem, answer, rationale, seed.
    """
    stem, turn = str(slots["stem"]), draws.number(int(slots["seed"]), slots["stem"])
    said = [
        ("patient", _OPENINGS[turn % len(_OPENINGS)]),
        ("doctor", _BACK[turn // 7 % len(_BACK)]),
        ("patient", stem),
        ("doctor", f"{slots['rationale']} The answer is {str(slots['answer']).rstrip('.')}."),
    ]
    return {"messages": [{"speaker": speaker, "text": text} for speaker, text in said]}


def clean(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return a doctor's answer without the sentences that greet, thank or advertise; slot: answer."""
    told = [_GREETING.sub("", sentence) for sentence in sentences(str(slots["answer"]))]
    return {
        "answer": " ".join(starts_upper(sentence) for sentence in told if sentence and not _POLITE.search(sentence))
    }


def flashcard(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the front of a card as a question and its back as a sentence; slots: question, answer."""
    front, back = _last_line(str(slots["question"])), " ".join(str(slots["answer"]).split())
    if not front or not back:
        return {"question": "", "answer": ""}
    asked = front if front.endswith("?") else f"What is to be said of {front.rstrip('.:')}?"
    return {"question": starts_upper(asked), "answer": starts_upper(back if back[-1] in ".!?" else f"{back}.")}


def heading(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the question that a paragraph answers by its heading and its first subject; slots: question, answer."""
    title, first = _last_line(str(slots["question"])), next(iter(sentences(str(slots["answer"]))), "")
    found = _SUBJECT.match(plain(first))
    subject = naming.inside_sentence(found["s"], first) if found and not clauses.leans(first) else ""
    if title.endswith("?"):
        return {"question": title}
    if set(words(title)) <= set(words(str(slots["answer"]))):
        return {"question": f"What is {title}?" if title else ""}
    verb = "are" if re.search(r"[^siu]s$", title) else "is"
    return {"question": f"What {verb} the {title.lower()} of {subject}?" if title and subject else ""}


def paraphrase(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return an instruction in other words, up to ``n`` of them; slots: instruction, n, seed."""
    text = str(slots["instruction"])
    low = text if text[:2].isupper() or text.startswith("{") else text[:1].lower() + text[1:]
    ways = draws.shuffled(_WAYS, int(slots["seed"]), text)[: int(slots["n"])]
    return {"paraphrases": [way.format(text=text, low=low) for way in ways]}


def _last_line(text: str) -> str:
    """Return the last line of what stands before an answer: an instruction may stand above it."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
