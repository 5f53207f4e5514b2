"""Runs that ask the teacher: what is checked before anything is paid for, and previews, which leave no files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from kedro.framework.project import pipelines
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline

from med_small_lm.datasets.prompt import PromptDataset
from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.errors import UserError
from med_small_lm.params.teacher import BUILTIN, TeacherParams
from med_small_lm.teacher.forecast import Pace, forecast
from med_small_lm.teacher.ledger import Ledger

PAID = "paid"
TEACHER = "params:teacher"
"""What the steps of a preview read: those that ask the teacher, and the gates that judge what it said."""


def check_teacher(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Return nothing if the teacher can be asked: prompts are whole, its key is there, its ledger can be written.

    Raises:
        UserError: A prompt is wrong or has a slot that nothing fills, there is no key for a host that is not the user's
            own, or a preview would go on to training.
        TeacherError: The ledger is damaged, locked, or of another version.
    """
    if not pipeline.only_nodes_with_tags(PAID).nodes:
        return
    for name in pipeline.inputs():
        if isinstance(catalog.get(name), PromptDataset):
            catalog.load(name)
    params, access = teacher_of(catalog)
    if params.model != BUILTIN and access.key_for(params) is None:
        for host in params.hosts:
            if not params.is_own(host):
                raise UserError(
                    f"there is no key for {host}: put it into conf/local/credentials.yml as teacher: {{api_key: ...}}, "
                    "or name the host in teacher.allow_hosts if it asks for none"
                )
    if access.ledger.exists():  # a run that is refused for another reason leaves none
        with closing(Ledger(access.ledger)) as ledger, ledger.batch():
            pass  # it can be written: nobody else holds it
    if params.sample:
        _keep_no_files(pipeline, catalog)


def teacher_of(catalog: DataCatalog) -> tuple[TeacherParams, TeacherAccess]:
    """The teacher's parameters, and where its ledger and key are."""
    # Kedro gives parameters as plain dictionaries where no node of the run takes them.
    return TeacherParams.model_validate(catalog.load(TEACHER)), catalog.load("teacher")


def ends_of(options: Mapping[str, Any]) -> list[str]:
    """The names of the nodes that a preview ends with; none where the options of ``kedro run`` ask for none."""
    given = options["params"].get("teacher")
    if not isinstance(given, dict) or not given.get("sample") or options["to_nodes"]:
        return []
    chosen = options["pipelines"] or ["__default__"]
    return [name for one in chosen for name in _steps(pipelines[one])]


def forecast_lines(pipeline: Pipeline, catalog: DataCatalog) -> Iterator[str]:
    """What all passages would take, after a preview."""
    if pipeline.only_nodes_with_tags(PAID).nodes:
        params, access = teacher_of(catalog)
        if params.sample and any(group.pilot for group in access.forecasts):
            told = forecast(access.forecasts, cost=params.cost, pace=Pace.of(params))
            yield "Preview: the answers are in the ledger, records made from them are not kept. For all passages:"
            if params.model == BUILTIN:
                yield f"forecast: {told.calls.point:,.0f} calls more, which cost nothing with the built-in teacher"
            else:
                yield from told.lines()


def _keep_no_files(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Let what a preview makes stay in memory: files of an earlier, whole run are not for it to replace."""
    steps = _steps(pipeline)
    if pipeline.to_nodes(*steps).nodes != pipeline.nodes:
        raise UserError("teacher.sample is for previews: give it with --params, which ends the run before training")
    log = logging.getLogger("kedro.io.data_catalog")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns of every dataset that is replaced
    for node in pipeline.from_nodes(*steps).nodes:
        for name in node.outputs:
            catalog[name] = MemoryDataset(copy_mode="assign")
    log.setLevel(level)


def _steps(pipeline: Pipeline) -> list[str]:
    """The names of the nodes that take the teacher's parameters."""
    return [node.name for node in pipeline.nodes if TEACHER in node.inputs]
