"""What licences ask for is read from their names, and goes over to what is built."""

from __future__ import annotations

import dataclasses

import pytest
import yaml

from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.params.knowledge_injection import BaseModelParams, InjectionParams
from med_small_lm.schemas.rows import Conversation, CorpusText, Message
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.injection import inject
from med_small_lm.tuning.licences import licence_uses, terms_in_words, terms_of
from med_small_lm.tuning.tune import tune


@pytest.mark.parametrize(
    ("licence", "named"),
    [
        ("CC BY 4.0", []),
        ("CC0", []),
        ("Public Domain", []),
        ("Apache-2.0", []),
        ("cc-by-nc-4.0", ["non-commercial"]),
        ("CC BY-NC-SA 3.0", ["non-commercial", "share-alike"]),
        ("Creative Commons Attribution-ShareAlike", ["share-alike"]),
        ("GPL-3.0", ["share-alike"]),
        ("CC BY-NC-ND 4.0", ["non-commercial", "no derivatives"]),
        ("non-commercial research", ["non-commercial"]),
        ("CC BY 4.0; CC BY-SA 4.0", ["share-alike"]),
        ("Creative Commons Attribution 4.0", []),
        ("GPLv3", ["share-alike"]),
        ("ODC-By 1.0", []),
        ("OpenRAIL", ["terms unknown"]),
        ("by permission of the publisher", ["terms unknown"]),
        ("CC BY 4.0 and own", ["terms unknown"]),
        ("CC BY-NC 4.0 and CC BY-SA 4.0", ["non-commercial", "share-alike"]),
        ("UMLS Metathesaurus License", ["terms unknown"]),
        ("own", ["terms unknown"]),
        ("own copy, not to be passed on", ["terms unknown"]),
    ],
)
def test_terms(licence: str, named: list[str]) -> None:
    assert terms_of(licence).named() == named


def example(source: str, licence: str) -> Conversation:
    turns = [Message("user", "What is gout?"), Message("assistant", "A disease.")]
    return Conversation(f"{source}-1", source, "alpaca", turns, ["a:1"], "", [], licence)


def test_the_ledger_counts_by_stage_source_and_licence(corpus: list[CorpusText]) -> None:
    uses = licence_uses(corpus, [example("a", "CC BY-NC 4.0"), example("b", "CC BY-SA 4.0")])
    assert sum(use.records for use in uses if use.stage == "corpus") == len(corpus)
    told = {use.source: (use.non_commercial, use.share_alike) for use in uses if use.stage == "conversations"}
    assert told == {"a": (True, False), "b": (False, True)}
    assert terms_in_words(use.licence for use in uses) == "CC BY-NC 4.0 (non-commercial); CC BY-SA 4.0 (share-alike)"


def test_a_checkpoint_names_the_licences_of_all_its_parents(base: Checkpoint, corpus: list[CorpusText]) -> None:
    assert list(base.manifest.licences) == []
    books = [dataclasses.replace(text, licence="CC BY-SA 4.0") for text in corpus]
    folder = base.path.parent / "licences"
    loop = {"block_size": 64, "batch_size": 2, "log_steps": 1, "save_steps": 0}
    injected = inject(base, books, InjectionParams(tokens=128, evaluations=0, **loop), 0, folder / "injected")[0]
    assert list(injected.manifest.licences) == ["CC BY-SA 4.0"]
    params = TuneParams(steps=1, replay_share=0, **loop)
    tuned = tune(injected, [example("a", "CC BY-NC 4.0")], [], params, 0, folder / "tuned")[0]
    assert list(tuned.manifest.licences) == ["CC BY-NC 4.0", "CC BY-SA 4.0"]
    assert Checkpoint.read(tuned.path).manifest.licences == ["CC BY-NC 4.0", "CC BY-SA 4.0"]
    card = (tuned.path / "README.md").read_text()
    assert "CC BY-NC 4.0 (non-commercial); CC BY-SA 4.0 (share-alike)" in card
    assert yaml.safe_load(card.split("---")[1])["license"] == "other"
    again = make_base([], BaseModelParams(source=str(tuned.path)), 0, folder / "again")
    assert list(again.manifest.licences) == ["CC BY-NC 4.0", "CC BY-SA 4.0"], "a model built on it is bound as well"
