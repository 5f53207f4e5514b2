"""The project's commands beside Kedro's: ``run`` with one-line errors, ``trace``, ``proof``, and others'."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DatasetError
from kedro.pipeline.pipeline import PipelineError

from med_small_lm import quiet  # noqa: F401  before kedro-viz is imported
from med_small_lm.ask_command import ask
from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError, causes, is_full, mendable, nearest
from med_small_lm.export_commands import export_group
from med_small_lm.finished import rows_of
from med_small_lm.judge_commands import judge
from med_small_lm.paid import ends_of
from med_small_lm.pocket.commands import pocket
from med_small_lm.teacher_commands import teacher

LOG = logging.getLogger(__name__)
MENDABLE = (DatasetError, PipelineError)
"""Kedro's errors that say what the user can mend: a file that is gone, a node or dataset of no such name."""


@click.group(name="med-small-lm")
def cli() -> None:
    """Medical textbooks to a small language model, and proof of what it learnt."""


cli.add_command(pocket)
cli.add_command(teacher)
cli.add_command(judge)
cli.add_command(export_group)
cli.add_command(ask)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what the user can mend into one line and exit code 1; a bug keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        from med_small_lm.tracking.artifacts import end_as_killed

        end_as_killed()
        click.echo("Stopped. What was finished is kept: the same command goes on from there.", err=True)
        raise click.exceptions.Exit(130) from None
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Exception as problem:
        LOG.debug("", exc_info=True)
        message = user_message(problem)
        if message is None:
            raise
        raise UserError(message) from problem


def user_message(problem: BaseException) -> str | None:
    """The message of an error that the user can mend, or None for any other."""
    if (own := mendable(problem)) is not None:
        if is_full(own):
            return f"the disk is full ({own}): make room and run the same command again; what was finished is kept"
        return str(own)
    for cause in causes(problem):
        if isinstance(cause, KeyError) and "credentials" in str(cause):
            return f"{cause.args[0].partition(':')[0]}: name them in conf/local/credentials.yml"
    no_pipeline = isinstance(problem, ValueError) and "ipeline" in str(problem).partition("\n")[0]
    return str(problem) if isinstance(problem, MENDABLE) or no_pipeline else None


@cli.command(name="run", params=kedro_run.params, help=kedro_run.help)
def run(**options: Any) -> None:
    """Run Kedro's own command, with errors that name the place and the cure."""
    with plain_errors():
        if options["pipeline"] and not options["pipelines"]:
            options["pipelines"], options["pipeline"] = [options["pipeline"]], None
        for name in options["pipelines"] or []:
            if name not in pipelines:
                raise UserError(
                    f"there is no pipeline {name!r}{nearest(name, pipelines)}; there are: {', '.join(pipelines)}"
                )
        options["to_nodes"] = options["to_nodes"] or ends_of(options)
        kedro_run.callback(**options)  # type: ignore[misc]


@cli.command()
@click.argument("question_id")
@click.option("--env", "-e", help="The environment whose run is looked into.")
def trace(question_id: str, env: str | None) -> None:
    """Print one exam item, what the models said to it, and the records and pages nearest to it."""
    from med_small_lm.benchmarks.trace import trace as trace_text
    from med_small_lm.schemas import rows

    with plain_errors(), KedroSession.create(project_path=PROJECT, env=env) as session:
        catalog = session.load_context().catalog  # type: ignore[attr-defined]
        names = {
            "exam_items": rows.Question,
            "predictions": rows.Prediction,
            "lineage": rows.Link,
            "conversations": rows.Conversation,
            "passages": rows.Passage,
        }
        click.echo(trace_text(question_id, *rows_of(catalog, names).values()))


@cli.group()
def proof() -> None:
    """Show that the score comes from the books: each command prints both sides."""


PARAMS = click.option("--params", default="", help="As for `kedro run`: the same for both sides, e.g. seed=1.")


@proof.command()
@PARAMS
def ablation(params: str) -> None:
    """Run the chain with the books, and without injection and replay."""
    from med_small_lm import proof as proofs

    with plain_errors():
        compared = proofs.ablation(params)
        proofs.save(compared, PROJECT / "data/08_reporting/proof_ablation.csv")
        click.echo(proofs.table(compared))


@proof.command()
@PARAMS
@click.option("-n", "changes", default=40, show_default=True, type=click.IntRange(min=1), help="Facts to change.")
def counterfactual(params: str, changes: int) -> None:
    """Change facts in the books, run the chain on them, and ask about both."""
    from med_small_lm import proof as proofs

    with plain_errors():
        compared = proofs.counterfactual(changes, params=params)
        proofs.save(compared, PROJECT / "data/08_reporting/proof_counterfactual.csv")
        click.echo(proofs.table(compared))
