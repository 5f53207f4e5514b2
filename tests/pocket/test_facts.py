"""The fact table: read back as written, and refused with the line where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from med_small_lm.pocket.facts import Fact, FactTableError, read_facts, write_facts

HEADER = "subject,kind,attribute,value,books\n"
BOOKS = "surgery;anatomy;pathology;histology;physiology"
GOOD = f"gout,disease,treatment,indomethacin,{BOOKS}\n"


def test_a_table_reads_back_as_it_was_written(facts: list[Fact], tmp_path: Path) -> None:
    write_facts(facts, tmp_path / "facts.csv")
    assert read_facts(tmp_path / "facts.csv") == facts


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("", "no facts"),
        (f"gout,disease,treatment,,{BOOKS}\n", ":2: value is empty"),
        (f"gout,disease,color,red,{BOOKS}\n", ":2: no attribute 'color' of kind 'disease'"),
        (f"gout,malady,treatment,indomethacin,{BOOKS}\n", "no attribute 'treatment' of kind 'malady'"),
        (f"gout,disease,treatment,indomethacin (oral),{BOOKS}\n", "plain ASCII"),
        (f"gout,disease,treatment,{'very ' * 9}long name,{BOOKS}\n", "longer than 45"),
        ("gout,disease,treatment,indomethacin,surgery;anatomy;cooking;histology\n", "unknown books: cooking"),
        ("gout,disease,treatment,indomethacin,surgery;anatomy\n", "at least 4 different books"),
        (GOOD + GOOD, ":3: the same fact stands above"),
        (GOOD + GOOD.replace("gout", "Gout").replace("treatment", "cause"), ":3: Gout has another spelling"),
        (GOOD + f"gout,drug,class,xanthine,{BOOKS}\n", ":3: gout has another spelling, kind or books"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(rows: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text(HEADER + rows)
    with pytest.raises(FactTableError, match=complaint.replace("(", r"\(")):
        read_facts(path)


def test_a_missing_table_and_a_wrong_header_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FactTableError, match="no such fact table"):
        read_facts(tmp_path / "none.csv")
    path = tmp_path / "facts.csv"
    path.write_text("subject,value\ngout,uric acid\n")
    with pytest.raises(FactTableError, match="header must be subject,kind,attribute,value,books"):
        read_facts(path)
