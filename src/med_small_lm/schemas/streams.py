"""Records that are too many for one frame: frames one after another, each checked as it passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from med_small_lm.schemas import frames


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of one record, made anew each time they are gone through: never are all in memory.

    ``files`` are the files that they are read from, where they are read from files.
    """

    make: Callable[[], Iterator[pd.DataFrame]]
    files: tuple[Path, ...] = ()

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """The frames, from the first."""
        return self.make()

    def mapped(self, step: Callable[[pd.DataFrame], pd.DataFrame]) -> Frames:
        """The same with ``step`` done to each frame as it passes."""
        return replace(self, make=lambda: map(step, self.make()))


class EachFrame:
    """A catalog's ``validator`` for records that come as one frame or as many: ``options: {model: Passages}``."""

    def __init__(self, model: str) -> None:
        """Name a model of ``schemas.frames``."""
        self._model: type[frames.Records] = getattr(frames, model)

    def validate(self, data: pd.DataFrame | Frames) -> pd.DataFrame | Frames:
        """The frame, checked; or the frames, each of which is checked when it is taken."""
        return data.mapped(self._checked) if isinstance(data, Frames) else self._checked(data)

    def _checked(self, frame: pd.DataFrame) -> pd.DataFrame:
        return self._model.validate(frame)
