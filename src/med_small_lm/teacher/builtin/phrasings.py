"""The built-in teacher's own ways of saying a relation, from phrasings.yml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

import yaml

from med_small_lm.teacher.builtin.rules import Fact
from med_small_lm.teacher.builtin.sentences import starts_upper


def forms(use: str, relation: str) -> list[str]:
    """Return the forms for ``use`` (stems, rationales, statements) of a relation."""
    return _source()[relation][use]


def said(form: str, fact: Fact) -> str:
    """Return a form filled with a fact, as a sentence."""
    return starts_upper(form.replace("{S}", fact.name).replace("{V}", fact.value))


@lru_cache(maxsize=1)
def _source() -> Mapping[str, Mapping[str, list[str]]]:
    text = resources.files(__package__).joinpath("phrasings.yml").read_text(encoding="utf-8")
    source: Mapping[str, Mapping[str, list[str]]] = yaml.safe_load(text)
    return source
