"""Orders of options, and those that stay as they were published."""

from __future__ import annotations

from med_small_lm.benchmarks.permuting import is_permuted, order_of, published, shown
from med_small_lm.schemas.rows import Option, Question


def asked(*texts: str, right: str = "A") -> Question:
    options = [Option(key, text) for key, text in zip("ABCDEF", texts, strict=False)]
    return Question("q", "exam", "test", "single", "Which?", options, [right], "")


def test_every_option_stands_once_at_every_place() -> None:
    question = asked("x", "y", "z")
    orders = [order_of(question, number, 0) for number in range(5)]
    assert orders[:3] == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    assert all(sorted(order) == [0, 1, 2] for order in orders[3:])
    put = shown(question, orders[1])
    assert [option.text for option in put.options] == ["y", "z", "x"] and put.answer_keys == ["C"]
    assert published(question, orders[1], put.answer_keys) == ["A"]


def test_what_stands_for_all_or_none_keeps_its_place() -> None:
    question = asked("x", "y", "None of the above", "z")
    for number in range(9):
        order = order_of(question, number, 0)
        assert order[2] == 2 and sorted(order) == [0, 1, 2, 3]
    assert {order_of(question, number, 0)[0] for number in range(3)} == {0, 1, 3}
    assert is_permuted(question) and not is_permuted(asked("x", "All of the above"))


def test_options_that_name_others_by_letter_keep_the_published_order() -> None:
    for text in ("Both A and B", "a and c", "A, B and C", "Either A or B."):
        question = asked("x", "y", text, "None of the above")
        assert not is_permuted(question)
        assert {tuple(order_of(question, number, 0)) for number in range(9)} == {(0, 1, 2, 3)}
    assert is_permuted(asked("Vitamin A and B", "Vitamin C"))
