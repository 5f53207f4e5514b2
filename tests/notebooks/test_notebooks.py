"""Every notebook runs from top to bottom on a finished run, and shows pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
PICTURE = "application/vnd.plotly.v1+json"
CELL_SECONDS = 300

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test waits for the run, too


def execute(notebook: NotebookNode, project: Path, folder: Path, **variables: str) -> NotebookNode:
    """The notebook with its outputs, run in a folder of a project, on the code of that project."""
    folder.mkdir(exist_ok=True)
    own = {"PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1", "IPYTHONDIR": str(project / ".ipython")}
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}})
    outer = {name: value for name, value in os.environ.items() if name not in ("KEDRO_ENV", "PLOTLY_RENDERER")}
    return client.execute(env=outer | own | variables)


@pytest.fixture(scope="module")
def executed(small_run: Path) -> Iterator[dict[str, Future[NotebookNode]]]:
    """The notebooks by name, two at a time: each spends most of its time on imports."""
    with ThreadPoolExecutor(2) as pool:
        yield {
            path.stem: pool.submit(execute, nbformat.read(path, as_version=4), small_run, small_run / "notebooks")
            for path in NOTEBOOKS
        }
        pool.shutdown(cancel_futures=True)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook: NotebookNode, kind: str) -> list:
    """All that a notebook shows of one MIME type."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output.data[kind] for output in outputs if kind in output.get("data", {})]


def test_there_is_a_quick_start_and_one_for_each_pipeline():
    from med_small_lm.pipelines import __path__ as pipelines

    told = {name.partition("_")[2] for name in NAMES}
    assert {"quickstart", "lineage"} <= told
    assert {path.parent.name for path in Path(pipelines[0]).glob("*/pipeline.py")} <= told


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_is_stored_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(notebook))


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_pictures(name, executed):
    notebook = executed[name].result()
    pictures = shown(notebook, PICTURE)
    assert pictures
    assert all(picture["data"] for picture in pictures), "a picture is empty"
    noise = [output.text for cell in code_cells(notebook) for output in cell.outputs if output.get("name") == "stderr"]
    assert not noise


def test_the_quick_start_shows_the_scores_of_all_models(executed):
    notebook = executed["00_quickstart"].result()
    [cell] = [cell for cell in code_cells(notebook) if "scores" in cell.metadata.get("tags", [])]
    [table] = [output.data["text/html"] for output in cell.outputs]
    for model in ("base", "injected", "tuned"):
        assert f"<td>{model}</td>" in table


def test_the_first_cell_finds_project_and_environment_from_any_folder(small_run):
    first = next(cell for cell in nbformat.read(NOTEBOOKS[0], as_version=4).cells if cell.cell_type == "code")
    asked = new_code_cell("import med_small_lm\n\nprint(context.env, context.project_path, med_small_lm.__file__)")
    notebook = execute(
        new_notebook(cells=[first, asked]), small_run, small_run / "conf" / "base", KEDRO_ENV="without_books"
    )
    env, project, code = notebook.cells[1].outputs[0].text.split()
    assert env == "without_books"
    assert Path(project).samefile(small_run)
    assert Path(code).is_relative_to(project)
