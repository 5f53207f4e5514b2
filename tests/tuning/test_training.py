"""Training learns, says how it goes, leaves what it should, and survives a kill."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from med_small_lm.answers.forms import Form
from med_small_lm.errors import UserError
from med_small_lm.params.instruction_tune import ConversationParams, TuneParams
from med_small_lm.params.knowledge_injection import BaseModelParams, InjectionParams
from med_small_lm.params.training import OptimiserParams
from med_small_lm.schemas.rows import Conversation, CorpusText, Question, Rationale
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.checkpoint import Checkpoint, CheckpointError
from med_small_lm.tuning.conversations import build_conversations
from med_small_lm.tuning.corpus import held_out_passages, held_out_texts, train_texts
from med_small_lm.tuning.injection import inject, n_steps
from med_small_lm.tuning.perplexity import Text, losses, perplexity_of
from med_small_lm.tuning.states import newest_state, seal, sweep
from med_small_lm.tuning.trainer import TrainingError, check_launch
from med_small_lm.tuning.tune import tune
from med_small_lm.tuning.weights import load

ROWS = {"block_size": 32, "batch_size": 4, "log_steps": 5, "threads": 1}
GENTLE = OptimiserParams(learning_rate=2e-3, warmup_steps=5)
SHORT = InjectionParams(**ROWS, tokens=40 * 128, evaluations=1, optimiser=GENTLE)


@pytest.fixture(scope="module")
def conversations(questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]) -> list[Conversation]:
    return build_conversations(questions, rationales, forms, ConversationParams(), 0)


def weights(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return dict(load(checkpoint)[0].state_dict())


def same(one: Checkpoint, other: Checkpoint) -> bool:
    ours, theirs = weights(one), weights(other)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_base_model_is_loadable_by_plain_transformers_and_the_same_again(
    base: Checkpoint, small: BaseModelParams, corpus: list[CorpusText], tmp_path: Path
) -> None:
    again = make_base(train_texts(corpus), small, 0, tmp_path / "base")
    assert same(base, again) and again.manifest.fingerprint == base.manifest.fingerprint
    other = make_base(train_texts(corpus), small, 1, tmp_path / "other")
    assert not same(base, other)
    assert AutoModelForCausalLM.from_pretrained(str(base.path)).config.num_hidden_layers == 2
    assert list(base.path.glob("*.safetensors")) and not list(base.path.glob("*.bin"))


def test_base_model_from_a_folder_brings_its_own_tokenizer(base: Checkpoint, tmp_path: Path) -> None:
    copied = make_base([], BaseModelParams(source=str(base.path)), 0, tmp_path / "base")
    assert same(base, copied)
    assert load(copied)[1].chat_template == load(base)[1].chat_template
    with pytest.raises(CheckpointError, match="allow_download"):
        make_base([], BaseModelParams(source="nobody/nothing"), 0, tmp_path / "none")


def test_injection_learns_and_says_so(base: Checkpoint, corpus: list[CorpusText], tmp_path: Path) -> None:
    seen: list[tuple[int, dict[str, float]]] = []
    made, history, _ = inject(base, corpus, SHORT, 0, tmp_path / "m", lambda m, step: seen.append((step, dict(m))))
    known = [row["loss"] for row in history if not math.isnan(row["loss"])]
    perplexities = {row["step"]: row["perplexity"] for row in history if not math.isnan(row["perplexity"])}
    assert len(known) == 8 and known[-1] < known[0] - 0.5
    assert list(perplexities) == [0, 20, 40] and perplexities[40] < perplexities[0]
    assert made.manifest.steps == 40 and made.manifest.tokens_seen == 5120
    assert made.manifest.final_loss == known[-1]
    assert made.manifest.parents == {"base": base.manifest.fingerprint}
    logged = next(told for step, told in seen if step == 5)
    assert {"injection/loss", "injection/tokens_per_second", "injection/mfu", "injection/peak_memory"} <= set(logged)
    assert seen[-1][0] == 40
    assert made.history()[-1]["step"] == 40 and set(history[0]) == {
        "stage", "step", "tokens", "loss", "learning_rate", "grad_norm", "tokens_per_second", "perplexity"
    }  # fmt: skip
    assert load(made)[0].config.use_cache


def test_a_mixture_is_told_in_manifest_metrics_and_perplexities(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    papers = [replace(t, text_id=f"p-{t.text_id}", source="paper") for t in corpus if t.source == "book"]
    seen: list[tuple[int, dict[str, float]]] = []
    with caplog.at_level("INFO"):
        made, history, _ = inject(
            base, [*corpus, *papers], SHORT, 0, tmp_path / "m", lambda m, s: seen.append((s, {**m}))
        )
    drawn = made.manifest.drawn
    assert drawn == json.loads((made.path / "manifest.json").read_text())["drawn"]
    assert drawn["book"]["tokens"] + drawn["paper"]["tokens"] == made.manifest.tokens_seen == 5120
    assert abs(drawn["book"]["share"] - 15 / 19) < 0.01 and set(drawn) == {"book", "paper"}
    assert "injection: book 79.4%, " in caplog.text and "; paper 20.6%, " in caplog.text
    assert seen[0] == (0, {f"injection/{s}_{what}": n for s, one in drawn.items() for what, n in one.items()})
    told = {
        step: metrics["injection/perplexity_paper"] for step, metrics in seen if "injection/perplexity_paper" in metrics
    }
    assert list(told) == [0, 20, 40] and told[40] < told[0]
    books = {row["step"]: row["perplexity"] for row in history if not math.isnan(row["perplexity"])}
    assert books == told  # here the papers say what the books say


def test_papers_without_a_book_are_trained_on_too(base: Checkpoint, corpus: list[CorpusText], tmp_path: Path) -> None:
    papers = [replace(text, source="paper") for text in corpus]
    params = SHORT.model_copy(update={"tokens": None, "epochs": 1.0})
    made, history, _ = inject(base, papers, params, 0, tmp_path / "m")
    assert set(made.manifest.drawn) == {"paper"} and made.manifest.drawn["paper"]["passes"] >= 1
    assert history and all(math.isnan(row["perplexity"]) for row in history)


def test_a_finished_training_is_taken_as_it_is(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, history, _ = inject(base, corpus, SHORT, 0, tmp_path / "m")
    monkeypatch.setattr("med_small_lm.tuning.stage.run", lambda *_: pytest.fail("trained again"))
    again, told, _ = inject(base, corpus, SHORT, 0, tmp_path / "m")
    assert again.manifest == first.manifest and len(told) == len(history)


def test_nothing_to_train_leaves_the_weights_as_they_are(
    base: Checkpoint, corpus: list[CorpusText], conversations: list[Conversation], tmp_path: Path
) -> None:
    injected, history, _ = inject(base, corpus, InjectionParams(tokens=0), 0, tmp_path / "i")
    tuned, _, _ = tune(injected, conversations, corpus, TuneParams(steps=0), 0, tmp_path / "t")
    assert same(base, injected) and same(base, tuned)
    assert injected.manifest.steps == 0 and math.isnan(injected.manifest.final_loss)
    assert len(history) == 1 and history[0]["perplexity"] > 1
    assert tuned.manifest.parents == {"injected": injected.manifest.fingerprint}


@pytest.mark.parametrize("separate", [False, True])
def test_same_seed_same_weights(base: Checkpoint, corpus: list[CorpusText], tmp_path: Path, separate: bool) -> None:
    params = InjectionParams(**ROWS, tokens=10 * 128, separate_documents=separate)
    one, other, third = (inject(base, corpus, params, s, tmp_path / str(n))[0] for n, s in enumerate((0, 0, 1)))
    assert same(one, other) and not same(one, third)


def test_epochs_count_passes_over_the_corpus() -> None:
    params = InjectionParams(**ROWS, tokens=None, epochs=3)
    assert n_steps(params, 1000) == math.ceil(3000 / 128)
    assert n_steps(InjectionParams(tokens=None, epochs=0), 1000) == 0
    with pytest.raises(ValueError, match="either tokens or epochs"):
        InjectionParams(tokens=5, epochs=1)


def test_tuning_learns_its_answers(
    base: Checkpoint, corpus: list[CorpusText], conversations: list[Conversation], tmp_path: Path
) -> None:
    params = TuneParams(**{**ROWS, "block_size": 64}, steps=60, replay_share=0.0, optimiser=GENTLE)
    made, history, _ = tune(base, conversations, corpus, params, 0, tmp_path / "m")
    known = [row["loss"] for row in history if not math.isnan(row["loss"])]
    assert known[-1] < known[0] - 2 and {row["stage"] for row in history} == {"tuning"}
    assert made.manifest.steps == 60 and set(made.manifest.data) == {"conversations", "corpus"}
    held_out = held_out_passages(corpus)
    told = made.manifest.drawn["examples"]["book"]
    assert told["held_out"] == sum(not held_out.isdisjoint(one.passage_ids) for one in conversations) > 0
    assert told["draws"] + told["dev"] == told["examples"] - told["held_out"] == len(conversations) - told["held_out"]


def test_rows_longer_than_the_model_are_refused(base: Checkpoint, corpus: list[CorpusText], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"injection\.block_size .* reads 128 at most: lower it to 128"):
        inject(base, corpus, InjectionParams(block_size=256), 0, tmp_path / "m")
    with pytest.raises(UserError, match=r"tune\.block_size .* reads 128 at most"):
        tune(base, [], corpus, TuneParams(block_size=256), 0, tmp_path / "m")
    with pytest.raises(UserError, match="no text to train on"):
        inject(base, [], InjectionParams(**{**ROWS, "tokens": None}, epochs=1), 0, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_loss_that_is_no_number_stops_the_training(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = torch.nn.functional.cross_entropy
    monkeypatch.setattr("torch.nn.functional.cross_entropy", lambda *a, **k: sound(*a, **k) * math.nan)
    with pytest.raises(TrainingError, match="lower learning rate"):
        inject(base, corpus, SHORT, 0, tmp_path / "m")
    assert not (tmp_path / "m").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from med_small_lm.params.knowledge_injection import InjectionParams
from med_small_lm.schemas.rows import CorpusText
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.injection import inject
import json
base, folder, corpus, params = sys.argv[1:]
corpus = [CorpusText(**row) for row in json.loads(corpus)]
def die(metrics, step):
    if step == 25:
        os.kill(os.getpid(), signal.SIGKILL)
inject(Checkpoint.read(Path(base)), corpus, InjectionParams(**json.loads(params)), 0, Path(folder), die)
"""


