"""The machine is watched while a node is at work that trains or runs a model, and then no longer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from med_small_lm.tracking import hooks
from med_small_lm.tracking.hooks import MlflowHook, TrackingHooks


class Monitor:
    """Says what becomes of it."""

    def __init__(self, run_id: str, interval: float, *, resume_logging: bool) -> None:
        assert resume_logging, "a second node's readings would lie over the first one's"
        self.said = [run_id]

    def start(self) -> None:
        self.said.append("start")

    def finish(self) -> None:
        self.said.append("finish")


@pytest.fixture
def watched(monkeypatch):
    """What becomes of the monitor of a node with these tags, when the node ends one way or the other."""

    def watched(tags, end, run="run"):
        monkeypatch.setattr(hooks, "SystemMetricsMonitor", Monitor)
        monkeypatch.setattr(MlflowHook, "before_node_run", lambda *_: None)
        active = run and SimpleNamespace(info=SimpleNamespace(run_id=run))
        monkeypatch.setattr(hooks.mlflow, "active_run", lambda: active)
        hook = TrackingHooks()
        hook.before_node_run(SimpleNamespace(tags=tags), None, {}, False)
        monitor = hook._watch
        getattr(hook, end)()
        assert hook._watch is None
        return monitor and monitor.said

    return watched


@pytest.mark.parametrize("end", ["after_node_run", "on_node_error"])
def test_a_node_with_a_model_is_watched_to_its_end_or_error(watched, end):
    assert watched({"gpu"}, end) == ["run", "start", "finish"]


def test_other_nodes_and_runs_without_tracking_are_not_watched(watched):
    assert watched({"paid"}, "after_node_run") is None
    assert watched({"gpu"}, "on_node_error", run=None) is None
