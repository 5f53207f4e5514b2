"""An exported model writes what it wrote in the pipeline, for programs that know nothing of this project."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from huggingface_hub import ModelCard

from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.generation import replies
from med_small_lm.benchmarks.models import load as load_to_ask
from med_small_lm.params.training import AdapterParams, LoopParams
from med_small_lm.schemas.rows import (
    Contamination,
    Conversation,
    CorpusText,
    Message,
    Passage,
    Perplexity,
    Question,
    Rationale,
    Score,
)
from med_small_lm.tuning.checkpoint import Checkpoint, Draft, Manifest, Outcome, Plan, digest
from med_small_lm.tuning.export import model as exporting
from med_small_lm.tuning.export.evidence import Evidence, public
from med_small_lm.tuning.export.hub_card import PLACE, hub_card
from med_small_lm.tuning.export.model import export_model
from med_small_lm.tuning.modes import trainable, write
from med_small_lm.tuning.weights import load

MOST = 24
REPLY = Message("assistant", "It is.")
PLAIN = """
import json, sys
CODE
replies = []
for messages in json.load(sys.stdin):
    asked = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    reply = model.generate(**asked, max_new_tokens=MOST)[0, asked["input_ids"].shape[1]:]
    replies.append(tokenizer.decode(reply, skip_special_tokens=True).strip())