@pytest.mark.parametrize("papers", [False, True])
def test_resumed_after_a_kill_ends_as_if_uninterrupted(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path, papers: bool
) -> None:
    corpus = [*corpus, *(replace(text, source="paper") for text in corpus if papers)]
    params = SHORT.model_copy(update={"save_steps": 10})
    texts, given = json.dumps([asdict(text) for text in corpus]), params.model_dump_json()
    whole, expected, _ = inject(base, corpus, params, 0, tmp_path / "whole")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(base.path), str(tmp_path / "m"), texts, given])
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "m").exists()
    (tmp_path / "m.partial" / "work" / "checkpoint-30").mkdir()  # a state that the kill cut short
    resumed, history, _ = inject(base, corpus, params, 0, tmp_path / "m")
    assert same(whole, resumed)
    assert [row["step"] for row in history] == [row["step"] for row in expected]
    known = ("loss", "learning_rate", "grad_norm", "perplexity")
    for row, other in zip(history, expected, strict=True):
        assert all(row[k] == other[k] or math.isnan(row[k]) and math.isnan(other[k]) for k in known)
    assert not (tmp_path / "m.partial").exists()


STOPPED = KILLED.replace("signal.SIGKILL", "signal.SIGTERM")


def test_sigterm_saves_the_step_and_the_same_call_goes_on(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path
) -> None:
    params = SHORT.model_copy(update={"save_steps": 30})
    texts, given = json.dumps([asdict(text) for text in corpus]), params.model_dump_json()
    whole, *_ = inject(base, corpus, params, 0, tmp_path / "whole")
    stopped = subprocess.run(
        [sys.executable, "-c", STOPPED, str(base.path), str(tmp_path / "m"), texts, given],
        capture_output=True, text=True,
    )  # fmt: skip
    assert stopped.returncode == 1 and "stopped at step 26 of 40" in stopped.stderr
    assert [path.parent.name for path in (tmp_path / "m.partial" / "work").glob("*/complete")] == ["checkpoint-26"]
    assert same(whole, inject(base, corpus, params, 0, tmp_path / "m").checkpoint)


