"""Nodes of ``ingest_textbooks``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from med_small_lm.errors import UserError
from med_small_lm.overlap.duplicates import link_duplicates
from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.schemas.rows import Passage
from med_small_lm.schemas.streams import Frames
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.textbooks.documents import READ, SourceFile
from med_small_lm.textbooks.library import read_library

LOG = logging.getLogger(__name__)
SHOWN = 10  # reasons in one line of the log


def read_lane(pdf: SourceFile, params: IngestTextbooks, books: str) -> tuple[Frames, Frames, Frames]:
    """The passages, exercises and reports of a lane's file, or of all files of its folder."""
    lane = read_library(pdf, Path(books) / pdf.book, params)
    return lane.part("passages"), lane.part("exercises"), lane.part("report")


def merge_lanes(params: IngestTextbooks, books: str, **lanes: Frames) -> tuple[Frames, Frames, Frames, pd.DataFrame]:
    """All passages, exercises and reports, in the order of the shelf, and the files that were not read.

    Raises:
        UserError: Nothing at all could be read.
    """
    reports = _part(lanes, "report")
    files, words, bad = 0, 0, [pd.DataFrame(columns=["book", "file", "status", "reason"], dtype="str")]
    for frame in reports:
        files, words = files + len(frame), words + int(frame["words"].sum())
        bad.append(frame.loc[~frame["status"].isin(READ), ["book", "file", "status", "reason"]])
    quarantine = pd.concat(bad, ignore_index=True)
    if not words:
        raise UserError(f"nothing could be read{_reasons(quarantine)}")
    LOG.info("%d words from %d files; %d files not read%s", words, files, len(quarantine), _reasons(quarantine))
    passages = _linked(lanes, Path(books) / ".repeats", params)
    return passages, _part(lanes, "exercises"), reports, quarantine


def _linked(lanes: dict[str, Frames], folder: Path, params: IngestTextbooks) -> Frames:
    """The passages without those that repeat one of another book; on disk where a lane has more than one shard."""
    passages = _part(lanes, "passages")
    if params.duplicates.threshold is None:
        return passages
    if any(len(lane.files) > 1 for lane in lanes.values()):
        from med_small_lm.textbooks.library.repeats import find_repeats  # datatrove: for libraries only

        repeats = find_repeats(passages.files, folder, params.duplicates, params.library)
        LOG.info("%d passages repeat one of another book and are linked to it", len(repeats))
        return repeats.taken_from(passages)
    rows = [row for frame in passages for row in to_rows(frame, Passage)]
    same = params.duplicates
    survivors, repeated = link_duplicates(rows, same.threshold, same.shingle, same.permutations)
    LOG.info("%d passages repeat one of another book and are linked to it", len(repeated))
    return Frames(lambda: iter([to_frame(survivors, Passage)]))


def _part(lanes: dict[str, Frames], part: str) -> Frames:
    own = [frames for name, frames in lanes.items() if name.endswith(f"__{part}")]

    def chained() -> Iterator[pd.DataFrame]:
        for frames in own:
            yield from frames

    return Frames(chained, tuple(file for frames in own for file in frames.files))


def _reasons(bad: pd.DataFrame) -> str:
    said = [f"; {row.book}: {row.status} ({row.reason})" for row in bad.head(SHOWN).itertuples()]
    return "".join(said) + (f"; and {len(bad) - SHOWN} more" if len(bad) > SHOWN else "")
