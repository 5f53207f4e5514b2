"""Layers of configuration: base, an environment, ``conf/local`` over both, the command line over all, merged softly."""

from pathlib import Path

import pytest

from med_small_lm.config import ProjectConfigLoader, check_parameters
from med_small_lm.errors import UserError, nearest
from med_small_lm.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).resolve().parents[1]
BASE = {
    "parameters": "train: {rate: 1, steps: 10, deep: {a: 1, b: 2}}\nseed: 0\n",
    "catalog": "text: {type: text.TextDataset, filepath: base.txt}\n",
    "shelf": f"a: {{file: {ROOT / 'data/01_raw/textbooks/anatomy.pdf'}, licence: own}}\n",
    "benchmarks": "{}\n",
    "instructions": "{}\n",
    "graphs": "{}\n",
}


@pytest.fixture
def load(tmp_path):
    def write(layer: str, **files: str) -> None:
        (tmp_path / layer).mkdir(exist_ok=True)
        for name, text in files.items():
            (tmp_path / layer / f"{name}.yml").write_text(text)

    def loader(env=None, params=None, **layers: dict[str, str]) -> ProjectConfigLoader:
        for layer, files in {"base": BASE, "local": {}, **layers}.items():
            write(layer, **files)
        return ProjectConfigLoader(str(tmp_path), env=env, runtime_params=params, **CONFIG_LOADER_ARGS)

    return loader


def test_local_lies_over_every_environment(load):
    layers = {
        "recipe": {"parameters": "train: {rate: 2, steps: 20}"},
        "local": {"parameters": "train: {steps: 30}", "credentials": "teacher: {api_key: own}"},
    }
    assert load(None, **layers)["parameters"]["train"] == {"rate": 1, "steps": 30, "deep": {"a": 1, "b": 2}}
    recipe = load("recipe", **layers)
    assert recipe["parameters"]["train"] == {"rate": 2, "steps": 30, "deep": {"a": 1, "b": 2}}
    assert recipe["credentials"] == {"teacher": {"api_key": "own"}}


def test_the_command_line_lies_over_all_and_merges_softly(load):
    layers = {"recipe": {"parameters": "train: {rate: 2}"}, "local": {"parameters": "train: {rate: 3}"}}
    given = {"train": {"rate": 4, "deep": {"b": 5}}}
    merged = load("recipe", given, **layers)["parameters"]["train"]
    assert merged == {"rate": 4, "steps": 10, "deep": {"a": 1, "b": 5}}


def test_an_empty_list_takes_the_place_of_a_list(load):
    base = BASE | {"parameters": "train: {exams: [a, b], rate: 1}"}
    local = {"parameters": "train: {exams: []}"}
    assert load(None, base=base, local=local)["parameters"]["train"] == {"exams": [], "rate": 1}


def test_what_base_takes_from_a_value_follows_the_layers(load):
    base = BASE | {"parameters_b": "draws: {seed: '${seed}'}"}
    assert load(None, base=base)["parameters"]["draws"] == {"seed": 0}
    local = {"parameters": "seed: 7"}
    assert load(None, base=base, local=local)["parameters"]["draws"] == {"seed": 7}
    assert load(None, {"seed": 8}, base=base, local=local)["parameters"]["draws"] == {"seed": 8}


def test_the_catalog_merges_softly_and_holds_the_shelf(load):
    catalog = load(None, local={"catalog": "text: {metadata: {mine: true}}"})["catalog"]
    assert catalog["text"] == {"type": "text.TextDataset", "filepath": "base.txt", "metadata": {"mine": True}}
    assert catalog["ingest_textbooks.a.pdf"]["licence"] == "own"


@pytest.mark.parametrize(
    ("env", "params", "layers", "said"),
    [
        ("recipes", None, {"recipe": {}}, r"--env recipes: .* no such folder \(did you mean recipe\?\)"),
        (None, {"trainn": {}}, {}, r"--params: trainn: there is no such parameter \(did you mean train\?\)"),
        (None, None, {"local": {"parameters": "sead: 1"}}, r"local/parameters.yml: sead: .*did you mean seed\?"),
        (None, None, {"local": {"parameters": "seed: {"}}, r"local/parameters.yml: while parsing .* line 1, column 8"),
    ],
)
def test_a_slip_names_the_place(load, env, params, layers, said):
    with pytest.raises(UserError, match=said):
        load(env, params, **layers)["parameters"]


def test_anchors_are_no_parameters(load):
    assert load(None, local={"parameters": "_mine: &mine 7\nseed: *mine"})["parameters"]["seed"] == 7


def test_every_environment_of_the_project_is_valid(monkeypatch):
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    from kedro.framework.project import pipelines

    for folder in (ROOT / "conf").iterdir():
        if folder.is_dir() and folder.name not in ("local", "counterfactual"):
            env = None if folder.name == "base" else folder.name
            loader = ProjectConfigLoader(str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)
            check_parameters(loader["parameters"], pipelines)


def test_nearest_is_silent_where_nothing_is_near():
    assert nearest("steps", ["stepps", "rate"]) == " (did you mean stepps?)"
    assert nearest("zzz", ["stepps", "rate"]) == ""
