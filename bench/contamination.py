"""The contamination gate's figures: `python bench/contamination.py`.

Guarded are the public exams at hand, 10,030 items. What is planted among clean questions is made by code of its own
(`_planted.py`). The clean questions are 1,050 items of the same exams that the gate does not guard here, an anatomy
textbook's exam, and consumers' questions with their answers, one a page: whatever another measure finds near a guarded
item, or what holds a guarded item's fact, is no clean question and taken out first. The peer is one shared word
13-gram, as exams are usually guarded.
"""

from __future__ import annotations

import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from _exams import EXAMS, exams, instructions, medquad, medquad_pages, notes, own_exam, question, sentences
from _figures import say
from _planted import plant, reworded, shuffled, without_near, without_same_fact

from med_small_lm.overlap.contamination import COVERAGE, FUZZY, RULES, SAME_FACT, ContaminationIndex, hits_of
from med_small_lm.overlap.documents import Document, question_document
from med_small_lm.overlap.normalise import words
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.schemas.rows import Question, Quote
from med_small_lm.synthesis.heldout import guards_of

PARAMS = QuestionGates()
BOOKS = ("anatomy_physiology", "pharmacology", "nutrition")
UNGUARDED = {"medqa": 400, "medmcqa": 900, "mmlu_medical": 200, "pubmedqa": 150}
CLEAN = {"medqa": 250, "medmcqa": 580, "mmlu_medical": 140, "pubmedqa": 80, "openstax": 600, "medquad": 350}
PLANTED = {"medqa": 60, "medmcqa": 45, "mmlu_medical": 25, "pubmedqa": 20}
N = 441_000  # records of Meerkat's instruction data
LIKE_MEDQA = 0.2  # of them have MedQA-CoT's lengths (its own and those from textbooks), the rest MedMCQA's
SAMPLE = 2_000
SEEDS = (11, 12, 13)  # the gate was developed on 0 to 4


def guards(items: Sequence[Question]) -> list[ContaminationIndex]:
    """The guards that a run makes of these items."""
    return guards_of(items, coverage=PARAMS.coverage, fuzzy=PARAMS.fuzzy)


def divided(seed: int) -> tuple[list[Question], list[Question]]:
    """The guarded items, and those of the same exams that are not guarded; no stem is on both sides."""
    every, draw = exams(), random.Random(seed)
    names = {q.question_id for s, n in UNGUARDED.items() for q in draw.sample([q for q in every if q.source == s], n)}
    stems = {item.stem for item in every if item.question_id in names}
    free = [item for item in every if item.stem in stems and item.source in UNGUARDED]
    return [item for item in every if item.stem not in stems], free


def clean_questions(free: Sequence[Question], guarded: Sequence[Question], seed: int) -> list[Question]:
    """2,000 questions that ask nothing that is guarded."""
    asked = [
        question(f"medquad-{n}", "medquad", stem, {}, [], answer=" ".join(answer.split()[:100]))
        for n, page in enumerate(medquad_pages())
        for stem, answer in [random.Random(f"{seed} {n}").choice(page)]
    ]
    far, near = without_near([*free, *own_exam(), *asked], guarded)
    clean, holding = without_same_fact(far, guarded)
    print({"near": Counter(q.source for q in near), "same fact": Counter(q.source for q in holding),
           "left": Counter(q.source for q in clean)}, file=sys.stderr)  # fmt: skip
    draw = random.Random(seed)
    return [q for source, n in CLEAN.items() for q in draw.sample([q for q in clean if q.source == source], n)]


def by_13_grams(items: Sequence[Question], records: Sequence[Question]) -> int:
    """How many records share a word 13-gram with an item."""

    def grams(item: Question) -> set[tuple[str, ...]]:
        own = words(" ".join([item.context, item.stem, *(option.text for option in item.options)]))
        return {tuple(own[n : n + 13]) for n in range(len(own) - 12)}

    known = set().union(*map(grams, items))
    return sum(not known.isdisjoint(grams(record)) for record in records)


