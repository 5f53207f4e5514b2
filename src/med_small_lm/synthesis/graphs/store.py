"""A graph as a table on disk, so that one of millions of relations needs no memory."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from med_small_lm.synthesis.graphs.model import Described, Fact, Named, Related

_BATCH = 20_000  # rows that are written at once
_CACHE = 65_536  # KiB of the database that are held in memory
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = FILE;
PRAGMA cache_size = -{cache};
CREATE TABLE named (key TEXT, name TEXT, rank INTEGER);
CREATE TABLE described (key TEXT, text TEXT, place TEXT, rank INTEGER);
CREATE TABLE related (head TEXT, tail TEXT, relation TEXT, place TEXT);
"""
# Of several rows of a group, SQLite takes the other columns from the one that has the min(): the first of the best.
_FINISH = """
CREATE TABLE names (key TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;
INSERT INTO names SELECT key, name FROM (SELECT key, name, min(rank * 1e12 + rowid) FROM named
  WHERE name <> '' GROUP BY key);
DROP TABLE named;
CREATE TABLE entities AS SELECT d.key, n.name, d.text, d.place FROM
  (SELECT key, text, place, min(rank * 1e12 + rowid) FROM described WHERE text <> '' GROUP BY key) d
  JOIN names n ON n.key = d.key ORDER BY d.key;
CREATE TABLE linked AS SELECT r.head, r.tail, h.name AS head_name, t.name AS tail_name, r.relation, r.place
  FROM related r JOIN names h ON h.key = r.head JOIN names t ON t.key = r.tail;
CREATE TABLE pairs AS SELECT head, tail, head_name, tail_name,
  group_concat(relation, char(10)) AS relations, group_concat(place, char(10)) AS places
  FROM linked WHERE head_name <> tail_name GROUP BY head, tail ORDER BY head, tail;
"""
# A row may describe and relate at once; it says nothing only where neither is left of it.
_LOST = """
CREATE TABLE lost AS SELECT place, min(reason) AS reason FROM (
  SELECT place, iif(text = '', 'an empty text', iif(key IN (SELECT key FROM names), 'another description is used',
    'an entity without a name')) AS reason FROM described
  UNION ALL SELECT place, 'an entity without a name' FROM related
    WHERE head NOT IN (SELECT key FROM names) OR tail NOT IN (SELECT key FROM names)
  UNION ALL SELECT place, 'both entities have one name' FROM linked WHERE head_name = tail_name
) WHERE place NOT IN (SELECT place FROM entities) AND place NOT IN
  (SELECT place FROM linked WHERE head_name <> tail_name) GROUP BY place;
DROP TABLE described; DROP TABLE related; DROP TABLE linked;
"""

_MARKUP = re.compile(
    r"</?(?:a|b|br|center|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|small|span|strong|su[bp]|t[dhr]|table|tbody|u|ul)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
"""HTML, as some of UMLS's sources write it; "<LOD or >2" is none."""


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity with its description; ``place`` is the file and line of it."""

    key: str
    name: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entities and all that relates the first to the second; ``places`` are files and lines."""

    head: str
    tail: str
    head_name: str
    tail_name: str
    relations: tuple[str, ...]
    places: tuple[str, ...]


class GraphStore:
    """Names, descriptions and relations in an SQLite file, which goes when the store is closed.

    ``entities`` have a name and a description, ``pairs`` are the related entities that both have a name; both are
    sorted by key, so the order of the files' rows does not matter. TMPDIR says where the file lies.
    """

    def __init__(self) -> None:
        """Make an empty store."""
        self._folder = tempfile.TemporaryDirectory(prefix="graph-")
        self._base = sqlite3.connect(Path(self._folder.name) / "graph.sqlite", isolation_level=None)
        self._base.executescript(_SCHEMA.format(cache=_CACHE))
        self.n_entities = self.n_pairs = 0

    def __enter__(self) -> GraphStore:
        """Return the store."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the store away."""
        self._base.close()
        self._folder.cleanup()

    def add(self, facts: Iterable[Fact], file: str) -> None:
        """Write down what a file says, as it comes."""
        waiting: dict[type, list[tuple[Any, ...]]] = {Named: [], Described: [], Related: []}
        for fact in facts:
            rows = waiting[type(fact)]
            rows.append(_row(fact, file))
            if len(rows) == _BATCH:
                self._write(type(fact), rows)
        for kind, rows in waiting.items():
            self._write(kind, rows)

    def finish(self) -> None:
        """Put together what belongs together; nothing is added after that."""
        self._base.executescript(_FINISH + _LOST)
        self.n_entities, self.n_pairs = (
            self._base.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("entities", "pairs")
        )

    def lost(self) -> Iterator[tuple[str, str, int]]:
        """Yield how many rows of a file say nothing in the end, and why: file, reason, count."""
        query = "SELECT rtrim(rtrim(place, '0123456789'), ':'), reason, count(*) FROM lost GROUP BY 1, 2"
        yield from self._base.execute(query)

    def entities(self, places: Iterable[int]) -> Iterator[Entity]:
        """Yield the entities at these places, counted from 0."""
        for row in self._at("SELECT key, name, text, place FROM entities WHERE rowid = ?", places):
            yield Entity(*row)

    def pairs(self, places: Iterable[int]) -> Iterator[Pair]:
        """Yield the pairs at these places, counted from 0."""
        query = "SELECT head, tail, head_name, tail_name, relations, places FROM pairs WHERE rowid = ?"
        for head, tail, head_name, tail_name, relations, lines in self._at(query, places):
            yield Pair(head, tail, head_name, tail_name, _apart(relations), _apart(lines))

    def relation_name(self, relation: str) -> str:
        """Return the name that the graph itself gives a relation, else the relation."""
        found = self._base.execute("SELECT name FROM names WHERE key = ?", (relation,)).fetchone()
        return str(found[0]) if found else relation

    def _at(self, query: str, places: Iterable[int]) -> Iterator[Any]:
        for place in places:
            yield self._base.execute(query, (place + 1,)).fetchone()

    def _write(self, kind: type, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._base.execute("BEGIN")
            self._base.executemany(f"INSERT INTO {kind.__name__.lower()} VALUES ({marks})", rows)
            self._base.execute("COMMIT")
            rows.clear()


def _apart(joined: str) -> tuple[str, ...]:
    """Return what SQLite joined by line ends, each once, in order."""
    return tuple(sorted(set(joined.split("\n"))))


def _row(fact: Fact, file: str) -> tuple[Any, ...]:
    """Return a fact as a line of its table."""
    match fact:
        case Named(key, name, rank):
            return key, _plain(name), rank
        case Described(key, text, line, rank):
            return key, _plain(text), f"{file}:{line}", rank
        case Related(head, tail, relation, line):
            return head, tail, relation, f"{file}:{line}"


def _plain(text: str) -> str:
    """Return a text on one line and without markup."""
    return " ".join((_MARKUP.sub(" ", text) if "<" in text else text).split())
