"""How records are distributed: by step, gate and chapter, by the place of the right answer, by length."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import quantiles

from med_small_lm.schemas.rows import Instruction, Question, Record
from med_small_lm.synthesis.accounts.coverage import Made, step_of
from med_small_lm.synthesis.accounts.report import gate_counts
from med_small_lm.synthesis.gates.verdicts import REPLY, passed


def records_by_step(made: Made) -> dict[str, list[Record]]:
    """Return the records of each step."""
    found: dict[str, list[Record]] = defaultdict(list)
    for record in made.all():
        found[step_of(record.method)].append(record)
    return found


def kept_by_step(made: Made) -> dict[str, list[Record]]:
    """Return the records of each step that passed every gate."""
    return {step: [one for one in records if passed(one)] for step, records in records_by_step(made).items()}


def gates_in_order(records: Sequence[Record]) -> list[tuple[str, Counter[str]]]:
    """Return the gates as records meet them, with their counts; first stands the one for what is no record.

    A gate's place is the latest that it has in a record: some records are spared gates that others meet.
    """
    places: dict[str, int] = {}
    for record in records:
        for place, said in enumerate(record.gates, start=1):
            places[said.gate] = max(places.get(said.gate, 0), place)
    places[REPLY] = 0
    return sorted(gate_counts(records).items(), key=lambda item: places[item[0]])


def chapter_of(section: str) -> str:
    """Return the chapter of a section's path."""
    return section.partition(" > ")[0]


def answer_places(kept: Iterable[Question]) -> dict[str, int]:
    """Return how many right answers stand under each option's key, those under which none does among them."""
    places: Counter[str] = Counter()
    for question in kept:
        places.update({option.key: 0 for option in question.options})
        places.update(question.answer_keys)
    return dict(sorted(places.items()))


def lengths_of(kept: Mapping[str, Sequence[Record]]) -> dict[str, list[int]]:
    """Return the lengths in words of what the kept records consist of, by its name."""
    found: dict[str, list[int]] = defaultdict(list)
    for step, records in kept.items():
        for record in records:
            if isinstance(record, Question):
                found[f"{step}: stem"].append(len(record.stem.split()))
                found[f"{step}: right option"].append(len(record.answer_text.split()))
                wrong = [option.text for option in record.options if option.key not in record.answer_keys]
                found[f"{step}: wrong options"] += [len(text.split()) for text in wrong]
            else:
                found[step].append(len(text_of(record).split()))
    return dict(found)


def text_of(record: Record) -> str:
    """Return what a record says that is no question; the turns of a conversation stand one behind the other."""
    if isinstance(record, Instruction):
        return " ".join(f"{one.role}: {one.content}" for one in record.messages)
    return "" if isinstance(record, Question) else record.text


def five_numbers(values: Sequence[int]) -> tuple[float, float, float, float, float]:
    """Return the least value, the three quartiles, and the greatest."""
    if len(values) < 2:
        only = float(values[0]) if values else 0.0
        return only, only, only, only, only
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return min(values), low, middle, high, max(values)