assert not any(name.startswith("med_small_lm") for name in sys.modules)
print(json.dumps(replies))
"""


@pytest.fixture(scope="module")
def taught(
    base: Checkpoint,
    questions: list[Question],
    rationales: list[Rationale],
    forms: dict[str, Form],
    tmp_path_factory: pytest.TempPathFactory,
) -> Checkpoint:
    """The tiny model after a hundred steps on the questions, which it then answers in sentences."""
    model, tokenizer = load(base)
    chats = [
        [
            *forms["explain"].messages(question),
            Message("assistant", forms["explain"].reply(question.options[0], why.text)),
        ]
        for question, why in zip(questions, rationales, strict=True)
    ]
    plain = [[{"role": one.role, "content": one.content} for one in chat] for chat in chats]
    batch = tokenizer.apply_chat_template(plain, padding=True, return_dict=True, return_tensors="pt")
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(100):
        model(**batch, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    draft = Draft(
        tmp_path_factory.mktemp("models") / "tuned", Plan("tuned", {"base": base.manifest.fingerprint}, {}, {})
    )
    model.generation_config.repetition_penalty = 5.0  # a setting of its own, which the pipeline does not use
    model.save_pretrained(draft.path)
    tokenizer.save_pretrained(draft.path)
    return draft.publish(Outcome(10, 1, 1.0, 1.0, licences=("CC0",)), [])


def test_a_fresh_process_without_this_project_writes_the_same(
    taught: Checkpoint, base: Checkpoint, questions: list[Question], forms: dict[str, Form], tmp_path: Path
) -> None:
    form = forms["explain"]
    folder = tmp_path / "out"
    card = hub_card([base.manifest, taught.manifest], Evidence(), form, MOST, "1")
    export_model(taught, folder, card, "1")
    asked = [[{"role": one.role, "content": one.content} for one in form.messages(each)] for each in questions]
    code = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    plain = PLAIN.replace("MOST", str(MOST)).replace("CODE", code.replace(PLACE, str(folder)))
    done = subprocess.run(
        [sys.executable, "-c", plain], input=json.dumps(asked), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    *shown, found = done.stdout.splitlines()
    pipeline = replies(*load_to_ask(taught.path), questions, form, max_new_tokens=MOST, batch_tokens=100_000)
    assert json.loads(found) == [one.text for one in pipeline]
    assert any(re.match(r"[A-Z][a-z]+ is caused by .*\. The answer is", one) for one in json.loads(found)), found
    assert {one.cut for one in pipeline} == {True, False}, "some come to an end, some are cut"
    assert shown, "the card's own lines print a reply"


def test_an_export_is_a_whole_checkpoint_and_says_what_is_in_it(taught: Checkpoint, tmp_path: Path) -> None:
    digests = export_model(taught, tmp_path / "out", "the card", "1.2")
    read = Checkpoint.read(tmp_path / "out")
    assert read.manifest.fingerprint == taught.manifest.fingerprint and read.manifest.licences == ["CC0"]
    told = json.loads((tmp_path / "out/export.json").read_text())
    assert told == {"made_by": "med-small-lm 1.2", "sha256": digests}
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "generation_config.json"} <= set(digests)
    settings = json.loads((tmp_path / "out/generation_config.json").read_text())
    assert settings["eos_token_id"] == [1] and "repetition_penalty" not in settings
    assert not set(exporting.LOADING) & set(json.loads((tmp_path / "out/tokenizer_config.json").read_text()))


def test_an_adapter_is_merged(base: Checkpoint, tmp_path: Path) -> None:
    params = LoopParams(mode="lora", adapter=AdapterParams(merge=False))
    model, tokenizer = trainable(base, params)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.5)
    draft = Draft(tmp_path / "injected", Plan("injected", {"base": base.manifest.fingerprint}, {}, {}))
    write(model, tokenizer, base, params, draft.path)
    adapter = draft.publish(Outcome(10, 1, 1.0, 1.0), [])
    export_model(adapter, tmp_path / "out", "", "1")
    assert not list((tmp_path / "out").glob("adapter*"))
    ids = torch.arange(5, 25)[None]
    exported, _ = load_to_ask(tmp_path / "out")
    with torch.inference_mode():
        made, merged, before = (one.eval()(ids).logits for one in (exported, load(adapter)[0], load(base)[0]))
    assert torch.equal(made, merged) and (made - before).abs().max() > 0.01


def test_what_an_export_may_replace(taught: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    export_model(taught, folder, "first", "1")
    (folder / "model.gguf").write_bytes(b"GGUF")
    export_model(taught, folder, "second", "1")
    assert (folder / "README.md").read_text() == "second" and not (folder / "model.gguf").exists()
    (folder / "README.md").write_text("edited by hand")
    with pytest.raises(FileExistsError, match=r"out/README.md was changed since it was exported: move it away"):
        export_model(taught, folder, "third", "1")
    assert (folder / "README.md").read_text() == "edited by hand"
    (folder / "README.md").write_text("second")
    (folder / "notes").mkdir()
    with pytest.raises(FileExistsError, match="holds notes, which no export wrote"):
        export_model(taught, folder, "third", "1")
    with pytest.raises(FileExistsError, match="no earlier export"):
        export_model(taught, taught.path, "over the checkpoint itself", "1")
    (folder / "export.json").write_text("{}")
    with pytest.raises(FileExistsError, match="cannot be read"):
        export_model(taught, folder, "third", "1")
    with pytest.raises(FileExistsError, match="no earlier export"):
        export_model(taught, folder / "README.md", "a file", "1")
    assert (folder / "README.md").read_text() == "second"


def test_a_write_that_fails_leaves_the_earlier_export(taught: Checkpoint, tmp_path: Path, monkeypatch: Any) -> None:
    export_model(taught, tmp_path / "out", "first", "1")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "write_manifest", full)
    with pytest.raises(OSError, match="No space"):
        export_model(taught, tmp_path / "out", "second", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out/README.md").read_text() == "first" and Checkpoint.read(tmp_path / "out")


def manifest(name: str, parent: str, tokens: int, **data: str) -> Manifest:
    parameters = {"source": "org/model"} if name == "base" else {"steps": 7}
    return Manifest(name, {parent: f"of-{parent}"} if parent else {}, f"of-{name}", data, parameters, "c0de", tokens, 7,
                    0.5 if tokens else float("nan"), 1.0, {}, licences=("CC BY-NC 4.0", "CC0"))  # fmt: skip


@pytest.fixture
def told(passages: list[Passage], corpus: list[CorpusText], questions: list[Question]) -> Evidence:
    asked = [
        Conversation(
            f"c-{n}", source, method, [Message("system", "Say."), Message("user", asked), REPLY], [], "", [], "CC0"
        )
        for n, (source, method, asked) in enumerate(
            (("book", "explain", "What is  it?"), ("book", "direct", "What is  it?"), ("medquad", "direct", "No."))
        )
    ]
    scores = [
        Score(
            model, "exam", "all", "likelihood", "option_text/0-shot", "accuracy", value, 10, 2, value - 0.1, value + 0.1
        )
        for model, value in (("base", 0.25), ("injected", 0.5), ("tuned", 0.75))
    ]
    perplexities = [
        Perplexity("injection", step, "book", book, 9, 90, value, value - 1, value + 1, value / 80, 0.2, 0.00123)
        for step, book, value in ((0, "", 80.0), (5, "", 40.0), (9, "", 20.0), (9, "b", 5.0))
    ]
    gates = [Contamination("exam", source, "fuzzy", 10, 100, 3, 2) for source in ("questions", "rationales")]
    prompts = ["What is it?"]
    return Evidence(passages, {"book": "The Book"}, corpus, asked, questions, scores, perplexities, gates, prompts)


def test_the_card_tells_data_scores_terms_and_making(told: Evidence, forms: dict[str, Form], tmp_path: Path) -> None:
    chain = [
        manifest("base", "", 0, source="org/model"),
        manifest("injected", "base", 100, corpus=digest(told.corpus)),
        manifest("tuned", "injected", 50, corpus=digest([]), conversations=digest(told.conversations)),
    ]
    (tmp_path / "README.md").write_text(hub_card(chain, told, forms["direct"], 64, "1.2"), encoding="utf-8")
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.base_model == "org/model" and card.data.license == "other"
    text = card.text
    assert "| The Book | CC0 | 10 |" in text and "| the books | CC0 | 2 |" in text and "| medquad | CC0 | 1 |" in text
    assert digest(told.conversations[:2]) in text and f"| {len(told.corpus)} |" not in text, "the corpus by source"
    assert "| tuned | 0.750 | 0.650 to 0.850 | 10 | 2 |" in text and "| base | 0.250 |" in text
    assert "| injected | 0.500 |" not in text
    assert (
        "| injection | book | 9 | 80.00 (79.00 to 81.00) | 20.00 (19.00 to 21.00) | 0.250 (0.200 to 0.00123) |" in text
    )
    assert "| exam | fuzzy | 10 | 200 | 6 |" in text
    assert "CC BY-NC 4.0 (non-commercial)" in text
    assert "| tuned | `of-tuned` | injected | 50 | 7 | 0.500 | `c0de` |" in text
    parameters = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    assert parameters["tuned"] == {"steps": 7} and list(parameters) == ["base", "injected", "tuned"]
    assert '[{"role": "system", "content": "Say."}, {"role": "user", "content": "What is  it?"}]' in text, (
        "a dev question"
    )
    assert "vllm serve" in text and "scurvy?" not in text


def test_the_card_counts_no_records_that_the_model_has_not_seen(told: Evidence, forms: dict[str, Form]) -> None:
    chain = [manifest("base", "", 0), manifest("injected", "base", 100, corpus="of another day")]
    card = hub_card(chain, told, forms["direct"], 64, "1")
    assert "The corpus records on disk are not those" in card and "medquad" not in card
    assert "The Book" not in card and "### Books" not in card, "nobody knows whether it read these passages"
    assert "| fuzzy |" not in card and "No contamination gate" in card, "they looked at other records"
    assert "scurvy?" in card
    bare = hub_card(chain[:1], Evidence(), forms["direct"], 64, "1")
    assert "trained on no text" in bare and "was not scored" in bare and "not known" in bare
    assert "kedro run --pipelines evaluate" in bare


def test_only_passages_behind_the_records_are_the_models_books(told: Evidence, forms: dict[str, Form]) -> None:
    few = replace(told, corpus=told.corpus[:3], conversations=())
    chain = [manifest("base", "", 0), manifest("injected", "base", 100, corpus=digest(few.corpus))]
    assert "| The Book | CC0 | 3 |" in hub_card(chain, few, forms["direct"], 64, "1")


def test_a_base_from_a_folder_tells_its_name_alone(forms: dict[str, Form]) -> None:
    base = replace(manifest("base", "", 0, source="of files"), parameters={"source": "/home/someone/models/small"})
    chain = [base, manifest("injected", "base", 100)]
    card = hub_card(chain, Evidence(), forms["direct"], 64, "1")
    assert "/home" not in card and "source: small" in card and "textbooks and small." in card
    assert "base_model:" not in card and public(base).parameters == {"source": "small"}
