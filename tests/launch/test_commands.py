"""Command lines, environment and script, as values."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from med_small_lm.launch import commands
from med_small_lm.params.launch import Launch

SPEC = Path("/data/work/spec.json")
END = [
    "--max-restarts=0", "--shutdown-timeout=3", "--log-dir=/data/work/ranks",
    "-m", "med_small_lm.launch.rank", "a.b:c", "/data/work/spec.json",
]  # fmt: skip
NAME = commands.name_of(SPEC)


def test_one_host_needs_no_name_and_no_port():
    launch = Launch(how="torchrun", processes=8, shutdown=2.5)
    assert commands.torchrun_argv("a.b:c", SPEC, launch, parent=17) == [
        sys.executable, "-m", "med_small_lm.launch.torchrun", "17", "--standalone", "--local-addr=localhost",
        "--nproc-per-node=8", *END,
    ]  # fmt: skip


def test_several_hosts_meet_at_the_rendezvous_under_a_name_of_their_own():
    launch = Launch(how="torchrun", processes=4, hosts=2, rendezvous="gpu1:29500", shutdown=3)
    assert commands.torchrun_argv("a.b:c", SPEC, launch) == [
        sys.executable, "-m", "med_small_lm.launch.torchrun", "0", "--nnodes=2", "--rdzv-backend=c10d",
        f"--rdzv-id={NAME}", "--rdzv-endpoint=gpu1:29500", "--nproc-per-node=4", *END,
    ]  # fmt: skip
    assert NAME == commands.name_of(SPEC) != commands.name_of(SPEC.with_name("other.json"))


def test_slurm_gets_one_torchrun_a_host_and_the_users_options_last():
    launch = Launch(how="slurm", processes=8, hosts=2, slurm=("--partition=gpu", "--time=08:00:00"), shutdown=3)
    script = commands.slurm_script("a.b:c", SPEC, launch)
    assert [line for line in script.splitlines() if line.startswith("#SBATCH")] == [
        "#SBATCH --nodes=2", "#SBATCH --ntasks-per-node=1", f"#SBATCH --job-name={NAME}",
        "#SBATCH --output=/data/work/ranks/slurm.log", "#SBATCH --dependency=singleton",
    ]  # fmt: skip
    command = script.splitlines()[-1]
    assert command.startswith("exec srun ") and command.endswith(" ".join(END))
    assert f"--nnodes=2 --rdzv-backend=c10d --rdzv-id={NAME} --nproc-per-node=8" in command
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    job = commands.sbatch_argv(Path("job.sh"), launch)
    assert job == ["sbatch", "--wait", "--partition=gpu", "--time=08:00:00", "job.sh"]
    assert commands.scancel_argvs(SPEC) == (
        [["scancel", f"--name={NAME}", "--state=PENDING"], ["scancel", f"--name={NAME}", "--signal=TERM"]],
        ["scancel", f"--name={NAME}"],
    )


def test_ranks_have_this_processs_environment_but_mlflows():
    outer = {"HF_HUB_OFFLINE": "1", "MLFLOW_RUN_ID": "7", "MLFLOW_TRACKING_URI": "sqlite://", "PYTHONPATH": "src"}
    inner = commands.environment(outer, ["/p/src", ""], threads=4)
    assert inner == {"HF_HUB_OFFLINE": "1", "PYTHONPATH": "/p/src:.", "OMP_NUM_THREADS": "4"}
    assert commands.environment({"OMP_NUM_THREADS": "1"}, [], threads=4)["OMP_NUM_THREADS"] == "1", "the user's"
    assert "OMP_NUM_THREADS" not in commands.environment({}, [], threads=0)
    assert [commands.threads_of(cores, 8) for cores in (2, 8, 64)] == [1, 1, 8]


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"processes": 2}, "inline is one process"),
        ({"how": "torchrun", "hosts": 2}, "needs rendezvous"),
        ({"how": "torchrun", "hosts": 2, "rendezvous": "gpu1"}, "rendezvous"),
    ],
)
def test_a_launch_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(ValidationError, match=said):
        Launch(**wrong)
