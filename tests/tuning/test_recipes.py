"""The environments of the published recipes: valid, true to their sources, and able to train with a tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from med_small_lm.answers.forms import forms_of
from med_small_lm.benchmarks.runs import runs_of
from med_small_lm.config import ProjectConfigLoader, check_parameters
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.params.knowledge_injection import BaseModelParams, KnowledgeInjection
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import CorpusText, Option, Question, Rationale
from med_small_lm.settings import CONFIG_LOADER_ARGS
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.conversations import build_conversations
from med_small_lm.tuning.corpus import train_texts
from med_small_lm.tuning.injection import inject
from med_small_lm.tuning.tune import tune

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ("meerkat", "mqg", "medalpaca", "pmc_llama")
ROWS = {"block_size": 256, "batch_size": 1, "accumulation": 1, "threads": 1, "checkpointing": False, "save_steps": 0,
        "best_kept": 0, "log_steps": 1}  # fmt: skip
SHRUNK = {
    "knowledge_injection": {"base": {"source": "tiny"}, "injection": {**ROWS, "evaluations": 0}},
    "instruction_tune": {"tune": {**ROWS, "steps": 3, "epochs": None, "long_examples": "cut", "samples": 0}},
    "launch": {"how": "inline", "processes": 1, "hosts": 1},
}


def parameters(env: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    loader = ProjectConfigLoader(str(ROOT / "conf"), env=env, runtime_params=params, **CONFIG_LOADER_ARGS)
    told: dict[str, Any] = loader["parameters"]
    return told


@pytest.mark.parametrize("env", RECIPES)
def test_a_recipe_is_valid_and_writes_to_a_folder_of_its_own(env: str) -> None:
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    from kedro.framework.project import pipelines

    told = parameters(env)
    check_parameters(told, pipelines)
    assert Path(told["models"]).parts[-3:-1] == ("data", env)
    assert told["knowledge_injection"]["base"]["source"].count("/") == 1  # a name on the hub
    assert not told["knowledge_injection"]["base"]["allow_download"]


def test_the_recipes_are_those_of_their_sources() -> None:
    told = {env: parameters(env) for env in RECIPES}
    tuned = {env: one["instruction_tune"]["tune"] for env, one in told.items()}
    ranks = {env: one["launch"]["processes"] * one["launch"]["hosts"] for env, one in told.items()}
    rows = {env: one["batch_size"] * one["accumulation"] * ranks[env] for env, one in tuned.items()}
    assert rows == {"meerkat": 128, "mqg": 16, "medalpaca": 128, "pmc_llama": 256}
    assert {one["epochs"] for one in tuned.values()} == {3} and {one["replay_share"] for one in tuned.values()} == {0}
    injected = told["pmc_llama"]["knowledge_injection"]["injection"]
    assert injected["batch_size"] * injected["accumulation"] * ranks["pmc_llama"] == 3200
    assert injected["mixture"] == {"book": 15, "paper": 4, "general": 1} and injected["epochs"] == 5
    alpaca = tuned["medalpaca"]
    assert (alpaca["mode"], alpaca["block_size"], alpaca["loss"], alpaca["dev_share"]) == ("lora_8bit", 256, "all", 0.1)
    assert {k: alpaca["adapter"][k] for k in ("rank", "alpha", "targets")} == {
        "rank": 8, "alpha": 16, "targets": ["q_proj", "v_proj"],
    }  # fmt: skip


NUMBERS = (  # recipe, training, parameter, value, source: a paper, a repository's script, or "unverified default"
    ("meerkat", "tune", "mode", "full", "unverified default"),
    ("meerkat", "tune", "precision", "bf16", "model card"),
    ("meerkat", "tune", "block_size", 2048, "unverified default"),
    ("meerkat", "tune", "optimiser.name", "adamw", "unverified default"),
    ("meerkat", "tune", "optimiser.learning_rate", 2e-6, "unverified default"),
    ("meerkat", "tune", "optimiser.warmup_steps", 400, "unverified default"),
    ("mqg", "injection", "epochs", 3, "name of the released checkpoint"),
    ("mqg", "tune", "mode", "full", "unverified default"),
    ("mqg", "tune", "precision", "fp32", "V100, which has no bf16"),
    ("mqg", "tune", "block_size", 1024, "unverified default"),
    ("mqg", "tune", "optimiser.learning_rate", 2e-5, "unverified default"),
    ("mqg", "tune", "optimiser.final_share", 0, "unverified default"),
    ("medalpaca", "tune", "mode", "lora_8bit", "train.py"),
    ("medalpaca", "tune", "precision", "bf16", "train.py: fp16"),
    ("medalpaca", "tune", "block_size", 256, "train.py"),
    ("medalpaca", "tune", "optimiser.name", "adamw", "train.py"),
    ("medalpaca", "tune", "optimiser.learning_rate", 2e-5, "train.py"),
    ("medalpaca", "tune", "optimiser.warmup_steps", 100, "train.py"),
    ("medalpaca", "tune", "adapter.dropout", 0.1, "train.py"),
    ("medalpaca", "tune", "save_steps", 200, "train.py"),
    ("pmc_llama", "injection", "mode", "full", "paper"),
    ("pmc_llama", "injection", "precision", "bf16", "paper"),
    ("pmc_llama", "injection", "checkpointing", True, "paper"),
    ("pmc_llama", "injection", "block_size", 2048, "paper"),
    ("pmc_llama", "injection", "optimiser.name", "adamw", "paper"),
    ("pmc_llama", "injection", "optimiser.learning_rate", 2e-5, "paper"),
    ("pmc_llama", "injection", "optimiser.warmup_steps", 100, "training.sh: 3 %, about that many"),
    ("pmc_llama", "injection", "optimiser.weight_decay", 0, "training.sh"),
    ("pmc_llama", "tune", "block_size", 512, "SFT/train.py"),
    ("pmc_llama", "tune", "precision", "bf16", "unverified default"),
)


@pytest.mark.parametrize("env", RECIPES)
def test_the_numbers_of_a_recipe_are_those_of_its_sources(env: str) -> None:
    told = parameters(env)
    trainings = told["knowledge_injection"] | told["instruction_tune"]
    for _, training, name, value, source in (one for one in NUMBERS if one[0] == env):
        found = trainings[training]
        for part in name.split("."):
            found = found[part]
        assert found == value, (training, name, source)


@pytest.mark.parametrize("env", ["meerkat", "pmc_llama"])
def test_a_recipe_keeps_rationales_that_are_as_long_as_a_model_may_write(env: str) -> None:
    told = parameters(env)
    longest = min(told["evaluate"]["max_new_tokens"], told["instruction_tune"]["tune"]["block_size"])
    assert 0.5 * longest < told["synthesize_cot"]["gates"]["words_max"] < longest


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, corpus: list[CorpusText], small: BaseModelParams) -> Checkpoint:
    """A tiny model that reads far enough for the recipes' instructions."""
    params = small.model_copy(update={"positions": 256, "vocab_size": 600})
    return make_base(train_texts(corpus), params, 0, tmp_path_factory.mktemp("models") / "base")


