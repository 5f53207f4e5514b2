"""What a killed run leaves behind does not hinder the next one."""

from __future__ import annotations

from pathlib import Path

from med_small_lm.hooks import sweep


def test_files_aside_go_and_folders_of_exports_stay(tmp_path: Path) -> None:
    (tmp_path / "03_primary").mkdir()
    (tmp_path / "03_primary/.passages.parquet.7.partial").write_text("half")
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial/model.safetensors").write_text("half")
    sweep(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == [".out.partial/model.safetensors"]
