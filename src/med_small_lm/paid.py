"""Runs that ask the teacher: what is checked before anything is paid for, and previews, which leave no files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from kedro.framework.project import pipelines
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from pydantic import ValidationError

from med_small_lm.benchmarks.items import OPEN
from med_small_lm.datasets.benchmark import BenchmarkDataset
from med_small_lm.datasets.prompt import PromptDataset
from med_small_lm.datasets.teacher import EndpointsAccess, TeacherAccess
from med_small_lm.errors import UserError, nearest
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.teacher import BUILTIN, TeacherParams
from med_small_lm.schemas.rows import Question
from med_small_lm.schemas.tables import to_rows
from med_small_lm.teacher.forecast import Pace, forecast
from med_small_lm.teacher.ledger import Ledger

PAID = "paid"
EVALUATE, ENDPOINTS = "params:evaluate", "endpoints"
TEACHER = "params:teacher"
"""What the steps of a preview read: those that ask the teacher, and the gates that judge what it said."""
ITEMS, JUDGE = "exam_items", "judge_predictions"
"""What is scored, and the paid step that asks nobody unless open questions are among it; it stands behind training."""


def check_teacher(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Return nothing if the teacher can be asked: prompts are whole, its key is there, its ledger can be written.

    Raises:
        UserError: A prompt is wrong or has a slot that nothing fills, there is no key for a host that is not the user's
            own, or a preview would go on to training.
        TeacherError: The ledger is damaged, locked, or of another version.
    """
    if not writers(pipeline):
        return
    params, access = teacher_of(catalog)
    _check_access(pipeline, catalog, params, access)
    if params.sample:
        _keep_no_files(pipeline, catalog)


def check_judge(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Return nothing if no open answer is to be judged, or the judge can be asked.

    Raises:
        UserError: There is no judge for an open exam, it has no prices, its host no key, or a prompt is wrong.
        TeacherError: As for the teacher.
    """
    if not any(node.name == JUDGE for node in pipeline.nodes):
        return
    evaluate = Evaluate.model_validate(catalog.load(EVALUATE))
    exam = _judged_exam(pipeline, catalog, evaluate)
    if not exam:
        return
    params, access = teacher_of(catalog)
    judge = judge_of(evaluate, params, f"benchmarks.yml: {exam} has open questions: ")
    if judge.sample:
        raise UserError("teacher.sample is for previews of what the teacher writes: of a judge there is none")
    _check_access(pipeline, catalog, judge, access)


def judge_of(evaluate: Evaluate, teacher: TeacherParams, why: str) -> TeacherParams:
    """The settings with which the judge is asked; ``why`` it is needed stands before what is wrong with it.

    Raises:
        UserError: It would be the built-in teacher, or has no prices.
    """
    try:
        judge = evaluate.judge.asked_by(teacher)
    except ValidationError as problem:
        raise UserError(f"evaluate.judge: {problem.errors()[0]['msg'].removeprefix('Value error, ')}") from problem
    if judge.model == BUILTIN:
        raise UserError(
            f"{why}the built-in teacher judges no answers: name a model of an endpoint in teacher.model or "
            "evaluate.judge.model" + (", or set scored: false" if why else "")
        )
    return judge


def writers(pipeline: Pipeline) -> list[Node]:
    """The paid steps whose records the teacher writes: all but the judge's."""
    return [node for node in pipeline.nodes if PAID in node.tags and node.name != JUDGE]


def _judged_exam(pipeline: Pipeline, catalog: DataCatalog, params: Evaluate) -> str:
    """The first exam that a judge will be asked about; empty where there is none."""
    from med_small_lm.benchmarks.judging.asking import points_of

    if "generation" not in params.modes:
        return ""
    for exam, question in _open_questions(pipeline, catalog):
        answer = set(params.names_on(exam))
        compared = any(answer.issuperset(pair) for pair in params.judge.pairs)
        if compared or (answer and any(True for _ in points_of(question))):
            return exam
    return ""


def _open_questions(pipeline: Pipeline, catalog: DataCatalog) -> Iterator[tuple[str, Question]]:
    """The open questions that are scored, with their exam; of a run that begins behind them, what it finds gathered."""
    gathers = next((node for node in pipeline.nodes if ITEMS in node.outputs), None)
    for name in gathers.inputs if gathers else ():
        exam = catalog.get(name)
        if isinstance(exam, BenchmarkDataset):
            yield from ((name.split(".")[1], question) for question in exam.open_questions())
    if ITEMS in pipeline.inputs():
        items = catalog.load(ITEMS)
        yield from ((one.source, one) for one in to_rows(items[items["kind"] == OPEN], Question))


def _check_access(pipeline: Pipeline, catalog: DataCatalog, params: TeacherParams, access: TeacherAccess) -> None:
    """Return nothing if all prompts are whole, there is a key, and the ledger can be written."""
    for name in pipeline.inputs():
        if isinstance(catalog.get(name), PromptDataset):
            catalog.load(name)
    check_key(params, access)
    if access.ledger.exists():  # a run that is refused for another reason leaves none
        with closing(Ledger(access.ledger)) as ledger, ledger.batch():
            pass  # it can be written: nobody else holds it


def check_candidates(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Return nothing if the models that are evaluated beside the run's own can be asked.

    Raises:
        UserError: A model of the hub is not here, there is no key for a host that is not the user's own, or a candidate
            is kept to an exam that is not scored.
    """
    if ENDPOINTS not in pipeline.inputs():
        return
    from med_small_lm.benchmarks.candidates import model_sources

    params = Evaluate.model_validate(catalog.load(EVALUATE))
    _check_exams(params)
    access: EndpointsAccess = catalog.load(ENDPOINTS)
    for source in model_sources(params):
        if source.endpoint is not None and access.of(source.name).key_for(source.endpoint) is None:
            for host in source.endpoint.hosts:
                if not source.endpoint.is_own(host):
                    raise UserError(
                        f"evaluate.candidates.{source.name}: there is no key for {host}: put it into "
                        f"conf/local/credentials.yml as endpoints: {{{source.name}: {{api_key: ...}}}}, or name the "
                        "host in allow_hosts if it asks for none"
                    )


def _check_exams(params: Evaluate) -> None:
    """Return nothing if every exam that a candidate is kept to is one that is scored."""
    named = [(name, exam) for name, candidate in params.candidates.items() for exam in candidate.exams]
    known = _scored_exams() if named else []
    for name, exam in named:
        if exam not in known:
            raise UserError(
                f"evaluate.candidates.{name}.exams: no exam {exam!r} is scored{nearest(exam, known)}; there are "
                f"{', '.join(known)}"
            )


def _scored_exams() -> list[str]:
    """The names of the exams that have a lane in the evaluation."""
    return [node.name.split(".")[1] for node in pipelines["evaluate"].nodes if node.name.endswith(".predict")]


def check_key(params: TeacherParams, access: TeacherAccess) -> None:
    """Return nothing if there is a key for every host that is not the user's own.

    Raises:
        UserError: There is none.
    """
    if params.model != BUILTIN and access.key_for(params) is None:
        for host in params.hosts:
            if not params.is_own(host):
                raise UserError(
                    f"there is no key for {host}: put it into conf/local/credentials.yml as teacher: {{api_key: ...}}, "
                    "or name the host in teacher.allow_hosts if it asks for none"
                )


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
    if writers(pipeline):
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
    """The names of the nodes that take the teacher's parameters, up to training."""
    return [node.name for node in pipeline.nodes if TEACHER in node.inputs and node.name != JUDGE]
