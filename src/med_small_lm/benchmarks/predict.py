"""All that the models of an evaluation answer to one benchmark, in shards that an earlier run may have left.

::

    models × ways of asking ─► shards ─┬─ there already ──────────────────────────┐
                                       ├─ of local models ─► launch ─► ranks ─────┼─► files ─► read ─► predictions
                                       └─ of endpoints ─► the teacher's ledger ───┘
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from med_small_lm.answers.forms import forms_of
from med_small_lm.benchmarks.answered import Raw, predictions_of
from med_small_lm.benchmarks.asking import Setting, are_by_subject, shots_of
from med_small_lm.benchmarks.candidates import Source
from med_small_lm.benchmarks.endpoint import Ask, EndpointModel
from med_small_lm.benchmarks.open_book import find_pages
from med_small_lm.benchmarks.prompts import draw_shots, first_shots, solved
from med_small_lm.benchmarks.runs import CONTEXT, LIKELIHOOD, STEM_HIDDEN, Run, runs_of, shows_options, taken
from med_small_lm.benchmarks.shards import Shard, Stored, shards_of, stored, sweep
from med_small_lm.benchmarks.worker import DONE, SPEC, WORK_OF_A_RANK, Job, Spec, answer
from med_small_lm.launch import run as launch_work
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import Passage, Prediction, Question

LOG = logging.getLogger(__name__)

Progress = Callable[[float, int], None]
"""Told how many answers there are, of how many."""


@dataclass(frozen=True, slots=True)
class Exam:
    """A benchmark to be answered.

    Attributes:
        name: what predictions call it.
        questions: those that are scored.
        examples: solved ones, for few-shot prompts: of its dev split, else of its train split.
        passages: of the books, for models that may look things up.
    """

    name: str
    questions: Sequence[Question]
    examples: Sequence[Question] = ()
    passages: Sequence[Passage] = ()


def predict(
    exam: Exam,
    models: Sequence[Source],
    answers: Answers,
    params: Evaluate,
    folder: Path,
    *,
    launch: Launch | None = None,
    ask: Callable[[Source], Ask] | None = None,
    progress: Progress | None = None,
) -> list[Prediction]:
    """Returns a prediction for each model, question, way of asking and sample, in the questions' order.

    Args:
        exam: the questions, and what may stand before them.
        models: see ``candidates.sources``.
        answers: the forms in which questions are put.
        params: ways of asking and limits.
        folder: of this benchmark's answers; shards that lie there are taken, those of anything else deleted.
        launch: where local models run; in this process unless it is said.
        ask: opens the way to an endpoint.
        progress: told how far it is.

    Raises:
        CheckpointError: a model's folder cannot be evaluated.
        LaunchError: a rank failed; the shards that are done stay.
    """
    plan = _plan(exam, models, answers, params, folder.resolve())
    done = {shard.file: found for shard in plan.shards if (found := stored(shard)) and found.is_finished}
    swept = sweep(folder, plan.shards)
    if done or swept:
        told = len(done), len(plan.shards), swept
        LOG.info("%s: %d of %d shards are there already; %d old files deleted", exam.name, *told)
    todo = [shard for shard in plan.shards if shard.file not in done]
    left = sum(len(shard.ids) for shard in todo)

    def log(metrics: Mapping[str, float], step: int) -> None:
        if progress and DONE in metrics:
            progress(metrics[DONE], left)

    _run_local(plan, todo, answers, launch or Launch(), log)
    _run_endpoints(plan, todo, ask)
    whole = {shard.file: done.get(shard.file) or stored(shard) for shard in plan.shards}
    return [made for model in models for made in _gathered(plan, model, whole)]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is asked of whom: the shards of each way of asking each model."""

    exam: Exam
    params: Evaluate
    folder: Path
    settings: Mapping[str, Setting]
    sources: Mapping[str, Source]
    parts: Mapping[tuple[str, Run], list[Shard]]

    @property
    def shards(self) -> list[Shard]:
        """All shards, model by model."""
        return [shard for part in self.parts.values() for shard in part]

    @property
    def questions(self) -> dict[str, Question]:
        """The questions that are asked, by id."""
        return {question.question_id: question for question in self.exam.questions}


def _plan(exam: Exam, models: Sequence[Source], answers: Answers, params: Evaluate, folder: Path) -> _Plan:
    forms = forms_of(answers)
    runs = _possible(exam, params, runs_of(params, forms))
    shots = _shots(exam, params, runs)
    runs = [run for run in runs if shots_of(run, params) in shots]
    if params.permutations and not any(shows_options(run, forms, params.layout) for run in runs):
        LOG.warning("%s: permutations: no prompt shows the options, so their order changes nothing", exam.name)
    settings, parts = {}, {}
    for source in models:
        pages = find_pages(exam.questions, exam.passages, source.pages) if source.pages else None
        settings[source.name] = setting = Setting(params, forms, shots, pages)
        for run in runs:
            if _suits(source, run):
                parts[source.name, run] = shards_of(source, run, taken(run, exam.questions), setting, folder)
    return _Plan(exam, params, folder, settings, {one.name: one for one in models}, parts)


def _suits(source: Source, run: Run) -> bool:
    """Whether a model can be asked so: an endpoint tells no likelihoods, and pages found by the stem would show it."""
    return not (source.endpoint and run.mode == LIKELIHOOD) and not (source.pages and run.beside == STEM_HIDDEN)


