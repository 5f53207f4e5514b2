"""Nothing goes to the hub unless it may go there and has a token, and the hub is open for that call alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants, is_offline_mode

from med_small_lm.errors import UserError
from med_small_lm.tuning.export import push as pushing

FREE = ["CC BY 4.0", "CC BY-SA 4.0", "Apache-2.0"]
ALLOWED: dict[str, Any] = {"on_premises": False, "accept_terms": False, "token": "hf_own"}


class Hub:
    """Stands for ``huggingface_hub.HfApi`` and writes down what it is asked for."""

    asked: list[tuple[Any, ...]] = []
    problem: Exception | None = None

    def __init__(self, token: str) -> None:
        self.token = token

    def create_repo(self, repo: str, *, private: bool, exist_ok: bool) -> None:
        self.asked.append(("create", repo, self.token, private, exist_ok, is_offline_mode()))
        if self.problem:
            raise self.problem

    def upload_folder(self, *, repo_id: str, folder_path: Path, commit_message: str) -> str:
        self.asked.append(("upload", repo_id, sorted(path.name for path in folder_path.iterdir()), is_offline_mode()))
        return f"https://hub/{repo_id}/commit/1"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> type[Hub]:
    monkeypatch.setattr(pushing, "HfApi", Hub)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(Hub, "asked", [])
    return Hub


def test_a_push_creates_a_private_repository_and_shuts_the_hub_again(hub: type[Hub], tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("weights")
    assert pushing.push(tmp_path, "me/small", "hf_own") == "https://hub/me/small/commit/1"
    assert hub.asked == [
        ("create", "me/small", "hf_own", True, True, False),
        ("upload", "me/small", ["model.safetensors"], False),
    ]
    assert is_offline_mode()


@pytest.mark.parametrize("problem", [ConnectionError("no route\nto host"), pushing.HTTPError("403 Forbidden")])
def test_a_hub_that_refuses_is_one_line(
    hub: type[Hub], tmp_path: Path, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "problem", problem)
    with pytest.raises(UserError, match=r"--push me/small: (no route to host|403 Forbidden).* can be pushed again"):
        pushing.push(tmp_path, "me/small", "hf_own")
    assert is_offline_mode()


def test_free_licences_may_be_passed_on() -> None:
    assert pushing.push_allowed(FREE, **ALLOWED) == "hf_own"


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        ("CC BY-NC 4.0", "forbids commercial use"),
        ("CC BY-ND 4.0", "allows nothing to be derived"),
        ("own copy, not to be passed on", "does not say whether a model made from it may be passed on"),
    ],
)
def test_licences_that_bind_want_a_look_first(licence: str, why: str) -> None:
    with pytest.raises(UserError, match=rf"{why}.*--accept-terms") as raised:
        pushing.push_allowed([*FREE, licence], **ALLOWED)
    assert licence in str(raised.value) and "Apache" not in str(raised.value)
    assert pushing.push_allowed([*FREE, licence], **{**ALLOWED, "accept_terms": True}) == "hf_own"


def test_nothing_leaves_the_premises_whatever_is_accepted() -> None:
    with pytest.raises(UserError, match="on_premises"):
        pushing.push_allowed(FREE, **{**ALLOWED, "on_premises": True, "accept_terms": True})


def test_a_token_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {**ALLOWED, "token": None}
    monkeypatch.setattr(pushing, "get_token", lambda: None)
    with pytest.raises(UserError, match="HF_TOKEN"):
        pushing.push_allowed(FREE, **without)
    monkeypatch.setattr(pushing, "get_token", lambda: "hf_environment")
    assert pushing.push_allowed(FREE, **without) == "hf_environment"
