"""The command ``export``: the data for those who want nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.session import KedroSession

from med_small_lm import __version__
from med_small_lm.errors import UserError
from med_small_lm.shelf import PROJECT
from med_small_lm.tuning.export.write import FORMS, Exported, export
from med_small_lm.tuning.licences import terms_in_words

if TYPE_CHECKING:
    import pandas as pd

MODEL = "path/to/your/model"


@click.command(name="export")
@click.argument("form", type=click.Choice(FORMS))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--env", "-e", help="The environment whose run is exported.")
@click.option("--model", default=MODEL, show_default=True, help="Model that a trainer's configuration names.")
def export_data(form: str, folder: Path, env: str | None, model: str) -> None:
    """Write the conversations of a finished run to a new FOLDER, with a card that names licences and provenance.

    huggingface has questions and rationales beside them; llama-factory and axolotl come with their configuration.
    """
    from med_small_lm.cli import plain_errors

    with plain_errors(), KedroSession.create(project_path=PROJECT, env=env) as session:
        data = _data(session.load_context().catalog)  # type: ignore[attr-defined]
        try:
            parts = export(form, data, folder, model)  # type: ignore[arg-type]
        except (FileExistsError, ValueError) as problem:
            raise UserError(str(problem)) from problem
        for part in parts:
            left = f", {part.left_out:,} conversations without turns left out" if part.left_out else ""
            click.echo(f"{folder / part.file}: {part.rows:,} rows{left}")
        if bound := terms_in_words(record.licence for part in parts for record in part.records):
            click.echo(f"Terms that bind what is built from it: {bound}")


def _data(catalog: Any) -> Exported:
    """What a run has made, from its catalog.

    Raises:
        UserError: There was no run yet.
    """
    from med_small_lm.schemas import rows
    from med_small_lm.schemas.tables import to_rows

    names = {
        "conversations": rows.Conversation,
        "questions": rows.Question,
        "rationales": rows.Rationale,
        "exam_questions": rows.Question,
        "exam_rationales": rows.Rationale,
        "passages": rows.Passage,
    }
    for name in (*names, "teacher_report"):
        if not catalog.exists(name):
            raise UserError(f"there is no {name} yet: run `kedro run` first")
    loaded: dict[str, Any] = {name: to_rows(catalog.load(name), record) for name, record in names.items()}
    for name in ("questions", "rationales"):
        loaded[name] += loaded.pop(f"exam_{name}")
    return Exported(**loaded, version=__version__, models=_models(catalog.load("teacher_report")))


def _models(use: pd.DataFrame) -> dict[str, str]:
    """What made the records, by node and method; several models may have shared one."""
    made: dict[str, list[str]] = {}
    for line in use.itertuples():
        made.setdefault(f"{line.node} ({line.method})", []).append(str(line.model))
    return {what: ", ".join(dict.fromkeys(models)) for what, models in made.items()}
