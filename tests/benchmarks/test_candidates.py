"""Models beside the run's own: what is wrong with their settings stops before anything runs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from med_small_lm.benchmarks.candidates import sources
from med_small_lm.errors import UserError
from med_small_lm.params.candidates import Candidate
from med_small_lm.params.evaluate import Evaluate

ENDPOINT = {"model": "m", "base_url": "http://127.0.0.1:1/v1"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "one of model, endpoint and open_book is needed, not none"),
        ({"model": "gpt2", "endpoint": ENDPOINT}, "not model and endpoint"),
        ({"model": "/no/such/folder"}, "there is no folder /no/such/folder"),
        ({"model": "./here"}, "there is no folder here"),
        ({"model": "a b"}, "a name on the hub is written owner/name"),
        ({"model": "{tmp}"}, "it has no config.json"),
        ({"model": "{model}", "revision": "main"}, "revision and allow_download are for the hub"),
        ({"model": "{model}", "adapter": "{tmp}"}, "holds no PEFT adapter"),
        ({"model": "{model}", "adapter": "/no/such"}, "not point to a directory"),
        ({"endpoint": ENDPOINT, "allow_download": True}, "belong to a model"),
        ({"endpoint": {"model": "builtin"}}, "the built-in teacher answers no questions"),
        ({"endpoint": {"model": "m", "base_url": "http://elsewhere.org"}}, "plain HTTP to elsewhere.org is refused"),
        ({"endpoint": {"model": "m", "base_url": "https://elsewhere.org"}}, "price_in and price_out are missing"),
        ({"endpoint": ENDPOINT | {"repairs": 1}}, "repairs"),
        ({"open_book": {"of": "tuned", "passages": 0}}, "passages"),
        ({"endpoint": ENDPOINT, "exams": ["medqa", "medqa"]}, "exams names one twice: medqa, medqa"),
        ({"colour": 1}, "colour"),
    ],
)
def test_wrong_settings(settings: Any, said: str, checkpoint: Path, tmp_path: Path) -> None:
    given = {
        name: value.format(tmp=tmp_path, model=checkpoint) if isinstance(value, str) else value
        for name, value in settings.items()
    }
    with pytest.raises(ValidationError, match=said):
        Candidate.model_validate(given)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("tuned", {"model": "gpt2"}, "none of the run's own"),
        ("a/b", {"model": "gpt2"}, "letters, digits"),
        ("book", {"open_book": {"of": "tunde"}}, "open_book.of is none of base, injected, tuned"),
        ("book", {"open_book": {"of": "book"}}, "open_book.of is none of base, injected, tuned"),
        ("far", {"endpoint": ENDPOINT}, "candidates.far: an endpoint can only write: modes lacks generation"),
    ],
)
def test_wrong_names(name: str, settings: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Evaluate(candidates={name: settings}, modes=("likelihood",))


def test_sources_know_when_a_model_is_another(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    given = {
        "book": {"open_book": {"of": "mine", "passages": 2}}, "mine": {"model": str(tmp_path)},
        "far": {"endpoint": ENDPOINT},
    }  # fmt: skip
    params = Evaluate(models=("tuned",), candidates=given)  # type: ignore[arg-type]
    own = {"tuned": (checkpoint, "print")}
    tuned, book, mine, far = before = sources(params, own)
    assert [one.name for one in before] == ["tuned", "book", "mine", "far"]
    assert (tuned.folder, tuned.digest, book.folder, book.pages) == (checkpoint, "print", tmp_path, 2)
    assert far.folder is None and far.endpoint is not None and mine.pages == 0
    assert sources(params, own) == before
    os.utime(tmp_path / "config.json", (1, 1))
    after = {one.name: one.digest for one in sources(params, own)}
    assert after["mine"] == after["book"] != mine.digest and after["far"] == far.digest


def test_a_candidate_may_be_kept_to_some_exams() -> None:
    given = {
        "book": {"open_book": {"of": "tuned"}, "exams": ["book_exam"]},
        "far": {"endpoint": ENDPOINT, "exams": ["k_qa", "medqa"]},
        "far_open": {"open_book": {"of": "far"}, "exams": []}, "near": {"endpoint": ENDPOINT},
    }  # fmt: skip
    params = Evaluate(models=("tuned",), candidates=given)  # type: ignore[arg-type]
    assert params.names_on("book_exam") == ("tuned", "book", "near")
    assert params.names_on("medqa") == ("tuned", "far", "far_open", "near")
    assert params.names_on("other") == ("tuned", "near")
    for pair in (["book", "far"], ["far_open", "book"]):
        with pytest.raises(ValidationError, match=f"judge.pairs: {' and '.join(pair)} answer no exam both"):
            Evaluate(models=("tuned",), candidates=given, judge={"pairs": [pair]})  # type: ignore[arg-type]


def test_an_adapters_own_base_and_parents_tell_it(tmp_path: Path) -> None:
    base, first, last = (tmp_path / name for name in ("base", "first", "last"))
    for folder, parent in ((base, ""), (first, "../base"), (last, "../first")):
        folder.mkdir()
        (folder / "model.safetensors").write_text(folder.name)
        told = {"base_model_name_or_path": parent}
        (folder / ("adapter_config.json" if parent else "config.json")).write_text(json.dumps(told))
    params = Evaluate(models=(), candidates={"mine": {"model": str(last)}})  # type: ignore[dict-item]
    digests = []
    for folder in (base, first, last):
        digests.append(sources(params, {})[0].digest)
        os.utime(folder / "model.safetensors", (1, 1))
    assert len({*digests, sources(params, {})[0].digest}) == 4
    shutil.rmtree(base)
    with pytest.raises(UserError, match=r"evaluate.candidates.mine: .*first is an adapter on ../base, which is gone"):
        sources(params, {})


def test_an_endpoint_is_told_by_its_addresses_and_takes_the_runs_longest_reply() -> None:
    def source(**settings: Any) -> Any:
        [found] = sources(Evaluate(models=(), candidates={"far": {"endpoint": ENDPOINT | settings}}), {})  # type: ignore[dict-item]
        return found

    two = ["http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"]
    digests = {source(**settings).digest for settings in ({}, {"base_url": two}, {"context": 99}, {"max_tokens": 9})}
    assert len(digests) == 4 and source(base_url=two).digest == source(base_url=two[::-1]).digest
    assert source().endpoint.max_tokens == 64 and source(max_tokens=9).endpoint.max_tokens == 9


def test_a_model_of_the_hub_that_is_not_here_is_not_fetched(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    params = Evaluate(models=(), candidates={"other": {"model": "nobody/no-such-model"}})  # type: ignore[dict-item]
    with pytest.raises(UserError, match="nobody/no-such-model of the hub is not in the local cache; `allow_download"):
        sources(params, {})
