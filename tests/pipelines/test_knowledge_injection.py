"""Injection stops in one line where nothing could be trained on, and runs without the other pipelines' parameters."""

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from med_small_lm.errors import UserError
from med_small_lm.needs import needs_of
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.params.knowledge_injection import BaseModelParams, InjectionParams, KnowledgeInjection, MixtureParams
from med_small_lm.params.launch import Launch
from med_small_lm.pipelines.knowledge_injection.nodes import inject
from med_small_lm.schemas.rows import CorpusText
from med_small_lm.schemas.tables import to_frame


def test_a_mixture_without_a_part_for_what_the_corpus_holds_stops(tmp_path):
    params = KnowledgeInjection(injection=InjectionParams(mixture=MixtureParams(paper=0, general=0)))
    corpus = to_frame([CorpusText("p-1", "paper", "train", "The heart pumps.", ["p-1"], "CC0")], CorpusText)
    with pytest.raises(UserError, match="mixture: no part for paper"):
        inject(None, corpus, params, Launch(), str(tmp_path))
    with pytest.raises(UserError, match="no text to train on"):
        inject(None, corpus[:0], params, Launch(), str(tmp_path))


def test_needs_are_told_where_the_other_trainings_parameters_are_plain():
    told = {"params:knowledge_injection": KnowledgeInjection(), "params:instruction_tune": {"tune": {"steps": 7}}}
    catalog = DataCatalog({name: MemoryDataset(params) for name, params in told.items()})
    alone = Pipeline([Node(lambda: 1, None, "injected", name="inject_knowledge")])
    assert needs_of(alone, catalog).disk > needs_of(Pipeline([]), catalog).disk


def needs(base, launch, **injection):
    told = {
        "knowledge_injection": KnowledgeInjection(base=base, injection=InjectionParams(**injection)),
        "instruction_tune": InstructionTune(), "launch": launch,
    }  # fmt: skip
    catalog = DataCatalog({f"params:{name}": MemoryDataset(params) for name, params in told.items()})
    return needs_of(Pipeline([Node(lambda: 1, None, "injected", name="inject_knowledge")]), catalog)


def test_a_slurm_job_is_not_counted_here():
    wide = BaseModelParams(hidden_size=8192, intermediate_size=16384, layers=2)
    with pytest.raises(UserError, match="memory"):
        needs(wide, Launch(), batch_size=4096)
    found = needs(wide, Launch(how="slurm", processes=8, hosts=2), batch_size=4096)
    assert found.seconds < 10 and found.memory < 8 * 2**30
    assert str(found).endswith("5 s here; time and memory of the Slurm jobs that train are not estimated")


@pytest.mark.parametrize(
    ("launch", "injection", "said"),
    [
        (Launch(), {"block_size": 512}, "knowledge_injection.injection.block_size is 512 tokens"),
        (Launch(how="torchrun", processes=2, strategy="fsdp"), {"mode": "lora_8bit"}, "launch.strategy: fsdp"),
    ],
)
def test_what_cannot_go_together_is_refused_before_anything_runs(launch, injection, said):
    with pytest.raises(UserError) as refused:
        needs(BaseModelParams(), launch, **injection)
    assert refused.value.message.startswith(said) and "\n" not in refused.value.message
