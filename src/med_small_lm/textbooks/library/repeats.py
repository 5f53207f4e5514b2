"""Near-duplicates in a library: datatrove's MinHash on disk finds who may repeat whom, ``overlap`` decides.

::

    passages of all shards ─► signatures ─► buckets ─► pairs ─► parts that hang together ─► link_duplicates
                             (datatrove)  (datatrove)                    (SciPy)         (part by part, from SQLite)

Only places of repeats and of those that they repeat are held in memory, never texts but of one part.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
from datatrove.utils.word_tokenizers import WordTokenizer
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from med_small_lm import overlap
from med_small_lm.atomic import written_aside
from med_small_lm.overlap.duplicates import is_stock, link_duplicates
from med_small_lm.overlap.minhash import band_rows, shingles
from med_small_lm.overlap.normalise import words
from med_small_lm.params.ingest_textbooks import Duplicates, Library
from med_small_lm.schemas.parquet import streamed_records
from med_small_lm.schemas.rows import Passage
from med_small_lm.schemas.streams import Frames
from med_small_lm.schemas.tables import to_rows
from med_small_lm.textbooks.library.executors import Work, deal
from med_small_lm.textbooks.library.shards import code_of

RUNS = 200  # files of signatures, all of which are open at once
TOGETHER = 500  # passages that are searched at once, about

Places = NDArray[np.int64]


class OurWords(WordTokenizer):  # type: ignore[misc]
    """Words as the in-memory search compares them."""

    def word_tokenize(self, text: str) -> list[str]:
        """The words."""
        return words(text)

    def sent_tokenize(self, text: str) -> list[str]:
        """The text, which is not parted."""
        return [text]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """The whole of it."""
        return [(0, len(text))]


class Signatures(MinhashDedupSignature):  # type: ignore[misc]
    """datatrove's signatures of the same shingles as in memory; a text shorter than a shingle is one."""

    def get_shingles(self, text: str) -> NDArray[np.uint64]:
        """The shingles, shape (n, 1)."""
        return shingles(words(text), self.config.n_grams).reshape(-1, 1)


@dataclass(frozen=True, slots=True)
class Repeats:
    """A database of places (rows of all files, counted through): of survivors with what their ``also_in`` becomes, and
    of repeats that are gone, with nothing.
    """  # noqa: D205

    file: Path

    def __len__(self) -> int:
        """How many passages are gone."""
        with closing(sqlite3.connect(self.file)) as told:
            return int(told.execute("SELECT count(*) FROM repeats WHERE also_in IS NULL").fetchone()[0])

    def taken_from(self, passages: Frames) -> Frames:
        """The passages without those that are gone, their places with the survivors."""

        def kept() -> Iterator[pd.DataFrame]:
            begin = 0
            with closing(sqlite3.connect(self.file)) as told:
                for frame in passages:
                    ends = (begin, begin + len(frame))
                    here = dict(told.execute("SELECT place, also_in FROM repeats WHERE place >= ? AND place < ?", ends))
                    also_in = frame["also_in"].copy()
                    for place, places in here.items():
                        also_in.iat[place - begin] = json.loads(places or "[]")
                    gone = [place - begin for place, places in here.items() if places is None]
                    begin += len(frame)
                    yield frame.assign(also_in=also_in).drop(frame.index[gone])

        return Frames(kept)


def find_repeats(files: Sequence[Path], folder: Path, params: Duplicates, library: Library) -> Repeats:
    """What repeats what in the passages of the files, by the rule of ``link_duplicates``.

    Args:
        files: Parquet files of passages, in the order in which the first of equals survives.
        folder: For signatures and pairs: a killed search goes on there, a finished one is not made again.
        params: Threshold, shingle and permutations, the same as in memory.
        library: Where signatures and buckets are computed.
    """
    code = code_of([Path(__file__), *Path(overlap.__file__).parent.glob("*.py")])
    key = sha256(f"{code}{params.model_dump_json()}{[str(file) for file in files]}".encode()).hexdigest()[:24]
    work, result = folder / key, folder / key / "repeats.sqlite"
    if result.exists():
        return Repeats(result)
    for old in folder.glob("*"):
        if old.name != key:
            shutil.rmtree(old)
    work.mkdir(parents=True, exist_ok=True)
    pairs = _pairs(files, work, params, library)
    with closing(sqlite3.connect(work / "texts.sqlite")) as texts:
        texts.executescript("DROP TABLE IF EXISTS texts; CREATE TABLE texts (place INTEGER PRIMARY KEY, passage TEXT)")
        shorts = _store(files, np.unique(pairs), texts)
        with written_aside(result) as aside, closing(sqlite3.connect(aside)) as told:
            told.execute("CREATE TABLE repeats (place INTEGER PRIMARY KEY, also_in TEXT)")
            for part in _together(_parts(pairs, shorts)):
                told.executemany("INSERT INTO repeats VALUES (?, ?)", _linked(part, texts, params))
            told.commit()
    for made in work.iterdir():
        if made != result:
            shutil.rmtree(made) if made.is_dir() else made.unlink()
    return Repeats(result)


