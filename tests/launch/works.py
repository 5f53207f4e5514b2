"""What ranks do in the tests of launching: each is called as ``function(spec, log)``, in a process of its own."""

import os
import signal
import sys
import time


def adds(spec, log):
    """All ranks add up what they have; the second step waits until the first one's metrics have been seen."""
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo")
    for step in (1, 2):
        ours = torch.tensor(float(dist.get_rank() + step))
        dist.all_reduce(ours)
        log({"sum": ours}, step)
        while step == 1 and not spec.with_name("seen").exists():
            time.sleep(0.01)
    sys.stderr.write("10%\r50%\r100%\n")
    heavy = [name for name in ("kedro", "mlflow") if name in sys.modules]
    spec.with_name(f"{dist.get_rank()}.heavy").write_text(str(heavy))


def falls(spec, log):
    """Rank 1 fails; rank 0 waits for it, and falls over that."""
    import torch.distributed as dist

    dist.init_process_group("gloo")
    spec.with_name(f"{dist.get_rank()}.pid").write_text(str(os.getpid()))
    dist.barrier()
    if dist.get_rank() == 1:
        raise ValueError("negative weights")
    dist.barrier()


def saves(spec, log):
    """Waits to be stopped, and saves then."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    rank = os.environ["RANK"]
    spec.with_name(f"{rank}.pid").write_text(str(os.getpid()))
    log({"loss": 1.0}, 1)
    while not stopped:
        time.sleep(0.01)
    spec.with_name(f"{rank}.saved").touch()


def counts(spec, log):
    """Logs how many ranks there are."""
    log({"ranks": int(os.environ["WORLD_SIZE"])}, int(os.environ["GROUP_RANK"]))