def test_the_best_states_are_kept_and_may_be_published(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path
) -> None:
    steep = OptimiserParams(name="adamw", learning_rate=0.3, warmup_steps=0, final_share=1.0)
    params = InjectionParams(
        **ROWS, tokens=30 * 128, evaluations=7, save_steps=5, best_kept=2, publish="best", optimiser=steep
    )
    made, history, perplexities = inject(base, corpus, params, 0, tmp_path / "m")
    scores = {int(step): score for step, score in made.manifest.scores.items()}
    saved = [5, 10, 15, 20, 25, 30]
    assert set(scores) > {0, *saved}, "looks between the saves have scores and no state"
    first, second = sorted(saved, key=scores.__getitem__)[:2]
    assert made.manifest.published == first
    assert {row.step for row in perplexities} == {step for step in scores if step <= first}
    assert [path.name for path in (made.path / "best").iterdir()] == [f"step-{second}"]
    texts = [Text(load(base)[1](t, add_special_tokens=False)["input_ids"]) for t in held_out_texts(corpus)]
    for folder, step in ((made.path, first), (made.path / "best" / f"step-{second}", second)):
        model = AutoModelForCausalLM.from_pretrained(str(folder))
        assert perplexity_of(losses(model, texts))[0] == pytest.approx(scores[step], rel=1e-5)
    assert not (made.path / "work").exists() and len(history) > 7


