"""A local encoder's vectors: their length, batches that change nothing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from med_small_lm.errors import UserError
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.schemas.rows import Option, Question
from med_small_lm.synthesis.gates.duplicates import duplicates
from med_small_lm.tuning import embedding
from med_small_lm.tuning.weights import save

WORDS = "which lack causes scurvy rickets what is lacking in of vitamin c d the a deficiency iron gout".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT."""
    path = tmp_path_factory.mktemp("encoder")
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    words = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]")
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=32, **shape))
    save(model, tokenizer, path)
    return path


def test_vectors_have_length_one_and_a_batch_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["which lack causes scurvy", "gout", "what is lacking in rickets " * 20, "iron deficiency"]
    together = embedding.embedder(folder)(texts)
    assert together.shape == (4, 16) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    monkeypatch.setattr(embedding, "BATCH", 1)
    assert np.allclose(together, embedding.embedder(folder)(texts), atol=1e-5)
    assert embedding.embedder(folder)([]).shape == (0, 16)


def question(name: str, stem: str, right: str) -> Question:
    options = [Option(key, text) for key, text in zip("AB", (right, f"other {name}"), strict=True)]
    return Question(name, "b", "train", "single", stem, options, ["A"], right)


def test_near_questions_are_duplicates_where_a_model_is_given(folder: Path) -> None:
    asked = [
        question("q1", "which deficiency causes the scurvy", "vitamin c"),
        question("q2", "what lack is in rickets", "vitamin d"),
        question("q3", "the scurvy which causes deficiency", "vitamin c"),
    ]
    params = QuestionGates(duplicate_cosine=0.9)
    assert [said.verdict for said in duplicates(asked, params)] == ["pass", "pass", "pass"]
    vectors = {"q1": [1, 0], "q2": [0, 1], "q3": [0.95, (1 - 0.95**2) ** 0.5]}
    said = duplicates(asked, params, lambda texts: np.array(list(vectors.values()), dtype=np.float32))
    assert [one.verdict for one in said] == ["pass", "pass", "fail"]
    assert said[2].value == pytest.approx(0.95) and said[2].reason == "asks the same as q1"
    real = duplicates(asked, QuestionGates(duplicate_cosine=0.2), embedding.embedder(folder))
    assert "fail" in {one.verdict for one in real}


@pytest.mark.parametrize("content", [{}, {"config.json": "{}"}, {"pytorch_model.bin": "x", "config.json": "{"}])
def test_what_is_no_encoder_is_one_line(tmp_path: Path, content: dict[str, str]) -> None:
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match="duplicate_model: no model can be read from") as told:
        embedding.embedder(tmp_path)
    assert "\n" not in told.value.message