def planted(seed: int) -> bool:
    """Recall and precision on 200 planted records among 2,000 clean ones, and the alarms on vital signs."""
    guarded, free = divided(seed)
    spare = [word for text in sentences("nutrition") for word in text.split() if word.isalpha()]
    made, clean = plant(guarded, PLANTED, spare, seed), clean_questions(free, guarded, seed)
    gate = guards(guarded)
    found = list(hits_of(map(question_document, made), gate))
    right = [record.question_id.split("/")[1] in {hit.question_id for hit in hits}
             for record, hits in zip(made, found, strict=True)]  # fmt: skip
    alarms = [(q, hits) for q, hits in zip(clean, hits_of(map(question_document, clean), gate), strict=True) if hits]
    for record, known in zip(made, right, strict=True):
        if not known:
            print(f"missed {record.question_id}: {record.stem}", file=sys.stderr)
    for q, hits in alarms:
        print(f"alarm {q.question_id}: {hits[0].rule} {hits[0].reason}", file=sys.stderr)
    recall, precision = sum(right) / len(made), sum(right) / max(sum(right) + len(alarms), 1)
    kinds = Counter(record.question_id.split("/")[0] for record in made)
    parts = Counter(record.question_id.split("/")[0] for record, known in zip(made, right, strict=True) if known)
    said = ", ".join(f"{kind} {parts[kind]} of {n}" for kind, n in kinds.items())
    grams = by_13_grams(guarded, made), by_13_grams(guarded, clean)
    name = f"planted items whose gate names the item, of {len(made)}, seed {seed} ({said})"
    good = say(name, recall, ">= 0.95", recall >= 0.95, "share", grams[0] / len(made))
    name = f"precision among {len(clean):,} clean questions, seed {seed} ({len(alarms)} alarms)"
    good &= say(name, precision, ">= 0.95", precision >= 0.95, "share", grams[0] / max(sum(grams), 1))
    return good & vital_signs(guarded, clean, gate, seed)


def vital_signs(
    guarded: Sequence[Question], clean: Sequence[Question], gate: list[ContaminationIndex], seed: int
) -> bool:
    """The share of clean questions that alarm because a guarded vignette's vital signs stand in them, word for word."""
    pattern = re.compile(r"[^.]*(?:temperature is|blood pressure is|pulse is|vital signs)(?:[^.]|\.(?=\d))*\.", re.I)
    lines = [" ".join(pattern.findall(item.stem)) for item in guarded if item.source == "medqa"]
    lines, draw = [line for line in lines if line], random.Random(seed)
    quiet = [q for q, hits in zip(clean, hits_of(map(question_document, clean), gate), strict=True) if not hits]
    dressed = [replace(q, stem=f"{draw.choice(lines)} {q.stem}") for q in draw.sample(quiet, 1_000)]
    alarms = [hits for hits in hits_of(map(question_document, dressed), gate) if hits]
    print({"vital signs": Counter(hit.rule for hits in alarms for hit in hits)}, file=sys.stderr)
    share = len(alarms) / len(dressed)
    name = f"clean questions that alarm behind the vital signs of a guarded vignette, of {len(dressed):,}, seed {seed}"
    return say(name, share, "<= 0.01", share <= 0.01, "share", by_13_grams(guarded, dressed) / len(dressed))


