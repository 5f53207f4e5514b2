"""Work on real ranks over gloo: its metrics and errors come here, and nothing is left behind."""

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from med_small_lm.errors import UserError
from med_small_lm.launch import LaunchError, commands, launcher, run
from med_small_lm.launch.jobs import Job
from med_small_lm.launch.watch import Watch
from med_small_lm.params.launch import Launch

ROOT = Path(__file__).resolve().parents[2]
TWO = Launch(how="torchrun", processes=2, shutdown=20)

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "work" / "spec.json"
    path.parent.mkdir()
    path.write_text("{}")
    return path


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(ROOT)


def remember(spec):
    """A log that keeps what it is told, and says beside the spec that it has been."""
    told = []

    def log(metrics, step):
        told.append((step, metrics))
        spec.with_name("seen").touch()

    return told, log


def test_inline_is_a_call(spec):
    told, log = remember(spec)
    run("tests.launch.inline:doubles", spec, Launch(), log)
    assert told == [(4, {"double": 8.0})] and not (spec.parent / "ranks").exists()


def test_importing_it_leaves_torch_alone():
    code = "import sys, med_small_lm.launch; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_metrics_of_rank_0_come_while_the_work_goes_on_and_once(spec, caplog):
    caplog.set_level(logging.INFO, logger="med_small_lm")
    told, log = remember(spec)  # the second step waits until the first has been seen here
    run("tests.launch.works:adds", spec, TWO, log)
    assert told == [(1, {"sum": 3.0}), (2, {"sum": 5.0})]
    assert {record.message for record in caplog.records} == {"[rank 0] 100%", "[rank 1] 100%"}
    assert [spec.with_name(f"{rank}.heavy").read_text() for rank in (0, 1)] == ["[]", "[]"], "no Kedro, no MLflow"


def test_the_error_is_that_of_the_rank_that_failed_first(spec):
    with pytest.raises(LaunchError) as caught:
        run("tests.launch.works:falls", spec, TWO, lambda metrics, step: None)
    first, *trace = str(caught.value).splitlines()
    assert first == "rank 1 of 2 failed: ValueError: negative weights"
    assert trace[0].startswith("Traceback") and "in falls" in trace[-3]
    assert not any(psutil.pid_exists(int(path.read_text())) for path in spec.parent.glob("*.pid"))


PARENT = """
import sys
from pathlib import Path
from med_small_lm.launch import run
from med_small_lm.params.launch import Launch
launch = Launch.model_validate_json(sys.argv[2])
run("tests.launch.works:saves", Path(sys.argv[1]), launch, lambda metrics, step: print(metrics, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ranks_save_when_their_parent_is_interrupted_and_go_with_it_when_it_is_killed(spec, number):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(spec), TWO.model_dump_json()], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=commands.environment(os.environ, sys.path, 1),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # one in the background ignores it
    )  # fmt: skip
    assert parent.stdout.readline() == "{'loss': 1.0}\n"
    tree = psutil.Process(parent.pid).children(recursive=True)
    assert {int(path.read_text()) for path in spec.parent.glob("*.pid")} < {process.pid for process in tree}
    parent.send_signal(number)
    _, error = parent.communicate()
    _, left = psutil.wait_procs(tree, timeout=20)
    for process in left:
        process.kill()
    saved = sorted(path.name for path in spec.parent.glob("*.saved"))
    assert left == []
    if number == signal.SIGINT:
        assert saved == ["0.saved", "1.saved"] and error.rstrip().endswith("KeyboardInterrupt")
    else:
        assert saved == []


def test_what_does_not_end_by_itself_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "GRACE", 0.0)
    deaf = "trap '' TERM; sleep 60 & echo ready; while true; do wait; done"
    job = Job(["bash", "-c", deaf], os.environ, tmp_path / "torchrun.log")
    watch = Watch(tmp_path / "spec.json", tmp_path, lambda metrics, step: None)
    while not watch.last["torchrun"]:
        watch.look()
    tree = psutil.Process(job.process.pid).children()
    launcher.stop(job, 0.1, watch)
    assert job.process.returncode == -signal.SIGKILL and psutil.wait_procs(tree, timeout=5)[1] == [] != tree


SLURM = {
    "sbatch": """#!{python}
import json, os, random, socket, subprocess, sys
from pathlib import Path
here, script = Path(__file__).parent, Path(sys.argv[-1])
(here / "sbatch.json").write_text(json.dumps([os.getpid(), *sys.argv[1:]]))
output = next(line.partition("=")[2] for line in script.read_text().splitlines() if "--output=" in line)
def free():
    port = random.randrange(20000, 30000)
    with socket.socket() as one:
        return port if one.connect_ex(("localhost", port)) else free()
job = {{"SLURM_JOB_ID": str(free() - 20000), "SLURM_JOB_NODELIST": "gpu[1-2]", "SLURM_CPUS_ON_NODE": "2"}}
with open(output, "wb") as file:
    sys.exit(subprocess.run(["bash", script], env=os.environ | job, stdout=file, stderr=file).returncode)
""",
    "scontrol": "#!/bin/sh\necho localhost\necho localhost\n",
    "srun": """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
export PET_LOCAL_ADDR=localhost
"$@" & "$@" & wait -n && wait -n
""",
    "scancel": """#!/bin/bash
here=$(dirname "$0")
echo "$@" >> "$here/scancel.log"
[[ $2 != --signal=TERM ]] || kill -KILL $(< "$here/waits")
""",
}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """The folder of a Slurm of this machine's: two hosts' worth of tasks, run at once."""
    place = tmp_path / "bin"
    place.mkdir()
    for name, text in SLURM.items():
        (place / name).write_text(text.format(python=sys.executable) if name == "sbatch" else text)
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return place


HOSTS = Launch(how="slurm", hosts=2, slurm=("--partition=gpu",))


def test_slurm_runs_the_same_on_two_hosts(spec, slurm):
    told, log = remember(spec)
    run("tests.launch.works:counts", spec, HOSTS, log)
    assert told == [(0, {"ranks": 2.0})]
    assert json.loads((slurm / "sbatch.json").read_text())[1:] == [
        "--wait", "--partition=gpu", str(spec.parent / "ranks/job.sh")
    ]  # fmt: skip


def test_a_slurm_job_goes_when_this_process_is_terminated(spec, slurm):
    (slurm / "sbatch").write_text('#!/bin/bash\necho $$ > "$(dirname "$0")/waits"\nkill -TERM $PPID\nexec sleep 60\n')
    with pytest.raises(KeyboardInterrupt):
        run("tests.launch.works:saves", spec, HOSTS, lambda metrics, step: None)
    job = commands.name_of(spec)
    assert (slurm / "scancel.log").read_text().splitlines() == [
        f"--name={job} --state=PENDING", f"--name={job} --signal=TERM"
    ]  # fmt: skip
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_slurm_that_is_not_there_or_refuses_is_said(spec, slurm, monkeypatch):
    (slurm / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: invalid partition specified: gpu'\nexit 1\n")
    with pytest.raises(LaunchError, match="ended with exit code 1\nsbatch: error: invalid partition"):
        run("tests.launch.works:saves", spec, HOSTS, lambda metrics, step: None)
    monkeypatch.setenv("PATH", str(spec.parent))
    with pytest.raises(UserError, match="launch.how: slurm: there is no sbatch on this machine"):
        run("tests.launch.works:saves", spec, HOSTS, lambda metrics, step: None)
