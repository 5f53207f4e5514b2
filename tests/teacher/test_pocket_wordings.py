"""How much of the pocket library's prose the built-in rules read: they were not written from its facts."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from med_small_lm.teacher.builtin.rules import parse

ROOT = Path(__file__).parents[2]
WORDINGS = ROOT / "src/med_small_lm/pocket/wordings.yml"
FACTS = ROOT / "data/01_raw/pocket_facts.csv"
RENAMED = {("hormone", "source"): "secretion", ("nutrient", "source"): "diet"}


@pytest.mark.skipif(not (WORDINGS.exists() and FACTS.exists()), reason="the pocket library is not here")
def test_nearly_every_statement_is_read_as_its_subject_relation_and_value() -> None:
    wordings = yaml.safe_load(WORDINGS.read_text(encoding="utf-8"))
    right = total = 0
    with FACTS.open(encoding="utf-8", newline="") as file:
        for row in list(csv.DictReader(file))[::4]:
            kind, attribute, subject, value = (row[name] for name in ("kind", "attribute", "subject", "value"))
            for form in wordings[kind][attribute]["statements"]:
                sentence = form.replace("{S}", subject).replace("{V}", value)
                fact = parse(sentence[:1].upper() + sentence[1:])
                expected = (subject, RENAMED.get((kind, attribute), attribute), value)
                right += fact is not None and (fact.subject, fact.relation, fact.value) == expected
                total += 1
    assert total > 1000 and right / total >= 0.97
