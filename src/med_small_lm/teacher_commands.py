"""The command group ``teacher``: what an endpoint can do, what the ledger holds, and the ledger to another machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.session import KedroSession

from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError

if TYPE_CHECKING:
    from med_small_lm.datasets.teacher import TeacherAccess
    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.teacher.ledger import Ledger

ENV = click.option("--env", "-e", help="The environment whose teacher is meant, as for `kedro run`.")
SPLIT = next(option.callback for option in kedro_run.params if option.name == "params")
PARAMS = click.option("--params", default="", callback=SPLIT, help="As for `kedro run`, e.g. teacher.model=NAME.")
FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def teacher() -> None:
    """Look into the teacher: what its endpoint can do, and what its ledger holds."""


@teacher.command()
@ENV
@PARAMS
@click.option("--letters", type=click.IntRange(min=1), help="Length of the long prompt.  [default: the longest so far]")
def probe(env: str | None, params: dict[str, Any], letters: int | None) -> None:
    """Say what each endpoint can do, by nine requests with the parameters and the key of a run.

    Seven are calls that the endpoint may charge for, one of them with a prompt of LETTERS: it shows whether the server
    cuts long prompts without an error. The default is the longest request in the ledger, or 20,000 where it is empty.
    """
    from med_small_lm.teacher.probe import LETTERS, probe

    with _plain_errors():
        access, given = _access(env, params)
        letters = letters or _longest(access) or LETTERS
        unusable = 0
        for url in given.base_url:
            found = probe(given, url, access.key_for(given), letters)
            click.echo("\n".join(found.lines()))
            unusable += not found.usable
        if unusable:
            raise UserError(f"{unusable} of {len(given.base_url)} endpoints cannot be used as they are")


@teacher.command(name="export")
@ENV
@FILE
def export_ledger(env: str | None, file: Path) -> None:
    """Write all calls of the ledger to FILE, as Parquet."""
    from med_small_lm.teacher.exchange import export_calls

    with _plain_errors(), _ledger(_access(env)[0]) as ledger:
        click.echo(f"{export_calls(ledger, file):,} calls in {file}")


@teacher.command(name="import")
@ENV
@FILE
def import_ledger(env: str | None, file: Path) -> None:
    """Take over the calls of FILE that the ledger has no answer for."""
    from med_small_lm.teacher.exchange import import_calls
    from med_small_lm.teacher.ledger import Ledger

    with _plain_errors():
        path = _access(env)[0].ledger
        with closing(Ledger(path)) as ledger:
            new, total = import_calls(ledger, file)
        click.echo(f"{new:,} of {total:,} calls were new to {path}")


@teacher.command(name="ledger")
@ENV
def show_ledger(env: str | None) -> None:
    """Count the calls by model, task and state, what they cost, and why tries failed."""
    from med_small_lm.teacher.tally import tally

    with _plain_errors(), _ledger(_access(env)[0]) as ledger:
        click.echo("\n".join(tally(ledger.calls()).lines()))


def _access(env: str | None, params: dict[str, Any] | None = None) -> tuple[TeacherAccess, TeacherParams]:
    """Where the ledger lies, the key, and the parameters, as a run of ``env`` would have them."""
    from med_small_lm.paid import teacher_of

    with KedroSession.create(project_path=PROJECT, env=env, runtime_params=params) as session:
        given, access = teacher_of(session.load_context().catalog)  # type: ignore[attr-defined]
        return access, given


@contextmanager
def _ledger(access: TeacherAccess) -> Iterator[Ledger]:
    """The ledger, opened; it must be there."""
    from med_small_lm.teacher.ledger import Ledger

    if not access.ledger.exists():
        raise UserError(f"there is no ledger {access.ledger} yet: a run writes it")
    with closing(Ledger(access.ledger)) as ledger:
        yield ledger


def _longest(access: TeacherAccess) -> int:
    """Letters of the longest request in the ledger, 0 where there is none."""
    if not access.ledger.exists():
        return 0
    with _ledger(access) as ledger:
        return max((len(call.request) for call in ledger.calls()), default=0)


def _plain_errors() -> Any:
    from med_small_lm.cli import plain_errors

    return plain_errors()
