"""A library read shard by shard into a folder.

::

    shards/<key>/passages.parquet, exercises.parquet, report.parquet
    shards/<key>/done.json     written behind them: the shard is whole
    manifest.json              the keys of the shards that make the lane, in order; written last

A shard's key is a hash of its files' paths, sizes and times, of the parameters and of the code. So a run that was
killed goes on with the shards that it did not finish, and what changed is read again beside what was there, which goes
when the new manifest stands.
"""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from med_small_lm.atomic import written_aside
from med_small_lm.errors import UserError
from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.schemas.parquet import read_records, streamed_records, written_records
from med_small_lm.schemas.rows import Passage, Question, SourceReport
from med_small_lm.schemas.streams import Frames
from med_small_lm.schemas.tables import to_rows
from med_small_lm.textbooks.documents import READ, SourceFile
from med_small_lm.textbooks.library.shards import Shard, shards_of
from med_small_lm.textbooks.workers import read_files

LOG = logging.getLogger(__name__)
PARTS = {"passages": Passage, "exercises": Question, "report": SourceReport}
DONE, STOPPED = "done.json", "stopped.txt"


@dataclass(frozen=True, slots=True)
class Lane:
    """What was read of a library: its folder, and the keys of its shards in the order of the files."""

    folder: Path
    keys: tuple[str, ...]

    @classmethod
    def at(cls, folder: Path) -> Lane:
        """The lane that was read into a folder.

        Raises:
            FileNotFoundError: None was, to the end.
        """
        return cls(folder, tuple(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["shards"]))

    def part(self, name: str) -> Frames:
        """The lane's ``passages``, ``exercises`` or ``report``."""
        return streamed_records([self.folder / "shards" / key / f"{name}.parquet" for key in self.keys])


def read_library(source: SourceFile, out: Path, params: IngestTextbooks) -> Lane:
    """The records of a file, or of all files of a folder, on disk; what lies there already is not read again.

    Args:
        source: The file or folder and what the records carry.
        out: Where the shards lie; nothing else may lie there.
        params: How files are read, how many make a shard, and where shards are read.

    Raises:
        UserError: ``strict`` is set and a file could not be read, or an executor did not finish.
        FileNotFoundError: There is no such file or folder.
    """
    (out / "shards").mkdir(parents=True, exist_ok=True)
    shards = shards_of(source, params)
    done = [shard for shard in shards if is_done(shard, out)]
    todo = [shard for shard in shards if not is_done(shard, out)]
    if done:
        what = "unchanged" if not todo else f"{_files(done)} of {_files(shards)} files unchanged"
        LOG.info("%s: %s, not read again", source.book, what)
    if params.strict:  # before hours of reading
        _tell(done, out, strict=True)
    _read(todo, source, out, params)
    _tell(todo, out, params.strict)
    lane = Lane(out, tuple(shard.key for shard in shards))
    _note(out / "manifest.json", json.dumps({"shards": lane.keys}))
    for old in {path.name for path in (out / "shards").iterdir()} - set(lane.keys):
        shutil.rmtree(out / "shards" / old, ignore_errors=True)
    return lane


def _files(shards: list[Shard]) -> int:
    return sum(len(shard.files) for shard in shards)


def _read(todo: list[Shard], source: SourceFile, out: Path, params: IngestTextbooks) -> None:
    stopped = out / STOPPED
    stopped.unlink(missing_ok=True)
    for shard in todo:
        shutil.rmtree(_place(out, shard), ignore_errors=True)  # a killed run's half
    read = partial(read_shard, out=out, params=params)
    if not source.path.is_dir() or (params.library.executor == "local" and len(todo) == 1):
        for shard in todo:
            read(shard)
    elif todo:
        from med_small_lm.textbooks.library.executors import Work, deal  # datatrove: for libraries only

        if source.password and params.library.executor == "slurm":
            raise UserError(f"{source.book}: a password would lie in the jobs' files: read it with executor: local")
        if params.library.executor != "local":  # a job has the cores that it asked for, whatever the machine has
            own = params.workers.model_copy(update={"processes": params.library.cpus})
            read = partial(read_shard, out=out, params=params.model_copy(update={"workers": own}))
        work = Work(todo, read, partial(is_done, out=out))
        deal(source.book, work, out / "jobs", params.library, stopped.exists)
    if stopped.exists():
        raise UserError(stopped.read_text(encoding="utf-8"))


def read_shard(shard: Shard, out: Path, params: IngestTextbooks) -> None:
    """Read a shard's files, each in isolation, and leave its records on disk; the marker comes last.

    With ``strict`` a file that cannot be read ends the shard and all that are still to come, and leaves a note.
    """
    place = _place(out, shard)
    if (out / STOPPED).exists():
        return
    try:
        bad = _write(shard, place, params)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    if bad:
        _note(out / STOPPED, f"strict: a file could not be read; {_said(bad)}")
    else:
        _note(place / DONE, json.dumps({"files": len(shard.files)}))


def _write(shard: Shard, place: Path, params: IngestTextbooks) -> SourceReport | None:
    """Write the records; with ``strict``, up to a file that cannot be read, whose report is returned."""
    bad = None
    with ExitStack() as parts:
        write = {
            name: parts.enter_context(written_records(place / f"{name}.parquet", kind)) for name, kind in PARTS.items()
        }
        reading = read_files(shard.files, params)
        for read in tqdm(reading, place.parents[1].name, len(shard.files), unit=" files", leave=False, disable=None):
            write["passages"](map(asdict, read.passages))
            write["exercises"](map(asdict, read.exercises))
            write["report"]([asdict(read.report)])
            if params.strict and read.report.status not in READ:
                bad = read.report
                break
    return bad


def is_done(shard: Shard, out: Path) -> bool:
    """Whether the shard lies there, whole and made of what it would be made of now."""
    return (_place(out, shard) / DONE).exists()


def _place(out: Path, shard: Shard) -> Path:
    return out / "shards" / shard.key


def _note(target: Path, text: str) -> None:
    with written_aside(target) as aside:
        aside.write_text(text, encoding="utf-8")


def _tell(shards: list[Shard], out: Path, strict: bool) -> None:
    """A line in the log for each file of the shards that was not read; with ``strict``, an error for any."""
    for shard in shards:
        for report in to_rows(read_records(_place(out, shard) / "report.parquet"), SourceReport):
            if report.status in READ:
                continue
            if strict:
                raise UserError(f"strict: a file could not be read; {_said(report)}")
            LOG.warning("%s", _said(report))


def _said(report: SourceReport) -> str:
    return f"{report.book}: {report.status} ({report.reason}), {report.file}"
