"""The pipelines by name, and their sum as the default."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from med_small_lm.entries import PROJECT
from med_small_lm.pipelines import (
    evaluate,
    generate_questions,
    ingest_textbooks,
    instruction_tune,
    knowledge_injection,
    synthesize_cot,
)
from med_small_lm.shelf import current_env, read_exams, read_graphs, read_instruction_sets, read_shelf


def register_pipelines() -> dict[str, Pipeline]:
    """The six pipelines and ``__default__``, all of them in one."""
    conf, env = PROJECT / "conf", current_env()
    books, exams = list(read_shelf(conf, env)), read_exams(conf, env)
    sets, graphs = list(read_instruction_sets(conf, env)), list(read_graphs(conf, env))
    scored = [name for name, exam in exams.items() if exam.scored]
    named = {
        "ingest_textbooks": ingest_textbooks.create_pipeline(books),
        "generate_questions": generate_questions.create_pipeline(list(exams), graphs),
        "synthesize_cot": synthesize_cot.create_pipeline(sets),
        "knowledge_injection": knowledge_injection.create_pipeline(),
        "instruction_tune": instruction_tune.create_pipeline(),
        "evaluate": evaluate.create_pipeline(scored),
    }
    return named | {"__default__": sum(named.values(), Pipeline([]))}