ENVIRONMENTS = sorted(folder.name for folder in (ROOT / "conf").iterdir() if folder.is_dir())


@pytest.mark.parametrize("env", [name for name in ENVIRONMENTS if name != "local"])
def test_models_are_asked_in_the_forms_that_they_are_taught(env: str) -> None:
    told = parameters(env)
    forms, taught = Answers.model_validate(told["answers"]), told["instruction_tune"]["conversations"]["forms"]
    runs = runs_of(Evaluate.model_validate(told["evaluate"]), forms_of(forms))
    assert {run.form for run in runs} <= set(taught)
    if any(run.how == "letter" for run in runs):
        assert forms.direct.options == "listed" and (forms.direct.letters or "{key}" in forms.direct.ending)


def test_recipes_are_evaluated_as_their_papers_did() -> None:
    told = {env: parameters(env) for env in RECIPES}
    asked = {env: Evaluate.model_validate(one["evaluate"]) for env, one in told.items()}
    assert asked["mqg"].contexts == ("gold", "model", "none") and asked["meerkat"].samples == 10
    assert asked["medalpaca"].written == ("direct",) and asked["pmc_llama"].compared == ("letter",)
    closing = {env: forms_of(Answers.model_validate(one["answers"]))["direct"] for env, one in told.items()}
    said = {env: form.answer(Option("C", "gout")) for env, form in closing.items() if env != "mqg"}
    assert said == {"meerkat": "the answer is (C) gout.", "medalpaca": "C: gout", "pmc_llama": "OPTION C IS CORRECT"}


@pytest.mark.parametrize("env", RECIPES)
def test_a_recipe_trains(
    env: str, base: Checkpoint, corpus: list[CorpusText], questions: list[Question], rationales: list[Rationale],
    tmp_path: Path,
) -> None:  # fmt: skip
    """With ``--params`` that name the tiny model and shrink the rows, and nothing else."""
    told = parameters(env, SHRUNK)
    injection = KnowledgeInjection.model_validate(told["knowledge_injection"])
    tuning = InstructionTune.model_validate(told["instruction_tune"])
    forms, launch = forms_of(Answers.model_validate(told["answers"])), Launch.model_validate(told["launch"])
    style = tuning.conversations.rationale_styles[0]
    reasons = [
        Rationale(one.rationale_id, one.question_id, "" if style == "hidden" else f"gold_shown: {style}", one.text,
                  one.answer_keys, [], "call", one.passage_ids, one.licence)
        for one in rationales
    ]  # fmt: skip
    case = [
        Question(f"c-{rank}", "book", "train", "progressive", "Which are right?",
                 [Option("A", "It is gout."), Option("B", "It is mumps.")], ["A"], "", "c", rank,
                 context="A toe hurts.", passage_ids=["book-1"], licence="CC0")
        for rank in (1, 2)
    ]  # fmt: skip
    made = build_conversations([*questions, *case], reasons, forms, tuning.conversations, 0)
    injected = inject(base, corpus, injection.injection, 0, tmp_path / "injected", launch=launch).checkpoint
    tuned = tune(injected, made, corpus, tuning.tune, tuning.seed, tmp_path / "tuned", launch=launch)
    assert tuned.checkpoint.manifest.steps == 3 and tuned.checkpoint.manifest.final_loss > 0
    assert bool(injected.manifest.steps) == (env in ("mqg", "pmc_llama"))
    assert {one.method for one in made} == set(tuning.conversations.forms)
    drawn = tuned.checkpoint.manifest.drawn
    assert drawn["rows"]["examples"]["share"] == 1 and drawn["examples"]["book"]["draws"] > 0
    replies = {one.messages[-1].content for one in made}
    if env == "mqg":
        assert replies == {"True.", "False."} and any(one.question_id == "c-2" for one in made)
    else:
        said = {"meerkat": "the answer is (A) ", "medalpaca": "A: ", "pmc_llama": "OPTION A IS CORRECT"}[env]
        assert all(said in reply for reply in replies)
