"""What a page is made of: sections of texts, tables, pictures and answers that were wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; one that ``warns`` stands out."""

    said: str
    warns: bool = False
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A table under a sentence that says what it shows; ``folded`` ones open at a click."""

    said: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: str = ""
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure under a sentence that says what it shows."""

    said: str
    figure: go.Figure
    kind: str = "picture"


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a question as an answer is shown: right, or given, or both, or neither."""

    text: str
    is_right: bool
    is_given: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A training record or a page near a question: where it stands, and what it says."""

    where: str
    said: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that was wrong, with what stands near the question in the training data and in the books."""

    title: str
    question: str
    choices: Sequence[Choice]
    reply: str
    verdict: str
    records: Sequence[Source]
    pages: Sequence[Source]
    kind: str = "wrong"


Block = Text | Table | Picture | Wrong


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading; one without blocks is left out."""

    name: str
    title: str
    blocks: list[Block] = field(default_factory=list)
