"""Planted contamination and truly clean questions, by code that shares nothing with the gate."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from _exams import KEYS
from sklearn.feature_extraction.text import TfidfVectorizer

from med_small_lm.schemas.rows import Option, Question

SHORT = 13  # words under which an n-gram of 13 sees nothing
N_SHORT = 50
NEAR = 0.45  # cosine of letter n-grams from which two questions are held for copies (then they share their options)
NEAR_SAME_ANSWER = 0.3  # the same where the right answers are alike too: the same fact asked twice
_SYNONYMS = dict(
    pair.split(":")
    for pair in """man:male woman:female boy:male girl:female patient:person presents:comes physician:doctor
    department:unit emergency:urgent shows:reveals history:record pain:ache weeks:fortnights months:seasons due:owing
    because:since most:chiefly likely:probable following:listed which:what cause:reason caused:produced true:correct
    false:wrong common:frequent commonly:frequently seen:found treatment:therapy drug:agent choice:selection best:ideal
    except:save all:each diagnosis:finding feature:trait features:traits associated:linked examination:check
    blood:serum elevated:raised decreased:lowered increased:raised severe:intense swelling:oedema fever:pyrexia
    child:infant baby:infant syndrome:disorder disease:disorder medication:drug medications:drugs taking:using
    notes:reports states:says brought:taken several:some past:last normal:usual laboratory:test studies:tests
    appropriate:fitting next:subsequent step:move management:care underlying:basic mechanism:process responsible:behind
    site:place type:kind located:placed nerve:neuron artery:vessel muscle:flesh bone:skeleton tumor:growth tumour:growth
    characterised:marked characterized:marked patients:persons effect:result used:employed regarding:about""".split()
)


def reworded(text: str, draw: random.Random, spare: Sequence[str]) -> str:
    """A text with 20 to 30 % of its words dropped or replaced (by a synonym or any of ``spare``), clauses swapped."""
    words = text.split()
    share = draw.uniform(0.2, 0.3)
    least, most = -(-len(words) * 2 // 10), len(words) * 3 // 10
    n_changed = min(max(round(share * len(words)), least), max(most, 1))
    for place in draw.sample(range(len(words)), n_changed):
        bare = re.sub(r"\W", "", words[place]).lower()
        words[place] = "" if draw.random() < 0.4 else _SYNONYMS.get(bare) or draw.choice(spare)
    return swapped(" ".join(word for word in words if word), draw)


def swapped(text: str, draw: random.Random) -> str:
    """A text with its clauses in another order; one clause alone is cut at a preposition, or in the middle."""
    clauses = [part for part in re.split(r"(?<=[.,;:?])\s+", text) if part]
    if len(clauses) < 2:
        words = text.split()
        cuts = [n for n, word in enumerate(words) if n and word.lower() in ("of", "in", "with", "for", "by", "is")]
        cut = draw.choice(cuts) if cuts else len(words) // 2
        return " ".join([*words[cut:], *words[:cut]])
    for place in range(0, len(clauses) - 1, 2):
        clauses[place], clauses[place + 1] = clauses[place + 1], clauses[place]
    return " ".join(clauses)


def half(text: str, draw: random.Random) -> str:
    """The first or the second half of a text's words."""
    words = text.split()
    cut = (len(words) + 1) // 2
    return " ".join(words[:cut] if draw.random() < 0.5 else words[-cut:])


def shuffled(item: Question, draw: random.Random) -> tuple[list[Option], list[str]]:
    """An item's options in another order, and the keys of the right ones."""
    own = draw.sample(item.options, len(item.options))
    options = [Option(key, option.text) for key, option in zip(KEYS, own, strict=False)]
    return options, [KEYS[n] for n, option in enumerate(own) if option.key in item.answer_keys]


def plant(items: Sequence[Question], counts: dict[str, int], spare: Sequence[str], seed: int = 0) -> list[Question]:
    """Reworded items, their options shuffled: 50 short ones, and of each exam as many long ones as ``counts`` says.

    Every second of the long ones keeps half of its stem only. The question id is the item's, behind ``whole/``,
    ``half/`` or ``short/``.
    """
    draw = random.Random(seed)
    short = [item for item in items if 4 <= len(item.stem.split()) < SHORT and item.source in counts]
    picked = draw.sample(short, N_SHORT)
    for source, n in counts.items():
        own = [item for item in items if item.source == source and len(item.stem.split()) >= SHORT]
        picked += draw.sample(own, n)
    made = []
    for n, item in enumerate(picked):
        stem = reworded(item.stem, draw, spare)
        kind = "short" if n < N_SHORT else "half" if n % 2 else "whole"
        stem = half(stem, draw) if kind == "half" else stem
        options, keys = shuffled(item, draw)
        name = f"{kind}/{item.question_id}"
        made.append(Question(name, "planted", "train", item.kind, stem, options, keys, item.answer_text))
    return made


def without_near(candidates: Sequence[Question], items: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """The candidates that no item asks in like words or with a like answer, and those that one does.

    Likeness is the cosine of letter 3- to 5-grams, weighted by rarity (scikit-learn's).
    """
    asked = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
    told = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
    stems, answers = asked.fit_transform(map(whole, items)), told.fit_transform(item.answer_text for item in items)
    far, near = [], []
    for start in range(0, len(candidates), 200):
        own = candidates[start : start + 200]
        alike = (asked.transform(map(whole, own)) @ stems.T).toarray()
        same = (told.transform(question.answer_text for question in own) @ answers.T).toarray() > 0.6
        for n, one in enumerate(own):
            copied = alike[n].max() >= NEAR or (alike[n] * same[n]).max() >= NEAR_SAME_ANSWER
            (near if copied else far).append(one)
    return far, near


def without_same_fact(
    candidates: Sequence[Question], items: Sequence[Question]
) -> tuple[list[Question], list[Question]]:
    """The candidates that hold no item's fact as house.md defines it, and those that hold one.

    The fact is the right answer's text with half of the stem's content words (those in under 5 % of the exam's stems;
    at least three), wherever they stand and in whatever order.
    """
    facts = []
    for source in {item.source for item in items}:
        own = [item for item in items if item.source == source]
        stems = [set(plain(item.stem).split()) for item in own]
        counts = Counter(word for stem in stems for word in stem)
        for item, stem in zip(own, stems, strict=True):
            content = {word for word in stem if counts[word] < 0.05 * len(own)}
            answer = plain(item.answer_text)
            if len(content) > 1 and not re.fullmatch(r" ((yes|no|maybe|true|false|[0-9]+) )*", answer):
                facts.append((content, answer))
    without, with_one = [], []
    for one in candidates:
        text = plain(f"{one.context} . {whole(one)} . {one.answer_text}")
        words = set(text.split())
        held = any(
            answer in text and len(content & words) >= max(len(content) / 2, min(3, len(content)))
            for content, answer in facts
        )
        (with_one if held else without).append(one)
    return without, with_one


def plain(text: str) -> str:
    """A text in small letters and digits, plural endings off, a space at both ends of every word."""
    return f" {re.sub('s (?=.)', ' ', re.sub('[^a-z0-9]+', ' ', text.lower()) + ' ').strip()} "


def whole(item: Question) -> str:
    """An item's stem and options."""
    return " ".join([item.stem, *(option.text for option in item.options)])