def _pairs(files: Sequence[Path], work: Path, params: Duplicates, library: Library) -> Places:
    """Pairs of places that agree in a band of their signatures, shape (n, 2): who agrees with whom hangs together."""
    rows = band_rows(params.permutations, params.threshold or 1.0)
    config = MinhashConfig(params.shingle, params.permutations // rows, rows, hash_config=HashConfig(64, "sha1"))
    runs = [list(run) for run in np.array_split(np.array(files, dtype=object), min(RUNS, len(files)))]
    sign = partial(_sign, runs=runs, work=work, config=config)
    deal("signatures", Work(range(len(runs)), sign, partial(_marked, work, "signed")), work / "jobs", library)
    pair = partial(_pair, work=work, config=config)
    deal("buckets", Work(range(config.num_buckets), pair, partial(_marked, work, "paired")), work / "jobs", library)
    begins = np.cumsum([0, *(sum(pq.read_metadata(file).num_rows for file in run) for run in runs)])
    found = np.empty(0, dtype=np.uint64)
    for file in sorted(work.glob("pairs/*.dups")):  # datatrove links each text to the one before it of equal signature
        links = np.fromfile(file, dtype="<u4").reshape(-1, 4)
        ends = begins[links[:, [0, 2]]] + links[:, [1, 3]]
        found = np.union1d(found, ends[:, 0].astype(np.uint64) << np.uint64(32) | ends[:, 1].astype(np.uint64))
    return np.stack([found >> np.uint64(32), found & np.uint64(0xFFFFFFFF)], axis=1).astype(np.int64)


def _sign(run: int, runs: list[list[Path]], work: Path, config: MinhashConfig) -> None:
    documents = (Document(text, id="") for frame in streamed_records(runs[run]) for text in frame["text"])
    Signatures(str(work / "signatures"), config, OurWords()).run(documents, run)
    _mark(work, "signed", run)


def _pair(bucket: int, work: Path, config: MinhashConfig) -> None:
    step = MinhashDedupBuckets(str(work / "signatures"), str(work / "pairs"), config=config)
    step.run(None, bucket, config.num_buckets)
    _mark(work, "paired", bucket)


def _marked(work: Path, what: str, item: int) -> bool:
    return (work / what / f"{item:05d}").exists()


def _mark(work: Path, what: str, item: int) -> None:
    (work / what).mkdir(exist_ok=True)
    (work / what / f"{item:05d}").touch()


def _store(files: Sequence[Path], wanted: Places, texts: sqlite3.Connection) -> Places:
    """Put the passages at the wanted places into the database; return the places of the short ones."""
    begin, shorts = 0, []
    for frame in streamed_records(files):
        here = wanted[np.searchsorted(wanted, begin) : np.searchsorted(wanted, begin + len(frame))]
        rows = frame.iloc[here - begin].to_dict("records")
        texts.executemany("INSERT INTO texts VALUES (?, ?)", zip(here.tolist(), map(json.dumps, rows), strict=True))
        shorts += [place for place, row in zip(here.tolist(), rows, strict=True) if is_stock(row["text"])]
        begin += len(frame)
    texts.commit()
    return np.array(shorts, dtype=np.int64)


def _parts(pairs: Places, shorts: Places) -> Iterable[Places]:
    """The places in parts such that no pair, and no short text with its neighbour, is parted."""
    places = np.unique(pairs)
    near = np.concatenate([np.stack([shorts, shorts + step], axis=1) for step in (-1, 1)])
    pairs = np.concatenate([pairs, near[np.isin(near[:, 1], places)]])
    ends = np.searchsorted(places, pairs)
    graph = coo_array((np.ones(len(ends), dtype=bool), (ends[:, 0], ends[:, 1])), shape=(len(places), len(places)))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    return np.split(places[order], np.flatnonzero(np.diff(labels[order])) + 1) if len(places) else []


def _together(parts: Iterable[Places]) -> Iterator[Places]:
    """Small parts put together, each in the order of its places: a search has a cost of its own."""
    held: list[Places] = []
    for part in parts:
        held.append(part)
        if sum(map(len, held)) >= TOGETHER:
            yield np.sort(np.concatenate(held))
            held = []
    if held:
        yield np.sort(np.concatenate(held))


def _linked(part: Places, texts: sqlite3.Connection, params: Duplicates) -> Iterator[tuple[int, str | None]]:
    """The places of a part's repeats, and of their survivors with the places that these stand for."""
    wanted = "SELECT passage FROM texts WHERE place = ?"
    rows = [json.loads(texts.execute(wanted, (place,)).fetchone()[0]) for place in part.tolist()]
    passages = to_rows(pd.DataFrame(rows), Passage)
    places = {passage.passage_id: place for passage, place in zip(passages, part.tolist(), strict=True)}
    survivors, repeats = link_duplicates(passages, params.threshold, params.shingle, params.permutations)
    told = {repeat.survivor_id for repeat in repeats}
    for repeat in repeats:
        yield places[repeat.passage.passage_id], None
    for one in survivors:
        if one.passage_id in told:
            yield places[one.passage_id], json.dumps([asdict(place) for place in one.also_in])
