"""The command ``export model``: a trained model for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.session import KedroSession

from med_small_lm import __version__
from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError
from med_small_lm.finished import MODELS, checkpoint_of, how_asked, rows_of, written_to
from med_small_lm.shelf import read_shelf
from med_small_lm.tuning.licences import terms_in_words

if TYPE_CHECKING:
    from med_small_lm.tuning.checkpoint import Checkpoint
    from med_small_lm.tuning.export.evidence import Evidence


@click.command(name="model")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--env", "-e", help="The environment whose run is exported.")
@click.option("--model", type=click.Choice(MODELS), default="tuned", show_default=True, help="Which one.")
@click.option(
    "--gguf", type=click.Path(path_type=Path), help="llama.cpp's convert_hf_to_gguf.py: makes model.gguf too."
)
@click.option("--push", metavar="REPO_ID", help="Push it to this repository of the Hugging Face hub; private if new.")
@click.option("--accept-terms", is_flag=True, help="Push although licences of its data bind it or are unknown.")
def export_model(
    folder: Path, env: str | None, model: str, gguf: Path | None, push: str | None, accept_terms: bool
) -> None:
    """A trained model with tokenizer, chat template and card, for whatever reads Hugging Face's layout.

    Adapters are merged. An earlier export in FOLDER is replaced; any other folder that holds something is left alone.
    """
    from med_small_lm.cli import plain_errors
    from med_small_lm.tuning.export.gguf import check_converter, to_gguf

    with plain_errors(), KedroSession.create(project_path=PROJECT, env=env) as session:
        context: Any = session.load_context()  # type: ignore[attr-defined]
        chain = _chain(context.catalog, model)
        if gguf:
            check_converter(gguf)
        token = _token(context, chain[-1], accept_terms) if push else ""
        _write(context.catalog, chain, folder, env)
        click.echo(f"{folder}: {model}, to be loaded by transformers and served from there; {folder / 'README.md'}")
        if bound := terms_in_words(chain[-1].manifest.licences):
            click.echo(f"Terms that bind what is built from it: {bound}")
        if gguf:
            click.echo(f"{to_gguf(folder, gguf)}: the same for llama.cpp")
        if push:
            from med_small_lm.tuning.export.push import push as pushed

            click.echo(pushed(folder, push, token))


def _chain(catalog: Any, model: str) -> list[Checkpoint]:
    """The checkpoints from the base model to the one that is exported.

    Raises:
        UserError: One is not there yet, or is not the one that the next was made of.
    """
    chain: list[Checkpoint] = []
    for name in MODELS[: MODELS.index(model) + 1]:
        made = checkpoint_of(catalog, name)
        if chain and chain[-1].manifest.fingerprint not in made.manifest.parents.values():
            parent = chain[-1].manifest.name
            raise UserError(f"{name} was not made of the {parent} model that is there now: run `kedro run` first")
        chain.append(made)
    return chain


def _token(context: Any, checkpoint: Checkpoint, accept_terms: bool) -> str:
    """The token to push with, asked for before anything is written."""
    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.tuning.export.push import push_allowed

    on_premises = TeacherParams.model_validate(context.catalog.load("params:teacher")).on_premises
    token = (context._get_config_credentials().get("huggingface") or {}).get("token")
    licences = checkpoint.manifest.licences
    return push_allowed(licences, on_premises=on_premises, accept_terms=accept_terms, token=token)


def _write(catalog: Any, chain: list[Checkpoint], folder: Path, env: str | None) -> None:
    from med_small_lm.tuning.export.hub_card import hub_card
    from med_small_lm.tuning.export.model import export_model

    manifests, (form, most) = [one.manifest for one in chain], how_asked(catalog)
    card = hub_card(manifests, _evidence(catalog, chain, env), form, most, __version__)
    with written_to(folder):
        export_model(chain[-1], folder, card, __version__)


def _evidence(catalog: Any, chain: list[Checkpoint], env: str | None) -> Evidence:
    """The records that a card tells of, as far as there are any; scores from before the checkpoint are none of it."""
    from med_small_lm.datasets.paths import path_of
    from med_small_lm.schemas import rows
    from med_small_lm.tuning.checkpoint import MANIFEST
    from med_small_lm.tuning.export.evidence import Evidence
    from med_small_lm.tuning.stage import PERPLEXITIES, again, sample_prompts

    names = {
        "passages": rows.Passage,
        "corpus": rows.CorpusText,
        "conversations": rows.Conversation,
        "exam_items": rows.Question,
        "contamination": rows.Contamination,
        "scores": rows.Score,
    }
    files = {name: path for name in names if (path := path_of(catalog, name)) and path.exists()}
    made = (chain[-1].path / MANIFEST).stat().st_mtime
    if "scores" in files and files["scores"].stat().st_mtime < made:
        del files["scores"]
    loaded = rows_of(catalog, {name: names[name] for name in files})
    measured = [again(one).perplexities for one in chain if (one.path / PERPLEXITIES).is_file()]
    titles = {name: book.title for name, book in read_shelf(PROJECT / "conf", env).items()}
    return Evidence(
        titles=titles,
        exams=loaded.pop("exam_items", ()),
        perplexities=[row for own in measured for row in own],
        dev_prompts=sample_prompts(chain[-1].path),
        **loaded,
    )
