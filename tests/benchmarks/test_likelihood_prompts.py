"""Questions as texts and tokens: the formats of others to the letter, and examples drawn the same for all."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from med_small_lm.benchmarks.likelihood import option_scores
from med_small_lm.benchmarks.models import CheckpointError, load
from med_small_lm.benchmarks.prompts import (
    LAYOUTS,
    Asked,
    ChatPrompts,
    PlainPrompts,
    draw_shots,
    first_shots,
    solved,
    variant_of,
)
from med_small_lm.schemas.rows import Option


def test_plain_layouts_to_the_letter(make_question: Any) -> None:
    question = make_question(1, "Which is it?", ["one", "two"], "B", context="It was seen.\nTwice.", subject="a_b")
    bare = replace(question, context="")
    texts = {name: PlainPrompts(layout, "letter").texts(bare) for name, layout in LAYOUTS.items()}
    assert texts["medqa"][0] == "Question: Which is it?\nA. one\nB. two\nAnswer:"
    assert texts["medqa"][1:] == [texts["medqa"][0] + " A", texts["medqa"][0] + " B"]
    assert texts["medmcqa"][0] == "Question: Which is it?\nChoices:\nA. one\nB. two\nAnswer:"
    opening = "The following are multiple choice questions (with answers) about a b.\n\n"
    assert texts["mmlu"][0] == opening + "Which is it?\nA. one\nB. two\nAnswer:"
    abstract = PlainPrompts(LAYOUTS["pubmedqa"]).texts(question)
    assert abstract[0] == "Abstract: It was seen.\nTwice.\nQuestion: Which is it?\nAnswer:"
    assert abstract[2] == abstract[0] + " two"


def test_plain_examples_stand_before_the_question(make_question: Any) -> None:
    shot, question = make_question(1, "First?", ["one", "two"], "B"), make_question(2, "Second?", ["x", "y"])
    other, shot, question = (
        replace(one, subject=s) for one, s in ((question, "x"), (shot, "anatomy"), (question, "anatomy"))
    )
    letters = PlainPrompts(LAYOUTS["mmlu"], "letter", (other, shot)).texts(question)[0]
    assert letters.endswith("about anatomy.\n\nFirst?\nA. one\nB. two\nAnswer: B\n\nSecond?\nA. x\nB. y\nAnswer:")
    words = PlainPrompts(LAYOUTS["medqa"], "option_text", (shot,)).texts(question)[0]
    assert words == "Question: First?\nAnswer: two\n\nQuestion: Second?\nAnswer:"


def test_chat_examples_are_turns(tokenizer: Any, make_question: Any, forms: Any) -> None:
    shot, question = make_question(1, "First?", ["one", "two"], "B"), make_question(2, "Second?", ["x", "y"])
    (asked,) = ChatPrompts(forms["direct"], "letter", (shot,)).ask(tokenizer, [question])
    assert tokenizer.decode(asked.prompt + asked.replies[1]) == (
        "<s><system>Answer.<user>First? (A) one (B) two<assistant>The answer is (B) two.</s>"
        "<user>Second? (A) x (B) y<assistant>The answer is (B"
    )
    assert [tokenizer.decode(tail) for tail in asked.tails] == ["A", "B"]


class Merging:
    """A tokenizer of characters that merges "b " at a seam, and begins each text with 0."""

    def __call__(self, texts: list[str], **_: Any) -> dict[str, Any]:
        ids = [[0, *map(ord, text.replace(": ", ":"))] for text in texts]
        return {"input_ids": ids}


def test_plain_replies_are_cut_off_by_number_as_the_harness_does(make_question: Any) -> None:
    """Whatever the seam merges: the prompt is the tokens of its own text."""
    question = make_question(1, "Q", ["xy", "z"])
    (asked,) = PlainPrompts(LAYOUTS["medqa"]).ask(Merging(), [question])
    assert "".join(map(chr, asked.prompt[1:])) == "Question:Q\nAnswer:" and asked.prompt[0] == 0
    assert ["".join(map(chr, reply)) for reply in asked.replies] == ["xy", "z"]


def test_plain_white_space_at_the_end_goes_to_the_reply(make_question: Any) -> None:
    layout = replace(LAYOUTS["medqa"], cue="So \n ")
    prompt, whole, _ = PlainPrompts(layout).texts(make_question(1, "Q", ["xy", "z"]))
    assert prompt == "Question: Q\nSo" and whole == "Question: Q\nSo \n  xy"


def test_chat_split_never_cuts_a_token_that_spans_the_seam() -> None:
    class Joining:
        """Merges the prompt's last character with the reply's first."""

        def apply_chat_template(self, *_: Any, **__: Any) -> str:
            return "ab "

        def __call__(self, texts: list[str], **_: Any) -> dict[str, Any]:
            return {"input_ids": [[1, 2, 9] if text == "ab " else [1, 2, 7, 8, len(text)] for text in texts]}

    form = SimpleNamespace(messages=lambda *_: [], answer=lambda option: option.text)
    question = SimpleNamespace(options=[Option("A", "x"), Option("B", "yy")])
    assert ChatPrompts(form).ask(Joining(), [question]) == [Asked([1, 2], [[7, 8, 4], [7, 8, 5]])]  # type: ignore[arg-type, list-item]


def test_what_options_share_and_what_parts_them() -> None:
    asked = Asked([1, 2], [[3, 4], [3, 4, 5], [3, 6]])
    assert (asked.shared, asked.row, asked.tails) == ([3], [1, 2, 3], [[4], [4, 5], [6]])
    assert asked.longest == 4


def test_shots_are_drawn_by_seed_and_never_what_is_asked(make_question: Any) -> None:
    examples = [make_question(number, f"Stem {number}?", ["x", "y"]) for number in range(20)]
    many = replace(examples[0], stem="Which are?", answer_keys=["A", "B"])
    fit = solved([*examples, many], asked=examples[:10])
    assert fit == examples[10:]
    drawn = draw_shots(fit, 5, 0)
    assert drawn == draw_shots(fit, 5, 0) != draw_shots(fit, 5, 1)
    assert len({one.stem for one in drawn}) == 5 and len(draw_shots(fit, 10, 0)) == 10
    assert draw_shots(fit, 11, 0) == ()


def test_each_subjects_first_examples(make_question: Any) -> None:
    dev = [make_question(n, f"Stem {n}?", ["x", "y"], subject="ab"[n % 2]) for n in range(5)]
    assert first_shots(dev, 2, ["b", "a", "b"]) == (dev[0], dev[2], dev[1], dev[3])
    assert first_shots(dev, 3, ["a", "b"]) == () and first_shots(dev, 3, ["a"]) == (dev[0], dev[2], dev[4])


def test_a_base_model_without_a_template_is_asked_in_plain_text(
    model: Any, tokenizer: Any, questions: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tokenizer, "chat_template", None)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="no chat template"):
        load(tmp_path)
    found = option_scores(*load(tmp_path, chat=False), questions, PlainPrompts(LAYOUTS["medqa"]), batch_tokens=999)
    assert all(found)


def test_variants() -> None:
    assert variant_of("option_text", 0) == "option_text/0-shot"
    assert variant_of("letter", 5, layout="mmlu") == "letter/5-shot/plain-mmlu"
    assert variant_of("option_text", 0, "length") == "option_text-length/0-shot"
