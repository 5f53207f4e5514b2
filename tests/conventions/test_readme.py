"""Every command that the README and two other pages show exists, and every parameter and file that they name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/teacher.md", "docs/export.md")}
TEXT = "\n".join(PAGES.values())
SHOWN = "\n".join(re.findall(r"```\w*\n(.*?)```", TEXT, flags=re.DOTALL) + re.findall(r"`([^`\n]+)`", TEXT))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)\b", SHOWN))))
def test_make_targets_exist(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_kedro_commands_exist():
    said = set(re.findall(r"kedro ((?:[a-z]+ ?)+)", SHOWN))
    from click.testing import CliRunner
    from kedro.framework.cli.cli import KedroCLI

    sys.path.insert(0, str(ROOT / "src"))
    runner = CliRunner()
    few = {"proof ablation", "proof counterfactual", "trace", "ask", "export model", "run", "teacher probe"}
    assert {command.strip() for command in said} >= few
    for command in sorted(said):
        result = runner.invoke(KedroCLI(project_path=ROOT), [*command.split(), "--help"])
        assert result.exit_code == 0, f"{command}: {result.output}"


def test_environments_and_parameters_exist():
    for env in re.findall(r"--env (\w+)", SHOWN):
        assert (ROOT / "conf" / env).is_dir(), env
    parameters = {}
    for file in (ROOT / "conf/base").rglob("parameters.yml"):
        parameters |= yaml.safe_load(file.read_text(encoding="utf-8"))
    for name in re.findall(r"(?<![/\w])((?:knowledge_injection|teacher|evaluate|generate_questions)(?:\.\w+)+)", SHOWN):
        found = parameters
        for key in name.split("."):
            assert key in found, name
            found = found[key]


def test_links_lead_to_files():
    for page, text in PAGES.items():
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
