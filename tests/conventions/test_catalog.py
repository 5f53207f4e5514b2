"""The catalog is typed and complete, and every parameter of conf is one that a model knows."""

import re
from pathlib import Path

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[2]
LAYERS = {"raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting"}


@pytest.fixture(scope="module")
def project():
    bootstrap_project(ROOT)
    from kedro.framework.project import pipelines

    with KedroSession.create(project_path=ROOT) as session:
        context = session.load_context()
        yield context.catalog, dict(pipelines), context.params


def datasets(pipelines):
    return {name for pipe in pipelines.values() for name in pipe.datasets() if not name.startswith("param")}


def test_no_dataset_is_left_to_the_in_memory_default(project):
    catalog, pipelines, _ = project
    for name in datasets(pipelines):
        assert catalog.get(name) is not None, f"{name} is in no catalog file"
        assert type(catalog.get(name)).__name__ != "MemoryDataset", f"{name} would be lost after the run"


def test_every_frame_has_a_validator(project):
    catalog, pipelines, _ = project
    for name in datasets(pipelines):
        if type(catalog.get(name)).__name__ in ("RecordsDataset", "BenchmarkDataset"):
            assert name in catalog.validator_specs, f"{name} has no validator"


def test_every_entry_is_used_and_lies_in_a_known_layer(project):
    catalog, pipelines, _ = project
    used = datasets(pipelines)
    for file in (ROOT / "conf/base").rglob("catalog.yml"):
        for name, entry in yaml.safe_load(file.read_text()).items():
            pattern = re.compile(re.sub(r"\\\{\w+\\\}", r"\\w+", re.escape(name)))
            assert any(pattern.fullmatch(one) for one in used), f"{file}: nothing uses {name}"
            assert entry["metadata"]["kedro-viz"]["layer"] in LAYERS


def test_paths_hold_from_any_folder(project, tmp_path, monkeypatch):
    catalog, pipelines, _ = project
    monkeypatch.chdir(tmp_path)
    for name in datasets(pipelines):
        path = Path(str(catalog.get(name)._describe()["filepath"]))
        assert path.is_absolute() and path.is_relative_to(ROOT), f"{name}: {path}"


def test_every_parameter_of_conf_is_used_and_typed(project):
    _, pipelines, params = project
    used = {name[7:] for pipe in pipelines.values() for name in pipe.inputs() if name.startswith("params:")}

    def leaves(tree, place=""):
        for key, value in tree.items():
            here = f"{place}{key}"
            if here not in used and isinstance(value, dict) and any(name.startswith(f"{here}.") for name in used):
                yield from leaves(value, f"{here}.")
            else:
                yield here, value

    for name, value in leaves({k: v for k, v in params.items()}):
        if name == "seed":  # read by the other parameters, as ${seed}
            continue
        assert name in used, f"no node reads params:{name}"
        assert isinstance(value, BaseModel | str), f"params:{name} is an untyped {type(value).__name__}"


def test_each_pipeline_types_its_parameters_by_itself(project):
    """Else a parameter would come as a plain dictionary where its pipeline runs alone."""
    from kedro.validation.type_extractor import TypeExtractor

    extractor = TypeExtractor.__new__(TypeExtractor)
    _, pipelines, params = project
    for name, pipe in pipelines.items():
        typed = {}
        for node in pipe.nodes:
            typed |= extractor._extract_types_from_node(node)
        used = {one[7:] for one in pipe.inputs() if one.startswith("params:")}
        assert {one for one in used if isinstance(params.get(one), BaseModel)} <= typed.keys(), name


def test_every_node_is_named_and_tagged_by_what_it_costs(project):
    _, pipelines, _ = project
    for node in pipelines["__default__"].nodes:
        assert node._name, node
        assert node.tags <= {"gpu", "paid", "network"}
        assert ("teacher" in node.inputs) == ("paid" in node.tags), node.name


def test_conf_names_every_field_of_its_models(project):
    """YAML is the experiment: nothing is set by a default that the file does not show."""
    from kedro.validation.type_extractor import TypeExtractor  # noqa: F401  the same types that Kedro builds

    raw = {}
    for file in (ROOT / "conf/base").rglob("parameters.yml"):
        raw |= yaml.safe_load(file.read_text())
    _, _, params = project

    def check(shown, built, place):
        if isinstance(built, BaseModel):
            assert set(shown) == set(type(built).model_fields), place
            for field in set(type(built).model_fields) - {"candidates"}:  # entries that users name, as on the shelf
                check(shown[field], getattr(built, field), f"{place}.{field}")
        elif isinstance(built, dict):
            for key in built:
                check(shown[key], built[key], f"{place}.{key}")

    for key, built in params.items():
        check(raw[key], built, key)


def test_the_models_have_the_defaults_that_conf_shows(project):
    """A domain used from a notebook and the pipeline start from the same experiment."""
    _, _, params = project
    for name, built in params.items():
        if isinstance(built, BaseModel) and name != "answers":
            named = {"candidates": built.candidates} if name == "evaluate" else {}
            assert built == type(built)(**named), name
