"""An exported model as one GGUF file, by llama.cpp's own converter, which the user names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from med_small_lm.errors import UserError

GGUF = "model.gguf"
MAGIC = b"GGUF"
TAIL = 5
"""Lines of a failed converter's output that its error shows."""
CURE = "the extra has what it needs: pip install -c constraints.txt -e '.[gguf]'"


def to_gguf(folder: Path, converter: Path) -> Path:
    """Returns the GGUF file that the converter made of an exported model, in the model's own folder.

    A converter whose name ends in ``.py`` runs in this Python; anything else is run as it is, so that a wrapper can
    choose another one.

    Args:
        folder: the exported model.
        converter: llama.cpp's ``convert_hf_to_gguf.py``, or what takes the same arguments.

    Raises:
        UserError: there is no such script, it fails, or it writes no GGUF file.
    """
    python = [sys.executable] if converter.suffix == ".py" else []
    aside = folder / f".{GGUF}.partial"
    try:
        _run([*python, str(converter), str(folder), "--outfile", str(aside)])
        if not aside.is_file() or not _is_gguf(aside):
            raise UserError(f"{converter} ended well, but wrote no GGUF file")
        os.replace(aside, folder / GGUF)
    finally:
        aside.unlink(missing_ok=True)
    return folder / GGUF


def check_converter(converter: Path) -> None:
    """Return nothing if there is such a script that can be run.

    Raises:
        UserError: there is none.
    """
    if not converter.is_file():
        raise UserError(f"--gguf {converter}: no such file; it is llama.cpp's convert_hf_to_gguf.py")
    if converter.suffix != ".py" and not os.access(converter, os.X_OK):
        raise UserError(f"--gguf {converter}: neither a Python script (.py) nor executable")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        said = " | ".join(lines[-TAIL:]) or "nothing"
        hint = f"; {CURE}" if "No module named" in said else ""
        raise UserError(f"the converter failed (exit code {done.returncode}): {said}{hint}")


def _is_gguf(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(len(MAGIC)) == MAGIC
