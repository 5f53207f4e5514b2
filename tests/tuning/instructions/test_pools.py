"""Instructions that many examples share are found, and each example gets one of their wordings, always the same."""

from __future__ import annotations

from collections import Counter

from med_small_lm.schemas.rows import Conversation, Instruction, Message
from med_small_lm.tuning.instructions.pools import Pools, shared_instructions


def paraphrase(instruction: str, text: str, name: str) -> Instruction:
    return Instruction(
        name, "paraphrase", "paraphrase", [Message("user", instruction), Message("assistant", text)], [], "own"
    )


def example(name: str, *asked: str) -> Conversation:
    said = [Message("system" if n == 0 and len(asked) > 1 else "user", text) for n, text in enumerate(asked)]
    return Conversation(name, "s", "m", [*said, Message("assistant", "Explain.")], ["p"], "", [], "own")


def record(name: str, source: str, *asked: str) -> Instruction:
    one = example(name, *asked)
    return Instruction(name, source, "alpaca", one.messages, [], f"licence of {source}")


def test_an_instruction_is_shared_if_all_records_of_a_set_have_it() -> None:
    one = [record(f"a{n}", "a", f"Answer truthfully.\n\nWhat is {n}?") for n in range(3)]
    two = [record(f"b{n}", "b", "Be brief.", f"What is {n}?") for n in range(3)]
    three = [record("c0", "c", "Name it."), record("c1", "c", "Say it."), record("d0", "d", "Alone.")]
    assert shared_instructions([*one, *two, *three]) == {
        "Answer truthfully.": "licence of a",
        "Be brief.": "licence of b",
    }


def test_each_wording_is_drawn_and_always_the_same_for_one_example() -> None:
    pools = Pools([paraphrase("Explain.", "Say why.", "w-1"), paraphrase("Explain.", "Give reasons.", "w-2")], 0)
    examples = [example(f"e{n}", "Explain.", "Why?") for n in range(300)]
    drawn = list(pools.worded(examples))
    counts = Counter(one.messages[0].content for one in drawn)
    assert set(counts) == {"Explain.", "Say why.", "Give reasons."} and min(counts.values()) > 70
    assert drawn == list(pools.worded(examples)) and drawn[7:9] == list(pools.worded(examples[7:9]))
    for one in drawn:
        told = {"Explain.": ["p"], "Say why.": ["p", "w-1"], "Give reasons.": ["p", "w-2"]}
        assert one.parent_ids == told[one.messages[0].content]
        assert one.messages[1].content == "Why?" and one.messages[2].content == "Explain."


def test_slots_are_filled_and_the_input_below_an_instruction_stays() -> None:
    told = paraphrase("How is {head} related to {tail}?", "What has {tail} to do with {head}?", "w-1")
    given = paraphrase("Answer truthfully.", "Tell the truth.", "w-2")
    pools = Pools([told, given], 0)
    worded = {
        one.messages[0].content
        for n in range(40)
        for one in pools.worded([example(f"e{n}", "How is the {gut} related to a+b?")])
    }
    assert worded == {"How is the {gut} related to a+b?", "What has a+b to do with the {gut}?"}
    worded = {
        one.messages[0].content
        for n in range(40)
        for one in pools.worded([example(f"e{n}", "Answer truthfully.\n\nWhat is it?\n\nAnd why?")])
    }
    assert worded == {f"{way}\n\nWhat is it?\n\nAnd why?" for way in ("Answer truthfully.", "Tell the truth.")}


def test_without_paraphrases_nothing_changes() -> None:
    examples = [example("e", "Explain.", "Why?")]
    assert list(Pools([], 0).worded(examples)) == examples
