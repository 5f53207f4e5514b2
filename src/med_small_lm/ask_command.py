"""The command ``ask``: a question to the base model and to what was made of it."""

from __future__ import annotations

import shutil
from typing import Any

import click
from kedro.framework.session import KedroSession

from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError
from med_small_lm.finished import MODELS, checkpoint_of, how_asked, rows_of, untrained
from med_small_lm.shelf import read_shelf


@click.command()
@click.argument("question", required=False)
@click.option("--item", metavar="QUESTION_ID", help="Ask an item of an exam instead; its key is shown at the end.")
@click.option("--model", type=click.Choice(MODELS), default="tuned", show_default=True, help="Which model is asked.")
@click.option(
    "--beside", type=click.Choice(MODELS), default="base", show_default=True, help="Whose answer is shown beside."
)
@click.option("--form", type=click.Choice(("explain", "direct", "proposition")),
              help="For a reason and an answer, the answer alone, or each option of an item by itself, true or false; "
              "else as the model was taught.")  # fmt: skip
@click.option("--pages", type=click.IntRange(min=0), default=3, show_default=True, help="Most pages; 0: none.")
@click.option("--env", "-e", help="The environment whose run is asked.")
def ask(
    question: str | None, item: str | None, model: str, beside: str, form: str | None, pages: int, env: str | None
) -> None:
    """Ask QUESTION, and show the answers side by side, and the pages of the books nearest to the model's."""
    from med_small_lm.benchmarks.ask import answers_text, free_question
    from med_small_lm.benchmarks.ask import ask as asked
    from med_small_lm.benchmarks.trace import find
    from med_small_lm.cli import plain_errors
    from med_small_lm.schemas.rows import Passage
    from med_small_lm.schemas.rows import Question as Item

    with plain_errors(), KedroSession.create(project_path=PROJECT, env=env) as session:
        if (question is None or not question.strip()) == (item is None):
            raise UserError('ask one question: `kedro ask "QUESTION"`, or `kedro ask --item QUESTION_ID`')
        catalog: Any = session.load_context().catalog  # type: ignore[attr-defined]
        put = find(item, rows_of(catalog, {"exam_items": Item})["exam_items"]) if item else free_question(str(question))
        passages = rows_of(catalog, {"passages": Passage})["passages"] if pages else []
        chosen, most = how_asked(catalog, form)
        if chosen.name == "proposition" and not put.options:
            raise UserError(
                "a form of propositions needs options: ask an exam's item (`--item QUESTION_ID`), or say"
                " `--form explain`"
            )
        made = {name: checkpoint_of(catalog, name) for name in dict.fromkeys((beside, model))}
        answers = [
            asked(one.path, name, put, chosen, most, "untrained: its weights are random" if untrained(one) else "")
            for name, one in made.items()
        ]
        titles = {name: book.title for name, book in read_shelf(PROJECT / "conf", env).items()}
        width = shutil.get_terminal_size().columns
        click.echo(answers_text(put, chosen, answers, passages, titles, pages, width))
