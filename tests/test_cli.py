"""What the command line shows: calm lines, no torch where none is needed, a traceback for bugs alone."""

import re
import subprocess
import sys

import pytest

from med_small_lm.cli import user_message
from med_small_lm.errors import UserError


def test_listing_the_pipelines_leaves_torch_alone(bare):
    code = (
        "import sys; from kedro.framework.cli.cli import main; sys.argv = ['kedro', 'registry', 'list']\n"
        "try: main()\n"
        "finally: print([name for name in ('torch', 'transformers', 'trl', 'peft') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=bare.root, env=bare.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == "", "not one warning"
    *names, heavy = done.stdout.split("\n")[:-1]
    assert "- ingest_textbooks" in names and heavy == "[]"


@pytest.fixture(scope="module")
def said(finished):
    return (finished.root / "run.log").read_text(encoding="utf-8").splitlines()


def test_every_line_of_a_run_is_a_short_line_of_our_own(said):
    for line in said:
        assert re.match(r"\d\d:\d\d:\d\d (INFO|WARNING) +med_small_lm\.[\w.]+: ", line), line
        assert len(line) <= 250 and "\r" not in line and "%|" not in line, line


def test_a_run_says_first_what_it_needs_and_counts_its_nodes(said):
    assert re.search(r"This run needs about \d+ MiB of disk, \d+ MiB of memory and \d+ (s|min)\.$", said[0])
    numbers = [tuple(map(int, found.groups())) for line in said if (found := re.search(r": (\d+) of (\d+): ", line))]
    assert [done for done, _ in numbers] == list(range(1, numbers[0][1] + 1))
    assert any(line.endswith("ingest_textbooks.biochemistry.read") for line in said)


def test_a_run_ends_with_scores_report_and_files_set_aside(said, finished):
    scores = finished.read("08_reporting/scores")
    tuned = scores[
        (scores.model == "tuned") & (scores.benchmark == "pocket_exam") & (scores.variant == "option_text/0-shot")
    ]
    row = tuned[tuned.subset == "all"].iloc[0]
    interval = f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}] of {row.n}"
    assert any(line.endswith(f"tuned on pocket_exam, likelihood: {interval}") for line in said[-7:])
    assert said[-2].endswith(f"Report: {finished.data / '08_reporting/report.html'}")
    assert said[-1].endswith("0 of 3 files set aside")


def test_a_bug_keeps_its_traceback():
    for bug in (KeyError("passage_id"), ValueError("negative"), TypeError("None"), OSError(2, "gone")):
        assert user_message(bug) is None


def test_a_user_error_is_found_below_what_kedro_wraps_around_it():
    wrapped = RuntimeError("node failed")
    wrapped.__cause__ = UserError("no question passed the gates")
    assert user_message(wrapped) == "no question passed the gates"
