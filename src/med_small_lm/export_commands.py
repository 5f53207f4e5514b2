"""The command group ``export``: the data of a finished run, or a model of it, for others."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.session import KedroSession

from med_small_lm import __version__
from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError
from med_small_lm.export_model_command import export_model
from med_small_lm.finished import rows_of, written_to
from med_small_lm.tuning.export.write import FORMS, Exported, Form, export
from med_small_lm.tuning.licences import terms_in_words

if TYPE_CHECKING:
    from med_small_lm.schemas.rows import TeacherUse

MODEL = "path/to/your/model"
TRAINERS = {"llama-factory", "axolotl"}
SAID = {
    "huggingface": "The data as a dataset for the hub: conversations, questions and rationales.",
    "sharegpt": "The conversations in ShareGPT's form.",
    "alpaca": "The conversations in Alpaca's form.",
    "openai": "The conversations in the form of OpenAI's fine-tuning service.",
    "llama-factory": "The conversations for LLaMA-Factory, with its configuration.",
    "axolotl": "The conversations for Axolotl, with its configuration.",
}


@click.group(name="export")
def export_group() -> None:
    """Write the data of a finished run, or a model of it, to a FOLDER, with a card of licences and provenance."""


export_group.add_command(export_model)


def _command(form: Form) -> click.Command:
    """The command that exports the data in one form."""
    parameters: list[click.Parameter] = [
        click.Argument(["folder"], type=click.Path(path_type=Path, file_okay=False)),
        click.Option(["--env", "-e"], help="The environment whose run is exported."),
    ]
    if form in TRAINERS:
        model = click.Option(["--model"], default=MODEL, show_default=True, help="Model that its configuration names.")
        parameters.append(model)
    told = f"{SAID[form]} FOLDER has to be new or empty."
    return click.Command(form, params=parameters, callback=partial(_export_data, form), help=told)


def _export_data(form: Form, folder: Path, env: str | None, model: str = MODEL) -> None:
    from med_small_lm.cli import plain_errors

    with plain_errors(), KedroSession.create(project_path=PROJECT, env=env) as session:
        data = _data(session.load_context().catalog)  # type: ignore[attr-defined]
        try:
            with written_to(folder):
                parts = export(form, data, folder, model)
        except ValueError as problem:
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

    names = {
        "conversations": rows.Conversation,
        "questions": rows.Question,
        "rationales": rows.Rationale,
        "exam_questions": rows.Question,
        "exam_rationales": rows.Rationale,
        "passages": rows.Passage,
        "teacher_report": rows.TeacherUse,
    }
    loaded = rows_of(catalog, names)
    use = loaded.pop("teacher_report")
    for name in ("questions", "rationales"):
        loaded[name] += loaded.pop(f"exam_{name}")
    return Exported(**loaded, version=__version__, models=makers(use))


def makers(use: Iterable[TeacherUse]) -> dict[str, str]:
    """What made the records, by node and method; several models may have shared one."""
    made: dict[str, list[str]] = {}
    for line in use:
        made.setdefault(f"{line.node} ({line.method})", []).append(line.model)
    return {what: ", ".join(dict.fromkeys(models)) for what, models in made.items()}


for _form in FORMS:
    export_group.add_command(_command(_form))
