"""What the paid nodes share: a pilot and its forecast, asking with a progress bar, and one line for what came of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

import pandas as pd
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.teacher import BUILTIN, TeacherParams
from med_small_lm.pipelines.preview import Preview, groups_of
from med_small_lm.schemas.rows import Passage, Question, Record
from med_small_lm.schemas.tables import to_rows
from med_small_lm.synthesis.accounts.report import summary
from med_small_lm.synthesis.asked import Asked, requests_of
from med_small_lm.teacher.client import Teacher
from med_small_lm.teacher.forecast import Pace, forecast
from med_small_lm.teacher.pilot import pilot_of
from med_small_lm.teacher.requests import OK, Reply, Request
from med_small_lm.tracking.traces import Tracer

LOG = logging.getLogger(__name__)


def ask(
    what: str, asked: Sequence[Asked], access: TeacherAccess, params: TeacherParams, passages: Sequence[Passage]
) -> tuple[list[Asked], list[Reply]]:
    """What was asked, and the replies to it; answered calls come from the ledger.

    A pilot goes first, so that the rest is forecast before it is paid for. A preview asks about some of ``passages``
    only, shows what is said about the first of them, and leaves its forecast with ``access``.
    """
    preview = Preview.of(passages, params)
    chosen = list(asked) if preview is None else preview.chosen(asked)
    with closing(access.open(params, Tracer(what, params.traces))) as teacher:
        first = _try_out(what, chosen, teacher, params) if preview is None else set()
        replies = _asked(what, requests_of(chosen), teacher)
        replies = [replace(reply, from_ledger=False) if k in first else reply for k, reply in enumerate(replies)]
        if preview is not None:
            rest = preview.rest(asked)
            waiting = rest if params.model == BUILTIN else [rest[k] for k in teacher.waiting(requests_of(rest))]
            access.forecasts.extend(preview.groups(chosen, replies, waiting, is_later=not rest))
    LOG.info("%s", _use(what, replies))
    if preview is not None:
        if not asked:
            LOG.warning("%s: no passage of the preview leads to a request, so the forecast has none of this step", what)
        preview.show_replies(what, chosen, replies)
    return chosen, replies


def passages_of_books(passages: pd.DataFrame) -> list[Passage]:
    """The passages that the teacher is asked about: papers and general text are read by the model, and no more."""
    return to_rows(passages[passages["source"] == "book"], Passage)


def exams_of(benchmarks: pd.DataFrame, book_exam: pd.DataFrame) -> list[Question]:
    """The questions of all exams and of the books' own: what no training record may hold."""
    return to_rows(pd.concat([benchmarks, book_exam], ignore_index=True), Question)


def log_outcome(
    what: str,
    kept: Sequence[Record],
    rejected: Sequence[Record],
    passages: Sequence[Passage],
    params: TeacherParams,
    *,
    is_last: bool = True,
) -> None:
    """One line: kept, dropped, and at which gate; in a preview also what each gate said of the records shown.

    Where it is not the last word on them, those that are kept are shown later.
    """
    LOG.info("%s", summary(what, kept, rejected))
    preview = Preview.of(passages, params)
    if preview is not None:
        preview.show_verdicts(what, [*kept, *rejected] if is_last else rejected)


def _try_out(what: str, asked: Sequence[Asked], teacher: Teacher, params: TeacherParams) -> set[int]:
    """The places of a few that have to be paid for: they are asked now, and what the others will take is said."""
    waiting = teacher.waiting(requests_of(asked))
    drawn = pilot_of([asked[place].method for place in waiting], params.pilot.share, params.pilot.calls, seed=0)
    first = {waiting[k] for k in drawn}
    rest = [asked[place] for place in waiting if place not in first]
    if not first or not rest:
        return set()
    pilot = [asked[place] for place in sorted(first)]
    replies = _asked(f"{what}, pilot", requests_of(pilot), teacher)
    LOG.info("%s: %s", what, forecast(groups_of(pilot, replies, rest), cost=params.cost, pace=Pace.of(params)))
    return first


def _asked(what: str, requests: Sequence[Request], teacher: Teacher) -> list[Reply]:
    """The replies, with a bar that shows how many there are, how fast they come, and what they cost."""
    with ExitStack() as shown:
        bar = shown.enter_context(tqdm(desc=what, total=len(requests), unit=" calls", leave=False, disable=None))
        if not bar.disable:  # on a terminal, where log lines go above the bar and not into it
            shown.enter_context(logging_redirect_tqdm())
        before: float | None = None

        def progress(done: int, spent: float) -> None:
            nonlocal before
            before = spent if before is None else before
            if spent > before:
                bar.set_postfix_str(f"cost {spent - before:.4g}", refresh=False)
            bar.update(done - bar.n)

        return teacher.ask_all(requests, progress=progress)


def _use(what: str, replies: Sequence[Reply]) -> str:
    """One line: how many calls, from where, how many were no use and why, tokens, cost."""
    failed = Counter(reply.status for reply in replies if reply.status != OK)
    new = [reply for reply in replies if not reply.from_ledger]
    why = f" ({', '.join(f'{status} {count:,}' for status, count in failed.most_common())})" if failed else ""
    tokens_in, tokens_out = (sum(getattr(reply.usage, name) for reply in new) for name in ("tokens_in", "tokens_out"))
    return (
        f"{what}: {len(replies):,} requests, {len(replies) - len(new):,} answered by the ledger, "
        f"{failed.total():,} without a usable reply{why}; "
        f"new: {tokens_in:,} tokens in, {tokens_out:,} out, cost {sum(reply.usage.cost for reply in new):.4g}"
    )