def _possible(exam: Exam, params: Evaluate, runs: Sequence[Run]) -> list[Run]:
    """The ways in which a benchmark can be asked at all: of a context there is none where no case has two questions."""
    names = Counter(question.case_id for question in exam.questions if question.case_id)
    has_cases = any(count > 1 for count in names.values())
    return [run for run in runs if taken(run, exam.questions) and (has_cases or run.beside != CONTEXT)]


def _shots(exam: Exam, params: Evaluate, runs: Sequence[Run]) -> dict[str, tuple[Question, ...]]:
    """The examples of the ways of asking; those of which the benchmark has not so many are left out."""
    found: dict[str, tuple[Question, ...]] = {}
    fit, subjects = solved(exam.examples, exam.questions), {one.subject for one in exam.questions}
    for key, run in {shots_of(run, params): run for run in runs}.items():
        if are_by_subject(run, params):
            own = first_shots(fit, run.shots, subjects)
        else:
            own = draw_shots(fit, run.shots, params.seed)
        if own or not run.shots:
            found[key] = own
        else:
            LOG.warning("%s: examples asked for: %s; there are %d in all: left out", exam.name, key, len(fit))
    return found


def _run_local(
    plan: _Plan,
    todo: Sequence[Shard],
    answers: Answers,
    launch: Launch,
    log: Callable[[Mapping[str, float], int], None],
) -> None:
    """Answers the shards of local models, wherever they run."""
    jobs = []
    for source in plan.sources.values():
        own = [shard for shard in todo if shard.model == source.name]
        if own and source.folder is not None:
            pages, adapter = plan.settings[source.name].pages, str(source.adapter.resolve()) if source.adapter else ""
            jobs.append(Job(source.name, str(source.folder.resolve()), adapter, pages, own))
    if not jobs:
        return
    shots = plan.settings[jobs[0].model].shots
    told = {key: [one.question_id for one in own] for key, own in shots.items()}
    params = plan.params.model_dump(mode="json", exclude={"models", "candidates", "judge"})
    spec = Spec(launch.processes * launch.hosts, params, answers.model_dump(mode="json"), told, jobs)
    work = plan.folder.with_name("work")
    spec.write(
        work / SPEC, [*plan.exam.questions, *{one.question_id: one for own in shots.values() for one in own}.values()]
    )
    launch_work(WORK_OF_A_RANK, work / SPEC, launch, log)
    shutil.rmtree(work)


def _run_endpoints(plan: _Plan, todo: Sequence[Shard], ask: Callable[[Source], Ask] | None) -> None:
    """Answers the shards of endpoints, in this process, where the key is."""
    for shard in todo:
        source = plan.sources[shard.model]
        if source.endpoint is None:
            continue
        if ask is None:
            raise ValueError(f"{source.name} is an endpoint, and nothing opens the way to it")
        task = f"evaluate.{plan.exam.name}"
        asker = EndpointModel(source.name, task, source.endpoint, plan.params, ask(source))
        answer(shard, [plan.questions[name] for name in shard.ids], asker, plan.settings[source.name])


def _gathered(plan: _Plan, source: Source, found: Mapping[Path, Stored | None]) -> Iterator[Prediction]:
    """The predictions of one model, read from its shards; what is to be known of them is logged."""
    places = {question.question_id: place for place, question in enumerate(plan.exam.questions)}
    counts = Counter[str]()
    failed: list[set[str]] = []
    long: list[set[str]] = []
    for (model, run), shards in plan.parts.items():
        if model != source.name:
            continue
        raws: list[Raw] = []
        for shard in shards:
            part = found[shard.file]
            if part is None:
                raise RuntimeError(f"{shard.file} is not there, though its rank ended well")
            raws += part.raws
            counts += part.counts
        raws.sort(key=lambda raw: (places[raw.question_id], raw.sample))
        failed.append({raw.question_id for raw in raws if raw.is_failed})
        long.append({raw.question_id for raw in raws if raw.is_too_long})
        forms = plan.settings[model].forms
        yield from predictions_of(run, raws, plan.questions, forms, plan.params, model, plan.exam.name)
    _tell(f"{plan.exam.name}: {source.name}", len(plan.exam.questions), failed, long, counts)


def _tell(what: str, total: int, failed: Sequence[set[str]], long: Sequence[set[str]], counts: Counter[str]) -> None:
    """Log what the scores do not show; ``failed`` and ``long`` are questions, of each way of asking."""
    for ids, said in (
        (failed, "could not be asked: neither right nor wrong; run again to ask them"),
        (long, "do not fit its context: truncated, so wrong"),
    ):
        if any(ids):
            counted = len(set[str]().union(*ids)), total, sum(map(bool, ids)), len(ids)
            LOG.warning("%s: %d of %d questions, in %d of %d ways of asking, %s", what, *counted, said)
    for name in ("earlier", "passages"):
        if out := counts[f"{name} left out"]:
            told = "questions of cases" if name == "earlier" else "passages found"
            why = "which would not fit" + (", or whose answer was not read" if name == "earlier" else "")
            LOG.info("%s: %d of %d %s left out of prompts, %s", what, out, counts[name], told, why)
