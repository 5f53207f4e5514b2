"""Injection stops in one line where nothing could be trained on, and runs without the other pipelines' parameters."""

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from med_small_lm.errors import UserError
from med_small_lm.needs import needs_of
from med_small_lm.params.knowledge_injection import InjectionParams, KnowledgeInjection, MixtureParams
from med_small_lm.pipelines.knowledge_injection.nodes import inject
from med_small_lm.schemas.rows import CorpusText
from med_small_lm.schemas.tables import to_frame


def test_a_mixture_without_a_part_for_what_the_corpus_holds_stops(tmp_path):
    params = KnowledgeInjection(injection=InjectionParams(mixture=MixtureParams(paper=0, general=0)))
    corpus = to_frame([CorpusText("p-1", "paper", "train", "The heart pumps.", ["p-1"], "CC0")], CorpusText)
    with pytest.raises(UserError, match="mixture: no part for paper"):
        inject(None, corpus, params, str(tmp_path))


def test_needs_are_told_where_the_other_trainings_parameters_are_plain():
    told = {"params:knowledge_injection": KnowledgeInjection(), "params:instruction_tune": {"tune": {"steps": 7}}}
    catalog = DataCatalog({name: MemoryDataset(params) for name, params in told.items()})
    alone = Pipeline([Node(lambda: 1, None, "injected", name="inject_knowledge")])
    assert needs_of(alone, catalog).disk > needs_of(Pipeline([]), catalog).disk
