"""Tables of edges or of descriptions: tab-separated, the first line the names of the columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from med_small_lm.synthesis.graphs.lines import lines_of
from med_small_lm.synthesis.graphs.model import Described, Fact, GraphSource, Named, NotAGraph, Related, Tally


def columns_fault(source: GraphSource) -> str:
    """Return what the columns lack that the user named, nothing if rows can be read with them."""
    named = source.columns.keys()
    if "head" not in named or not named & {"tail", "description"}:
        return "a table needs `columns: {head: NAME, tail: NAME}`, or {head: NAME, description: NAME}"
    if "tail" in named and "relation" not in named and not source.relation:
        return "what relates head and tail? `relation: has symptom`, or a column of it in `columns`"
    return ""


def edges(path: Path, source: GraphSource, tally: Tally) -> Iterator[Fact]:
    """Yield what the rows say: of two entities how they are related, of one what it is.

    Raises:
        NotAGraph: A column that the user named is not there.
    """
    lines = lines_of(path, tally)
    header = _cells(next(lines, (1, ""))[1])
    if missing := [name for name in source.columns.values() if name not in header]:
        raise NotAGraph(f"no column {missing[0]!r}: the first line has {', '.join(map(repr, header))}"[:300])
    tally.left_out["names of the columns"] += 1
    places = {what: header.index(name) for what, name in source.columns.items()}
    for number, line in lines:
        cells = _cells(line)
        if line.startswith("#"):
            tally.left_out["comment"] += 1
        elif len(cells) != len(header):
            tally.fault(number, f"{len(cells)} cells, not {len(header)}", line)
        else:
            yield from _row({what: cells[place] for what, place in places.items()}, number, source, tally)


def _row(row: dict[str, str], number: int, source: GraphSource, tally: Tally) -> Iterator[Fact]:
    """Yield what one row says; a row that lacks a part says nothing."""
    told = row.get("description") if "tail" not in row else row["tail"]
    if not told or not all(row[what] for what in row.keys() - {"description"}):
        tally.left_out["an empty cell"] += 1
        return
    tally.used += 1
    head, tail = row.get("head_id", row["head"]), row.get("tail_id", row.get("tail", ""))
    yield Named(head, row["head"])
    if row.get("description"):
        yield Described(head, row["description"], number)
    if tail:
        yield Named(tail, row["tail"])
        yield Related(head, tail, row.get("relation", source.relation), number)


def _cells(line: str) -> list[str]:
    """Return the cells of a line, without the quotes around a whole cell."""
    return [_unquoted(cell.strip()) for cell in line.split("\t")]


def _unquoted(cell: str) -> str:
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"').strip() if quoted else cell
