"""Nodes of ``ingest_textbooks``."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pandas as pd

from med_small_lm.errors import UserError
from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.schemas.rows import Passage, SourceReport
from med_small_lm.schemas.tables import to_frame
from med_small_lm.textbooks.books import read_file
from med_small_lm.textbooks.documents import READ, SourceFile

LOG = logging.getLogger(__name__)


def read_lane(pdf: SourceFile, params: IngestTextbooks) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The passages of a lane's file (or of all PDFs of its folder), and a report line for each file."""
    found: list[Passage] = []
    reports: list[SourceReport] = []
    for file in _files(pdf.path):
        name = pdf.book if file == pdf.path else f"{pdf.book}/{file.relative_to(pdf.path).with_suffix('')}"
        read = read_file(replace(pdf, book=name, path=file), params)
        report = read.report
        found += read.passages
        reports.append(report)
        if report.status not in READ:
            LOG.warning("%s: %s: %s", file.name, report.status, report.reason)
    return to_frame(found, Passage), to_frame(reports, SourceReport)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.pdf"))


def merge_lanes(params: IngestTextbooks, **lanes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All passages and all reports, in the order of the shelf; passage ids are unique.

    Raises:
        UserError: Nothing at all could be read, or ``strict`` is set and a file could not.
    """
    reports = pd.concat([frame for name, frame in lanes.items() if name.endswith("__report")], ignore_index=True)
    passages = pd.concat([frame for name, frame in lanes.items() if not name.endswith("__report")], ignore_index=True)
    passages = passages.drop_duplicates("passage_id", ignore_index=True)
    bad = reports[~reports["status"].isin(READ)]
    LOG.info(
        "%d passages of %d words from %d files; %d files not read%s",
        len(passages),
        passages["n_words"].sum(),
        len(reports),
        len(bad),
        _reasons(bad),
    )
    if passages.empty or (params.strict and not bad.empty):
        raise UserError(
            f"{'nothing could be read' if passages.empty else 'strict: a file could not be read'}{_reasons(bad)}"
        )
    return passages, reports


def _reasons(bad: pd.DataFrame) -> str:
    return "".join(f"; {row.book}: {row.status} ({row.reason})" for row in bad.itertuples())
