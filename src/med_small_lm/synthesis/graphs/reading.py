"""The files of a graph read into a store, with what became of every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from med_small_lm.schemas.rows import GraphFile, LeftOut
from med_small_lm.synthesis.graphs import obo, rrf, tsv
from med_small_lm.synthesis.graphs.model import Fact, GraphSource, NotAGraph, Tally
from med_small_lm.synthesis.graphs.store import GraphStore

OK, MISSING, QUARANTINED = "ok", "missing", "quarantined"

Read = Callable[[Tally], Iterator[Fact]]


def read_graph(source: GraphSource, store: GraphStore) -> list[GraphFile]:
    """Return what became of each file of the graph, whose facts are then in the store.

    A file that is not what its kind says is quarantined, a file of a UMLS release that is not there is missing: the
    graph is then what the others say.
    """
    reports = {name: _read(source, store, name, read) for name, read in _files(source).items()}
    store.finish()
    for file, reason, count in store.lost():
        one = reports[file]
        reports[file] = replace(one, used=one.used - count, left_out=[*one.left_out, LeftOut(reason, count)])
    return list(reports.values())


def _files(source: GraphSource) -> dict[str, Read | None]:
    """Return how each file is read, by name; None for one that is not there."""
    if source.kind == "rrf":
        found = {name: rrf.file_of(source.path, name) for name in rrf.READERS}
        return {
            path.name if path else name: partial(rrf.READERS[name], path, source) if path else None
            for name, path in found.items()
        }
    reader = obo.terms if source.kind == "obo" else tsv.edges
    return {source.path.name: partial(reader, source.path, source)}


def _read(source: GraphSource, store: GraphStore, name: str, read: Read | None) -> GraphFile:
    """Return what became of one file; what it says goes into the store."""
    tally = Tally()
    if read is None:
        return tally.report(source.name, name, MISSING, f"there is no {name} in {source.path}")
    try:
        store.add(read(tally), name)
    except NotAGraph as problem:
        return tally.report(source.name, name, QUARANTINED, str(problem))
    if not tally.rows:
        return tally.report(source.name, name, QUARANTINED, "the file holds no row")
    if not tally.used and tally.malformed:
        first = tally.faults[0]
        return tally.report(source.name, name, QUARANTINED, f"no row fits; line {first.line}: {first.reason}")
    return tally.report(source.name, name, OK)


def fault_of(source: GraphSource) -> str:
    """Return what is wrong with what the user says of a graph, nothing if it can be read."""
    if source.kind == "rrf":
        if not source.path.is_dir():
            return f"{source.path} is no folder: name the one that holds {', '.join(rrf.READERS)}"
        return "" if rrf.file_of(source.path, rrf.NAMES) else f"there is no {rrf.NAMES} in {source.path}"
    if not source.path.is_file():
        return f"{source.path} is no file"
    return tsv.columns_fault(source) if source.kind == "tsv" else ""
