"""The configuration loader: base, one environment, and ``conf/local`` on top of both.

Kedro loads base and one environment, so a user's own ``conf/local`` would be silent as soon as an environment is
named. Here it always has the last word, short of the command line. The shelf's books become catalog entries, so
that adding a book is adding an entry to ``shelf.yml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf import DictConfig

from med_small_lm.errors import UserError, nearest
from med_small_lm.shelf import catalog_entries, read_exams, read_shelf

LOCAL = "local"


class ProjectConfigLoader(OmegaConfigLoader):
    """Kedro's loader with the user's layer on top, the shelf in the catalog, and no unknown ``--params``."""

    def _read_raw_config(self, key: str) -> tuple[dict[Path, DictConfig], dict[Path, DictConfig], str, str, set[Path]]:
        """What Kedro reads, and the files of ``conf/local`` behind those of the environment."""
        try:
            base, env, base_path, env_path, files = super()._read_raw_config(key)
        except Exception as problem:
            environment = self.env or self.default_run_env
            if not (Path(self.conf_source) / environment).is_dir():
                known = sorted(p.name for p in Path(self.conf_source).iterdir() if p.is_dir())
                raise UserError(
                    f"--env {environment}: no such folder in conf/{nearest(environment, known)}"
                ) from problem
            raise
        local = Path(self.conf_source) / LOCAL
        if self.env not in (None, LOCAL) and local.is_dir():
            env = env | self._read_dir_configs(str(local), self.config_patterns[key], key, files, key == "credentials")
        return base, env, base_path, env_path, files

    def _resolve_from_raw_config(self, key: str, base_configs: Any, env_configs: Any, *rest: Any) -> dict[str, Any]:
        """The merged configuration; for the catalog with the shelf's books, for parameters checked for typing slips."""
        if key == "parameters" and self.runtime_params:
            given, self.runtime_params = self.runtime_params, {}
            known = super()._resolve_from_raw_config(key, base_configs, env_configs, *rest)
            self.runtime_params = given
            refuse_unknown(given, known)
        resolved = super()._resolve_from_raw_config(key, base_configs, env_configs, *rest)
        if key == "catalog":
            conf = Path(self.conf_source)
            resolved |= catalog_entries(read_shelf(conf, self.env), read_exams(conf, self.env))
        return resolved


def refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Any], place: str = "") -> None:
    """Return nothing if every key of ``given`` is a key of ``known``, down to the leaves.

    Raises:
        UserError: A parameter of the command line that no file of ``conf`` has.
    """
    for key, value in given.items():
        if key not in known:
            raise UserError(f"--params {place}{key}: there is no such parameter{nearest(key, known)}")
        if isinstance(value, Mapping) and isinstance(known[key], Mapping):
            refuse_unknown(value, known[key], f"{place}{key}.")