def test_a_loss_that_becomes_no_number_leaves_the_last_good_model(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaks(torch.optim.AdamW):
        steps = 0

        def step(self, closure: object = None) -> None:
            super().step()
            Breaks.steps += 1
            if Breaks.steps == 10:  # the weights break in the very step that is saved next
                self.param_groups[0]["params"][0].data.fill_(math.nan)

    whole, *_ = inject(base, corpus, SHORT.model_copy(update={"tokens": 5 * 128}), 0, tmp_path / "five")
    monkeypatch.setattr("med_small_lm.tuning.optimiser.torch.optim.AdamW", Breaks)
    plain = GENTLE.model_copy(update={"name": "adamw"})
    params = SHORT.model_copy(update={"save_steps": 5, "evaluations": 0, "optimiser": plain})
    with pytest.raises(TrainingError, match=r"nan at step 10.*the model of step 5 is kept in .*m\.last_good"):
        inject(base, corpus, params, 0, tmp_path / "m")
    kept = AutoModelForCausalLM.from_pretrained(str(tmp_path / "m.last_good")).state_dict()
    assert all(weight.isfinite().all() for weight in kept.values()) and whole.manifest.steps == 5
    assert any(not torch.equal(weight, weights(base)[name]) for name, weight in kept.items())


def test_a_state_of_another_plan_is_not_gone_on_from(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-5").mkdir()
    seal(tmp_path / "checkpoint-5", "one plan")
    assert newest_state(tmp_path, "one plan") == tmp_path / "checkpoint-5"
    assert newest_state(tmp_path, "another plan") is None
    sweep(tmp_path, "another plan")
    assert not (tmp_path / "checkpoint-5").exists()


def test_a_state_of_another_launch_is_not_gone_on_from(tmp_path: Path) -> None:
    state = tmp_path / "work" / "checkpoint-5"
    state.mkdir(parents=True)
    (state / "rank-0.json").touch()
    check_launch(state, 1, sharded=False)
    with pytest.raises(TrainingError, match="saved by 1 process.*now there are 2.*launch as before, or delete"):
        check_launch(state, 2, sharded=False)


def test_samples_of_replies_stand_beside_the_model(
    base: Checkpoint, corpus: list[CorpusText], conversations: list[Conversation], tmp_path: Path
) -> None:
    params = TuneParams(**{**ROWS, "block_size": 64}, steps=4, replay_share=0, dev_share=0.2, samples=2, evaluations=0)
    made, _, perplexities = tune(base, conversations, corpus, params, 0, tmp_path / "m")
    told = (made.path / "samples.md").read_text()
    assert told.count("- step 0:") == told.count("- step 4:") == told.count("expected: ") == 2
    assert {(row.stage, row.step, row.source) for row in perplexities} == {("tuning", n, "book") for n in (0, 4)}


def test_memory_that_is_short_is_told_with_its_cure(
    base: Checkpoint, corpus: list[CorpusText], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr("med_small_lm.tuning.worker.train", full)
    with pytest.raises(TrainingError, match=r"out of memory .*this would fit .*: batch_size: 2, accumulation: 2"):
        inject(base, corpus, SHORT, 0, tmp_path / "m")
