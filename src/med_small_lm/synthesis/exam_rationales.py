"""Rationales for the exams' own train splits, the right answer hidden, no passage behind them (Meerkat's MedQA-CoT)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from med_small_lm.params.synthesize_cot import ExamRationales
from med_small_lm.schemas.rows import Passage, Question
from med_small_lm.synthesis.asked import Asked, is_drawn
from med_small_lm.synthesis.exemplars import nearest
from med_small_lm.synthesis.kinds import SINGLE, YES_NO
from med_small_lm.synthesis.shots import asked_text, question_slots, solved_nearest, with_shots
from med_small_lm.teacher.prompts import Prompt

METHOD = "exam_cot"
QUESTION_METHOD = "exam"
TRAIN = "train"
UNKNOWN = "unknown"
"""The licence of an item whose exam tells none."""


def train_items(exams: Sequence[Question], share: float) -> list[Question]:
    """Return the drawn questions of the exams' train splits, under their own ids, as records that may be trained on.

    They are those with one right answer, which is what the prompt asks for; a progressive case is not taken apart.
    """
    return [
        replace(question, method=QUESTION_METHOD, licence=question.licence or UNKNOWN, passage_ids=[])
        for question in exams
        if question.split == TRAIN and question.kind in (SINGLE, YES_NO) and is_drawn(question.question_id, share)
    ]


def exam_requests(
    items: Sequence[Question],
    exemplars: Sequence[Question],
    passages: Sequence[Passage],
    prompt: Prompt,
    params: ExamRationales,
    samples: int = 1,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher: ``samples`` requests for each item, which stands where a passage would.

    ``exemplars`` are questions of the exams' dev splits, ``passages`` those of the books that may be shown; a question
    beside a request names the ones that are. The right answer is in no slot.
    """
    near = nearest([_searched(item) for item in items], [one.text for one in passages], params.passages)
    solved = solved_nearest(items, exemplars, params.exemplars)
    filled = _slots if params.passages else _bare
    asked: list[Asked] = []
    for item, places, shots in zip(items, near, solved, strict=True):
        shown = [passages[place] for place in places]
        slots = _slots(item, *(passage.text for passage in shown))
        licence = " and ".join(dict.fromkeys([item.licence, *(passage.licence for passage in shown)]))
        question = replace(item, passage_ids=[passage.passage_id for passage in shown], licence=licence)
        for sample in range(samples):
            request = with_shots(prompt.request(slots, sampling or {}, sample), prompt, shots, filled)
            asked.append(Asked(request, item_passage(item), question))
    return asked


def item_passage(item: Question) -> Passage:
    """Return an exam's item as the text that a request is about."""
    text = asked_text(item)
    return Passage(item.question_id, item.source, 0, "", 1, 1, text, len(text.split()), "", item.licence, "exam")


def _slots(item: Question, *passages: str) -> dict[str, Any]:
    return question_slots(item) | {"passages": passages}


def _bare(item: Question, _: str) -> dict[str, Any]:
    return _slots(item)


def _searched(item: Question) -> str:
    """Return the words by which passages are looked for: the question's and its options'."""
    return " ".join([asked_text(item), *(option.text for option in item.options)])
