"""Which of several failures is the cause, and what is said of it."""

import errno
import signal

import pytest

from med_small_lm.errors import UserError
from med_small_lm.launch import failures
from med_small_lm.launch.failures import Failure, why
from med_small_lm.launch.rank import told

FELL = Failure(0, 1, 100.7, "RuntimeError: Connection closed by peer", "Traceback ...")


@pytest.mark.parametrize(
    "cause",
    [
        Failure(1, 1, 100.5, "ValueError: x", "Traceback ..."),
        failures.silent(1, -signal.SIGKILL, 100),
        failures.silent(1, -signal.SIGSEGV, 107),  # torchrun was busy
        failures.silent(1, 3, 101),
    ],
)
def test_the_cause_comes_before_what_fell_over_it(tmp_path, cause):
    ended = failures.silent(2, -signal.SIGTERM, 100)
    aborted = failures.silent(3, -signal.SIGABRT, 100)
    for failure in (FELL, ended, aborted, cause):
        failures.write(failure, tmp_path)
    assert failures.read(tmp_path) == [cause, FELL, ended, aborted]


def test_a_rank_that_hung_until_torchrun_killed_it_is_not_the_cause(tmp_path):
    failures.write(FELL, tmp_path)
    failures.write_silent([failures.silent(0, 1, 99), failures.silent(1, -signal.SIGKILL, 130)], tmp_path)
    assert [failure.rank for failure in failures.read(tmp_path)] == [0, 1]
    assert failures.read(tmp_path)[0] == FELL, "what it said itself stays"


def test_it_names_the_rank_and_shows_what_is_known_of_it():
    last = {"0": ["zero"], "1": ["one"], "torchrun": ["W closing"]}
    assert why([FELL], 1, 4, last) == "rank 0 of 4 failed: RuntimeError: Connection closed by peer\nTraceback ..."
    killed = why([Failure(1, -signal.SIGKILL, 9), FELL], 1, 4, last)
    assert killed == "rank 1 of 4 was killed by SIGKILL: often the machine has run out of memory\none"
    assert why([Failure(1, -signal.SIGBUS, 9)], 1, 4, last) == "rank 1 of 4 was killed by SIGBUS\none"
    assert why([Failure(2, 3, 9)], 1, 4, last) == "rank 2 of 4 ended with exit code 3"
    assert why([], 1, 4, last) == "the ranks' launcher ended with exit code 1\nW closing"


def test_of_an_error_of_the_users_its_own_line_is_all(tmp_path):
    try:
        try:
            raise UserError("batch_size: 3 does not divide 8")
        except UserError as problem:
            raise RuntimeError("in the trainer") from problem
    except RuntimeError as problem:
        assert told(problem, 5, tmp_path) == 1
    assert why(failures.read(tmp_path), 1, 8, {}) == "batch_size: 3 does not divide 8"


def test_a_full_disk_is_told_even_where_there_is_no_room_to_tell(tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    assert told(full, 0, tmp_path) == 1
    assert why(failures.read(tmp_path), 1, 1, {}) == str(full)

    def no_room(*_):
        raise full

    monkeypatch.setattr(failures, "write", no_room)
    code = told(full, 0, tmp_path)
    assert why([Failure(0, code, 9.0)], code, 1, {}) == "rank 0 of 1 failed: No space left on device"
    assert why([], code, 1, {}) == "the ranks' launcher failed: No space left on device"