def records(items: Sequence[Question], seed: int = 0) -> Iterator[Question]:
    """441,000 questions with rationales out of the books' sentences and the instruction sets; one in 100 is an item."""
    draw = random.Random(seed)
    texts = [text for book in BOOKS for text in sentences(book)]
    told = [text for pair in (*medquad(), *notes(), *instructions()) for text in pair]
    texts += [s for text in told for s in re.split(r"(?<=[.!?])\s+", text) if 8 <= len(s.split()) <= 40]
    long = [len(item.stem.split()) for item in items if item.source == "medqa"]
    short = [len(item.stem.split()) for item in items if item.source == "medmcqa"]
    spare = [word for text in texts[:5_000] for word in text.split() if word.isalpha()]
    for n in range(N):
        big = draw.random() < LIKE_MEDQA
        stem, option_words = cut(draw, texts, draw.choice(long if big else short)), draw.randint(1, 6)
        options = {key: cut(draw, texts, option_words) for key in "ABCD"}
        made = question(f"r-{n}", "made", stem, options, [draw.choice("ABCD")])
        if n % 100 == 0:
            item = draw.choice(items)
            own, keys = shuffled(item, draw)
            made = replace(item, stem=reworded(item.stem, draw, spare), options=own, answer_keys=keys, context="")
        why = cut(draw, texts, draw.randint(120, 260) if big else draw.randint(20, 120))
        yield replace(made, quotes=[Quote("", why)])


def cut(draw: random.Random, texts: Sequence[str], n_words: int) -> str:
    """So many words of sentences drawn at random."""
    found: list[str] = []
    while len(found) < n_words:
        found += draw.choice(texts).split()
    return " ".join(found[:n_words])


def scale() -> bool:
    """Time and memory of 441,000 records against every item, and the same by brute force on a sample."""
    items = exams()
    gate = guards(items)
    picked = set(random.Random(1).sample(range(N), SAMPLE))
    sample: list[tuple[Document, list[Any]]] = []
    flagged, place, wall, cpu, source = 0, 0, 0.0, 0.0, records(items)
    while chunk := [question_document(record) for record in islice(source, 10_000)]:
        began, used = time.perf_counter(), time.process_time()
        found = list(hits_of(chunk, gate))
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - used
        flagged += sum(map(bool, found))
        sample += [(chunk[n], found[n]) for n in range(len(chunk)) if place + n in picked]
        place += len(chunk)
        print(f"{place:,} records, {wall:.0f} s, {cpu:.0f} s of CPU, {flagged:,} flagged", file=sys.stderr)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    used = f"one process, {cpu / 60:.2f} min of CPU"
    name = f"{place:,} records against {len(items):,} items, {used} ({flagged:,} flagged)"
    good = say(name, round(wall / 60, 2), "<= 10 min", wall <= 600, "min")
    good &= say("memory of this, the making of the records included", round(memory, 2), "<= 4 GB", memory <= 4, "GB")
    own = [{(hit.benchmark, hit.question_id, hit.rule, round(hit.value, 9)) for hit in hits} for _, hits in sample]
    other = brute_force([document for document, _ in sample], items, gate)
    unequal = sum(left != right for left, right in zip(own, other, strict=True))
    print({rule: sum(hit[2] == rule for hits in other for hit in hits) for rule in RULES}, file=sys.stderr)
    name = f"records, of {len(sample):,}, whose hits are not brute force's (it finds {sum(map(len, other)):,})"
    return good & say(name, unequal, "0", unequal == 0, "records")


def brute_force(
    documents: Sequence[Document], items: Sequence[Question], gate: list[ContaminationIndex]
) -> list[set[Any]]:
    """Every item laid beside every document by the definitions, without an index."""
    from _brute_force import Beside

    beside = [Beside(guard, [item for item in items if item.source == guard.items[0].benchmark]) for guard in gate]
    return [{hit for one in beside for hit in one.hits(document, COVERAGE, SAME_FACT, FUZZY)} for document in documents]


def main(names: Sequence[str]) -> int:
    """The exit status: 0 if every figure met its goal. Each part runs in a process of its own, for its memory."""
    if not EXAMS.exists():
        say("the contamination gate on the public exams", "skipped", ">= 0.95", None)
        return 0
    if names:
        return 0 if all([PARTS[name]() for name in names]) else 1
    return max(subprocess.run([sys.executable, __file__, name], check=False).returncode for name in PARTS)


PARTS = {"planted": lambda: all([planted(seed) for seed in SEEDS]), "scale": scale}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
