"""The configuration loader: base, one environment, and ``conf/local`` on top of both.

Kedro loads base and one environment, so a user's own ``conf/local`` would be silent as soon as an environment is
named. Here it always has the last word, short of the command line. The shelf's books, exams, instruction sets
and graphs become catalog entries, so that adding one is adding an entry to its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.pipeline import Pipeline
from kedro.validation.type_extractor import TypeExtractor
from omegaconf import DictConfig, OmegaConf
from pydantic import BaseModel, TypeAdapter, ValidationError

from med_small_lm.errors import UserError, nearest, yaml_fault
from med_small_lm.shelf import catalog_entries, read_exams, read_graphs, read_instruction_sets, read_shelf

LOCAL = "local"
KEYED = {"teacher", "endpoints"}
"""Entries of the catalog and of the credentials alike: a key that stands there needs no other wiring."""


class ProjectConfigLoader(OmegaConfigLoader):
    """Kedro's loader with the user's layer on top, the shelf in the catalog, and no unknown parameters."""

    def _read_raw_config(self, key: str) -> tuple[dict[Path, DictConfig], dict[Path, DictConfig], str, str, set[Path]]:
        """What Kedro reads, and the files of ``conf/local`` behind those of the environment."""
        conf = Path(self.conf_source)
        if self.env and not (conf / self.env).is_dir():
            known = sorted(path.name for path in conf.iterdir() if path.is_dir())
            hint = nearest(self.env, known)
            raise UserError(f"--env {self.env}: {conf} has no such folder{hint}; there are: {', '.join(known)}")
        try:
            base, env, base_path, env_path, files = super()._read_raw_config(key)
            if self.env not in (None, LOCAL) and (conf / LOCAL).is_dir():
                patterns = self.config_patterns[key]
                env = env | self._read_dir_configs(str(conf / LOCAL), patterns, key, files, key == "credentials")
        except yaml.YAMLError as problem:
            file = str(problem).partition(", unable")[0]  # Kedro counts lines from 0 there
            raise UserError(f"{file}: {yaml_fault(problem.__cause__ or problem)}") from problem
        return base, env, base_path, env_path, files

    def _resolve_from_raw_config(self, key: str, base_configs: Any, env_configs: Any, *rest: Any) -> dict[str, Any]:
        """The merged configuration; for the catalog with the shelf's books, for parameters checked for typing slips."""
        if key == "parameters":
            known = {str(name) for file in base_configs.values() for name in file}
            layers = {str(path): file for path, file in env_configs.items()} | {"--params": self.runtime_params or {}}
            for place, names in layers.items():
                refuse_unknown(place, names, known)
            base_configs = {path: _overlaid(file, env_configs.values()) for path, file in base_configs.items()}
        resolved = super()._resolve_from_raw_config(key, base_configs, env_configs, *rest)
        if key == "catalog":
            conf = Path(self.conf_source)
            sets, graphs = read_instruction_sets(conf, self.env), read_graphs(conf, self.env)
            resolved |= catalog_entries(read_shelf(conf, self.env), read_exams(conf, self.env), sets, graphs)
            for name in KEYED & self._credentials().keys():
                resolved[name].setdefault("credentials", name)
        return resolved

    def _credentials(self) -> dict[str, Any]:
        """The credentials, none where there is no such file."""
        try:
            return self["credentials"]
        except MissingConfigException:
            return {}


def _overlaid(file: DictConfig, layers: Iterable[DictConfig]) -> DictConfig:
    """The parameters of a file of base with the single values that later layers give: ``${seed}`` means theirs.

    Kedro resolves base by itself, before it merges.
    """
    merged = file.copy()
    for layer in layers:
        for name, value in layer.items():
            if name in file and not OmegaConf.is_config(value):
                merged[name] = value
    return merged


def refuse_unknown(place: str, names: Iterable[Any], known: Iterable[str]) -> None:
    """Return nothing if every name is known; what stands below a name is checked by its model.

    Raises:
        UserError: A parameter that ``conf/base`` does not have.
    """
    for name in map(str, names):
        if name not in known and not name.startswith("_"):  # YAML anchors
            raise UserError(f"{place}: {name}: there is no such parameter{nearest(name, known)}")


def check_parameters(given: Mapping[str, Any], pipelines: Mapping[str, Pipeline]) -> None:
    """Return nothing if each parameter that a node takes is what the node's annotation says.

    Raises:
        UserError: Every fault, each with the parameter's dotted name, its value and what it should be.
    """
    kinds = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    faults = [
        fault for name, kind in sorted(kinds.items()) if name in given for fault in _faults(name, kind, given[name])
    ]
    if faults:
        raise UserError("; ".join(faults))


def _faults(name: str, kind: Any, value: Any) -> Iterator[str]:
    """What is wrong with one parameter, a line each."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as problem:
        for error in problem.errors():
            place = ".".join(map(str, (name, *error["loc"])))
            if error["type"] == "extra_forbidden":
                hint = nearest(str(error["loc"][-1]), _fields(kind, error["loc"]))
                yield f"{place}: there is no such parameter{hint}"
            elif error["loc"] and not isinstance(error["input"], Mapping | BaseModel):
                yield f"{place} is {error['input']!r}: {error['msg']}"
            else:
                yield f"{place}: {error['msg']}"


def _fields(kind: Any, place: tuple[int | str, ...]) -> list[str]:
    """The names beside a place in a model of models."""
    for part in place[:-1]:
        fields = getattr(kind, "model_fields", {})
        kind = fields[part].annotation if part in fields else None
    return list(getattr(kind, "model_fields", ()))
