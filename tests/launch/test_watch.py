"""What is read while it is written: whole lines, once, and no flood of progress bars."""

import logging

from med_small_lm.launch.watch import METRICS, Tail, Watch, add_metrics


def test_lines_come_whole_and_once(tmp_path):
    path = tmp_path / "0.log"
    tail = Tail(path)
    assert tail.lines() == []
    with path.open("wb", buffering=0) as file:
        file.write(b"one\ntw")
        assert tail.lines() == ["one"]
        file.write(b"o\n\xff\nthree\r\n")
        assert tail.lines() == ["two", "\ufffd", "three"]
        assert tail.lines() == []


def test_of_a_bar_only_the_end_is_read(tmp_path):
    path = tmp_path / "0.log"
    tail = Tail(path)
    with path.open("wb", buffering=0) as file:
        for percent in range(100):
            file.write(b"\r%d%%" % percent)
            assert tail.lines() == []
        file.write(b"\r100%\ndone\n")
    assert tail.lines() == ["100%", "done"]


def test_metrics_of_a_run_before_and_what_a_kill_cut_short_are_left_out(tmp_path):
    metrics, seen = tmp_path / METRICS, []
    add_metrics(metrics, {"loss": 3.0}, 1)
    with metrics.open("a") as file:
        file.write('{"step": 2, "metr')
    watch = Watch(tmp_path / "spec.json", tmp_path, lambda told, step: seen.append((step, told)))
    watch.look()
    add_metrics(metrics, {"loss": float("inf")}, 2)
    watch.look()
    with metrics.open("a") as file:
        file.write('{"step": 3, "metr')
    watch.look()
    add_metrics(metrics, {"loss": 1.0, "speed": 2}, 3)
    watch.look()
    assert seen == [(2, {"loss": float("inf")}), (3, {"loss": 1.0, "speed": 2.0})]


def test_a_ranks_lines_keep_their_level_and_its_last_are_at_hand(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="med_small_lm")
    (tmp_path / "3.log").write_text("WARNING: slow\n\nnot: a level\n" + "INFO: step\n" * 50)
    (tmp_path / "torchrun.log").write_text("W1121 closing\n")
    watch = Watch(tmp_path / "spec.json", tmp_path, lambda told, step: None)
    watch.look()
    told = [(record.levelname, record.message) for record in caplog.records]
    assert told[:2] == [("WARNING", "[rank 3] slow"), ("INFO", "[rank 3] not: a level")]
    assert told[2:] == [("INFO", "[rank 3] step")] * 50, "torchrun's remarks are for debugging"
    assert list(watch.last["3"]) == ["INFO: step"] * 50 and list(watch.last["torchrun"]) == ["W1121 closing"]
