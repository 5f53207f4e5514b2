"""What the paid nodes share: asking the teacher with a progress bar, and one line for what came of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing

import pandas as pd
from tqdm import tqdm

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Passage
from med_small_lm.schemas.tables import to_rows
from med_small_lm.synthesis.asked import Asked, requests_of
from med_small_lm.synthesis.report import Record, summary
from med_small_lm.teacher.requests import Reply

LOG = logging.getLogger(__name__)


def ask(what: str, asked: Sequence[Asked], access: TeacherAccess, params: TeacherParams) -> list[Reply]:
    """The teacher's replies, in order; answered calls come from the ledger."""
    bar = tqdm(desc=what, total=len(asked), unit=" calls", leave=False, disable=None)  # None: on a terminal only
    with closing(access.open(params)) as teacher, bar:

        def progress(done: int, total: int) -> None:
            bar.update(done - bar.n)

        return teacher.ask_all(requests_of(asked), progress=progress)


def passages_of_books(passages: pd.DataFrame) -> list[Passage]:
    """The passages that the teacher is asked about: papers and general text are read by the model, and no more."""
    return to_rows(passages[passages["source"] == "book"], Passage)


def log_outcome(what: str, kept: Sequence[Record], rejected: Sequence[Record]) -> None:
    """One line: kept, dropped, and at which gate."""
    LOG.info("%s", summary(what, kept, rejected))
