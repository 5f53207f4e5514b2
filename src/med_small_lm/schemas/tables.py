"""Rows to frames and Arrow tables and back: the dataclasses of ``rows`` are the one place that names the fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

Row = TypeVar("Row")

SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


@cache
def arrow_schema(record: type) -> pa.Schema:
    """The Arrow schema of a record: strings, numbers, lists, and structs for nested records."""
    hints = typing.get_type_hints(record)
    return pa.schema([(f.name, _arrow_type(hints[f.name])) for f in dataclasses.fields(record)])


def _arrow_type(hint: Any) -> pa.DataType:
    if hint in SCALARS:
        return SCALARS[hint]
    origin = typing.get_origin(hint)
    if origin is list:
        return pa.list_(_arrow_type(typing.get_args(hint)[0]))
    if origin is types.UnionType:  # X | None: Arrow columns are nullable anyway
        return _arrow_type(next(arg for arg in typing.get_args(hint) if arg is not types.NoneType))
    if dataclasses.is_dataclass(hint):
        return pa.struct([(f.name, f.type) for f in arrow_schema(typing.cast(type, hint))])
    raise TypeError(f"a record cannot hold {hint}")


def to_frame(rows: Iterable[Any], record: type) -> pd.DataFrame:
    """A frame with one line a row; nested records as dicts. It has all columns even where there is no row."""
    plain = [dataclasses.asdict(row) for row in rows]
    names = [f.name for f in dataclasses.fields(record)]
    return pd.DataFrame({name: column_of(name, plain, arrow_schema(record)) for name in names})


def column_of(name: str, plain: list[dict[str, Any]], schema: pa.Schema) -> pd.Series[Any]:
    """One column of plain rows, typed as the schema says."""
    kind = schema.field(name).type
    dtype = {"string": "str", "int64": "int64", "double": "float64", "bool": "bool"}.get(str(kind), "object")
    return pd.Series([row[name] for row in plain], dtype=dtype, name=name)


def to_rows(frame: pd.DataFrame, record: type[Row]) -> list[Row]:
    """The frame's lines as rows of ``record``."""
    build: Callable[[dict[str, Any]], Row] = _builder(typing.cast(Any, record))
    return [build(typing.cast(dict[str, Any], line)) for line in frame.to_dict("records")]


@cache
def _builder(record: type) -> Any:
    """A function from a plain dict to ``record``, nested records included."""
    hints = typing.get_type_hints(record)
    nested = {}
    for field in dataclasses.fields(record):
        args = typing.get_args(hints[field.name])
        if args and dataclasses.is_dataclass(args[0]):
            nested[field.name] = _builder(typing.cast(type, args[0]))

    def build(line: dict[str, Any]) -> Any:
        values = dict(line)
        for name, inner in nested.items():
            values[name] = [inner(item) for item in values[name]]
        return record(**values)

    return build
