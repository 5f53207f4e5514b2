"""A preview: a few passages through every step, shown, and what all of them would take."""

from __future__ import annotations

import logging
import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Passage, Record
from med_small_lm.synthesis.asked import Asked
from med_small_lm.teacher.pilot import Group, Measured
from med_small_lm.teacher.requests import Reply

LOG = logging.getLogger(__name__)
_SHOWN = 2  # requests of one step that are shown of a passage


@dataclass(frozen=True)
class Preview:
    """Which passages a preview asks about (as many as a pilot needs), and which of them are shown.

    The draw is the same in every node, so that each step goes on with what the one before it made.
    """

    asked: tuple[str, ...]
    shown: frozenset[str]
    passages: int

    @classmethod
    def of(cls, passages: Sequence[Passage], params: TeacherParams) -> Preview | None:
        """The preview that ``teacher.sample`` asks for, None where it is 0."""
        if not params.sample:
            return None
        least = max(params.sample, params.pilot.calls, math.ceil(params.pilot.share * len(passages)))
        ids = sorted(passage.passage_id for passage in passages)
        drawn = random.Random(0).sample(ids, min(least, len(ids)))
        return cls(tuple(drawn), frozenset(drawn[: params.sample]), len(ids))

    def chosen(self, asked: Sequence[Asked]) -> list[Asked]:
        """What is asked about the passages of the preview."""
        within = set(self.asked)
        return [one for one in asked if one.passage.passage_id in within]

    def rest(self, asked: Sequence[Asked]) -> list[Asked]:
        """What is asked about all other passages."""
        within = set(self.asked)
        return [one for one in asked if one.passage.passage_id not in within]

    def show_replies(self, what: str, asked: Sequence[Asked], replies: Sequence[Reply]) -> None:
        """Log the prompts and replies of the passages shown."""
        counts = len(self.asked), self.passages, len(self.shown)
        LOG.info("%s: preview of %d passages of %d; %d are shown", what, *counts)
        seen: Counter[str] = Counter()
        for one, reply in zip(asked, replies, strict=True):
            name = one.passage.passage_id
            seen[name] += 1
            if name in self.shown and seen[name] <= _SHOWN:
                prompt = "\n".join(f"[{message.role}]\n{message.content}" for message in one.request.messages)
                LOG.info("%s, %s, prompt:\n%s", what, name, prompt)
                LOG.info("%s, %s, reply (%s):\n%s", what, name, reply.status, reply.content or reply.reason)

    def show_verdicts(self, what: str, records: Sequence[Record]) -> None:
        """Log what the gates said of the records made from the passages, exam items or instructions shown."""
        for record in records:
            about = [*record.passage_ids, getattr(record, "question_id", ""), *getattr(record, "parent_ids", ())]
            if name := next((one for one in about if one in self.shown), ""):
                said = getattr(record, "stem", "") or getattr(record, "text", "")
                said = said or "\n  ".join(f"{one.role}: {one.content}" for one in getattr(record, "messages", ()))
                gates = "; ".join(f"{gate.gate} {gate.verdict}" + (f" ({gate.reason})" if gate.reason else "")
                                  for gate in record.gates)  # fmt: skip
                LOG.info("%s, %s: %s\n  %s", what, name, said, gates or "no gate yet")

    def groups(
        self, chosen: Sequence[Asked], replies: Sequence[Reply], waiting: Sequence[Asked], *, is_later: bool
    ) -> list[Group]:
        """What the calls of the preview tell about those that all passages need, method by method.

        A first step's prompts are all rendered, so number and length of those that wait are known. Those of a later
        step come out of replies that are not there yet: their number is estimated from what each passage gave rise to.
        """
        if not is_later:
            return groups_of(chosen, replies, waiting)
        per_passage = Counter((one.method, one.passage.passage_id) for one in chosen)
        left = self.passages - len(self.asked)
        return [
            replace(group, per_unit=[per_passage[group.name, name] for name in self.asked], units_waiting=left)
            for group in groups_of(chosen, replies, [])
        ]


def groups_of(pilot: Sequence[Asked], replies: Sequence[Reply], rest: Sequence[Asked]) -> list[Group]:
    """What a pilot measured and what is left to be asked, method by method."""
    measured: dict[str, list[Measured]] = defaultdict(list)
    for one, reply in zip(pilot, replies, strict=True):
        use = reply.usage
        measured[one.method].append(Measured(_letters(one), use.tokens_in, use.tokens_out, use.seconds, use.calls))
    waiting: dict[str, list[int]] = defaultdict(list)
    for one in rest:
        waiting[one.method].append(_letters(one))
    methods = dict.fromkeys([*measured, *waiting])
    return [Group(name, measured[name], len(waiting[name]), sum(waiting[name])) for name in methods]


def _letters(one: Asked) -> int:
    return sum(len(message.content) for message in one.request.messages)
