"""llama.cpp's converter is run on an export as the user names it; what it says when it fails reaches the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from med_small_lm.errors import UserError
from med_small_lm.tuning.export.gguf import check_converter, to_gguf

CONVERTS = """
import argparse, pathlib
given = argparse.ArgumentParser()
given.add_argument("model")
given.add_argument("--outfile")
given = given.parse_args()
told = (pathlib.Path(given.model) / "config.json").read_bytes()
pathlib.Path(given.outfile).write_bytes(b"GGUF" + told)
"""
REFUSES = """
import sys
for number in range(20):
    print("INFO: tensor", number)
raise NotImplementedError("BPE pre-tokenizer was not recognized - update get_vocab_base_pre()")
"""


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/config.json").write_text("{}")
    return tmp_path / "out"


def script(folder: Path, text: str, name: str = "convert_hf_to_gguf.py") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_the_file_lies_in_the_exported_folder(exported: Path, tmp_path: Path) -> None:
    assert to_gguf(exported, script(tmp_path, CONVERTS)).read_bytes() == b"GGUF{}"
    assert sorted(path.name for path in exported.iterdir()) == ["config.json", "model.gguf"]


def test_a_wrapper_runs_as_it_is(exported: Path, tmp_path: Path) -> None:
    wrapper = script(tmp_path, '#!/bin/sh\nprintf "GGUF$1" > "$3"\n', "convert")
    with pytest.raises(UserError, match="neither a Python script"):
        check_converter(wrapper)
    wrapper.chmod(0o755)
    check_converter(wrapper)
    assert to_gguf(exported, wrapper).read_text() == f"GGUF{exported}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (REFUSES, r"exit code 1\): .*NotImplementedError: BPE pre-tokenizer was not recognized"),
        ("import a_package_that_is_not_here", r"No module named 'a_package_that_is_not_here'; the extra .*gguf"),
        ("pass", "wrote no GGUF file"),
        ("import sys; open(sys.argv[3], 'w').write('something else')", "wrote no GGUF file"),
    ],
)
def test_a_converter_that_fails_leaves_nothing_behind(exported: Path, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        to_gguf(exported, script(tmp_path, text))
    assert "tensor 1 " not in str(raised.value), "the last lines alone"
    assert [path.name for path in exported.iterdir()] == ["config.json"]


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; it is llama.cpp's"):
        check_converter(tmp_path / "convert_hf_to_gguf.py")
