"""The models that are evaluated: where each lies, and what tells it from another that was there before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from med_small_lm.adapters import AdapterError, chain
from med_small_lm.errors import UserError
from med_small_lm.hub import model_folder
from med_small_lm.params.candidates import Candidate, Endpoint
from med_small_lm.params.evaluate import Evaluate


@dataclass(frozen=True, slots=True)
class Source:
    """One model under the name that predictions give it.

    Attributes:
        name: base, injected, tuned or the candidate's.
        digest: changes with the weights of all that it stands on, or with the endpoint's address, model and limits.
        folder: of a model that is loaded here; None for an endpoint.
        adapter: folder of an adapter that is put on it.
        endpoint: how it is reached.
        key: the candidate whose key opens the endpoint.
        pages: with the books open, most passages before a question; 0: closed.
    """

    name: str
    digest: str
    folder: Path | None = None
    adapter: Path | None = None
    endpoint: Endpoint | None = None
    key: str = ""
    pages: int = 0


def sources(params: Evaluate, checkpoints: Mapping[str, tuple[Path, str]]) -> list[Source]:
    """Returns the models to evaluate, the run's own first.

    Args:
        params: names them.
        checkpoints: folder and fingerprint of the run's own models, by name.

    Raises:
        UserError: a model of the hub is not in the local cache and may not be fetched, or an adapter's parent is gone.
    """
    found: dict[str, Source] = {name: Source(name, told, at) for name, (at, told) in checkpoints.items()}
    found |= {source.name: source for source in model_sources(params)}
    for name, candidate in params.candidates.items():
        if book := candidate.open_book:
            found[name] = replace(found[book.of], name=name, pages=book.passages)
    return [found[name] for name in params.names]


def model_sources(params: Evaluate) -> Iterator[Source]:
    """Yields the candidates that are neither checkpoints of the run nor another with books open.

    Raises:
        UserError: a model of the hub is not in the local cache and may not be fetched, or an adapter's parent is gone.
    """
    for name, candidate in params.candidates.items():
        if candidate.open_book is None:
            yield _source(name, candidate, params)


def _source(name: str, candidate: Candidate, params: Evaluate) -> Source:
    if candidate.endpoint is not None:
        endpoint = candidate.endpoint.writing(params.max_new_tokens)
        told = [endpoint.model, endpoint.scope, endpoint.context, endpoint.sampling()]
        return Source(name, _digest(told), endpoint=endpoint, key=name)
    assert candidate.model is not None
    folder = Path(candidate.model)
    if not folder.is_dir():
        folder = model_folder(candidate.model, candidate.revision, allowed=candidate.allow_download)
    try:
        known = chain(folder)
    except AdapterError as problem:
        raise UserError(f"evaluate.candidates.{name}: {problem}") from problem
    parts = [known.base, *known.adapters, *([candidate.adapter] if candidate.adapter else [])]
    return Source(name, _digest([_files(part) for part in parts]), folder, candidate.adapter)


def _files(folder: Path) -> list[object]:
    """What tells a folder from what it was: its files with sizes and times."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [[path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns] for path in files]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
