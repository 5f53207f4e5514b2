"""The command group: what it writes and what it says."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from med_small_lm.pocket.commands import pocket


def test_library_exam_and_counterfactual_from_the_command_line(facts_csv: Path, tmp_path: Path) -> None:
    exam = tmp_path / "exam.jsonl"
    for words, said in {
        ("library", "--facts", str(facts_csv), "--out", str(tmp_path / "books")): "18 books",
        ("exam", "--facts", str(facts_csv), "--out", str(exam)): "200 dev questions",
        ("counterfactual", "--facts", str(facts_csv), "--exam", str(exam), "--out", str(tmp_path)): "40 facts changed",
    }.items():
        result = CliRunner().invoke(pocket, words)
        assert result.exit_code == 0, result.output
        assert said in result.output
    assert len(list((tmp_path / "books").glob("*.pdf"))) == 18
    assert not list(tmp_path.rglob("*.part"))


def test_a_missing_table_ends_with_a_message(tmp_path: Path) -> None:
    result = CliRunner().invoke(pocket, ["library", "--facts", str(tmp_path / "none.csv")])
    assert result.exit_code == 1
    assert "no such fact table" in result.output
