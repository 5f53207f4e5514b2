"""Names by a model of the user's own: a token classifier whose weights are set so that it knows three names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

from med_small_lm.errors import UserError
from med_small_lm.pipelines.synthesize_cot.privacy import private_gate
from med_small_lm.tuning.names import namer

WORDS = "[PAD] [UNK] mrs . has a cough and il ##ler mil dupont jean , since years".split()
NAMES = ("mil", "##ler", "dupont", "jean")
WIDE = 16


def save(folder: Path, labels: dict[int, str]) -> Path:
    """A classifier of one token at a time: the embedding of a name points at the label of persons."""
    core = Tokenizer(WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    core.normalizer, core.pre_tokenizer = Lowercase(), BertPreTokenizer()
    tokens = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", model_max_length=WIDE)
    tokens.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=0, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=WIDE, id2label=labels, label2id={name: n for n, name in labels.items()},
    )  # fmt: skip
    model = BertForTokenClassification(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1.0)
        table = model.bert.embeddings.word_embeddings.weight
        table[:, 0] = 1.0
        for word in NAMES:
            table[WORDS.index(word), :2] = torch.tensor([0.0, 1.0])
        model.classifier.weight[0, 0] = model.classifier.weight[1, 1] = 1.0
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("names"), {0: "O", 1: "B-PER"})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Mrs. Miller has a cough.", ["Miller"]),
        ("Jean Dupont, Mrs. Miller", ["Jean Dupont", "Miller"]),
        ("A cough since years.", []),
        ("", []),
        ("a cough and " * 30 + "Dupont has a cough", ["Dupont"]),  # longer than the model is wide
    ],
)
def test_names_are_found_as_whole_words_however_long_the_text(model: Path, text: str, names: list[str]) -> None:
    assert [text[start:end] for start, end in namer(model)(text)] == names


def test_the_gate_stops_names_and_the_report_says_by_which_model(model: Path) -> None:
    gate, looked_for = private_gate(model)
    said = gate(["Mrs. Miller has a cough.", "Call 555-123-4567."])
    assert said.verdict == "fail" and said.reason == "name 1, telephone 1" and f"names by {model}" in looked_for
    gate, looked_for = private_gate(None)
    assert gate(["Mrs. Miller has a cough."]).verdict == "pass" and "names have no form" in looked_for


def test_a_folder_that_is_no_model_of_names_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="names_model: no model can be read from"):
        private_gate(tmp_path)
    with pytest.raises(UserError, match="none of the labels O, B-LOC is a person's"):
        private_gate(save(tmp_path / "places", {0: "O", 1: "B-LOC"}))


def test_pickled_weights_are_not_read(model: Path, tmp_path: Path) -> None:
    folder = save(tmp_path / "pickled", {0: "O", 1: "B-PER"})
    torch.save(BertForTokenClassification.from_pretrained(folder).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="names_model: no model can be read from"):
        namer(folder)
