"""The command group ``judge``: how good the judge of open answers is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.session import KedroSession

from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError
from med_small_lm.teacher_commands import ENV, PARAMS

if TYPE_CHECKING:
    from med_small_lm.datasets.teacher import TeacherAccess
    from med_small_lm.params.evaluate import Evaluate
    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.teacher.prompts import Prompt

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def judge() -> None:
    """Look into the judge of open answers."""


@judge.command()
@ENV
@PARAMS
@FILE
def calibrate(env: str | None, params: dict[str, Any], file: Path) -> None:
    """Ask the judge of a run about FILE, K-QA's NLI_medical_annotator.csv, and say how it agrees with physicians.

    Each statement is two calls, which the endpoint may charge for; answered calls come from the ledger.
    """
    from med_small_lm.benchmarks.judging.annotations import judge_labels, judge_report, read_annotations
    from med_small_lm.benchmarks.judging.page import calibration_page
    from med_small_lm.cli import plain_errors

    with plain_errors():
        annotated, problems = read_annotations(file)
        access, asked, evaluate, prompts = _judge(env, params)
        with closing(access.open(asked)) as teacher:
            labels = judge_labels(annotated, prompts, teacher.ask_all, asked.sampling())
        try:
            report = judge_report(annotated, labels, samples=evaluate.bootstrap_samples, seed=evaluate.seed)
        except ValueError as problem:
            raise UserError(f"{file}: {problem}") from problem
        click.echo(calibration_page(report, len(annotated), asked.model, problems), nl=False)


def _judge(env: str | None, params: dict[str, Any]) -> tuple[TeacherAccess, TeacherParams, Evaluate, dict[str, Prompt]]:
    """Where the ledger lies, how the judge is asked, the evaluation's parameters, and the prompts of statements."""
    from med_small_lm.benchmarks.judging.asking import CONTRADICTS, ENTAILS
    from med_small_lm.paid import EVALUATE, check_key, judge_of, teacher_of
    from med_small_lm.params.evaluate import Evaluate

    with KedroSession.create(project_path=PROJECT, env=env, runtime_params=params) as session:
        catalog = session.load_context().catalog  # type: ignore[attr-defined]
        given, access = teacher_of(catalog)
        evaluate = Evaluate.model_validate(catalog.load(EVALUATE))
        asked = judge_of(evaluate, given, "")
        check_key(asked, access)
        return access, asked, evaluate, {what: catalog.load(f"judge_{what}_prompt") for what in (ENTAILS, CONTRADICTS)}
