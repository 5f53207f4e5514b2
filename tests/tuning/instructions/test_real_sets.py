"""The same on real sets, where they lie beside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from med_small_lm.tuning.instructions.forms import read_source
from med_small_lm.tuning.instructions.sources import InstructionSource, known_sets

SETS = Path(__file__).parents[4] / "shared" / "data" / "instructions"
COUNTS = {"medquad": 2_103, "mts_dialog": 1_501, "alpaca_seed_tasks": 175}

pytestmark = pytest.mark.real_data


@pytest.mark.parametrize("name", COUNTS)
def test_all_records_are_read(name: str) -> None:
    if not (SETS / name).exists():
        pytest.skip(f"no {SETS / name}")
    known = known_sets().sets[name]
    found = list(read_source(InstructionSource(name, SETS / name, known.reader, known.licence)))
    assert len(found) == COUNTS[name] and not [one for one in found if one.fault]
