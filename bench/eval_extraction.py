"""How many of 150 replies are read as a careful reader does, beside two filters that evaluations use.

The replies stand in tests/answers/replies.py, each with its state and its keys; more_replies.py has further ones. A
peer names a letter or nothing; it is right where it names the one letter that the reply gives, or nothing where the
reply gives no answer.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from _figures import say  # noqa: E402
from tests.answers.more_replies import MORE_CASES  # noqa: E402
from tests.answers.replies import CASES, Case  # noqa: E402

from med_small_lm.answers.extraction import extract  # noqa: E402
from med_small_lm.answers.forms import Form  # noqa: E402

FORM = Form("explain", "", "listed", "The answer is", letters=True)


def read_right(case: Case) -> bool:
    """Whether state and keys are the expected ones."""
    read = extract(case.text, case.shape.options, FORM, kind=case.shape.kind, truncated=case.cut)
    return (read.state, "".join(read.keys)) == (case.state, case.keys)


def first_letter(text: str) -> str:
    """The first capital that stands alone: the filter of many scripts."""
    found = re.search(r"\b([A-E])\b", text)
    return found[1] if found else ""


def phrase_filter(text: str) -> str:
    """The letter behind "answer is", as lm-evaluation-harness's regex filter takes it in MMLU-Pro; else invalid."""
    found = re.search(r"answer is \(?([ABCDEFGHIJ])\)?", text)
    return found[1] if found else ""


def share_right(peer: Callable[[str], str], cases: list[Case]) -> float:
    """The share of replies that a peer reads rightly, by their keys alone."""
    return sum(peer(case.text) == case.keys for case in cases) / len(cases)


def say_table(table: str, cases: list[Case]) -> bool:
    """Says how many replies of a table are read rightly, here and by the peers; whether all are."""
    wrong = [case for case in cases if not read_right(case)]
    for case in wrong:
        print(f"{case.group}: {case.text!r} is no {case.state} {case.keys}", file=sys.stderr)
    print({"groups": Counter(case.group for case in cases)}, file=sys.stderr)
    share, good = 1 - len(wrong) / len(cases), True
    for name, peer in (("first letter", first_letter), ("lm-evaluation-harness's phrase filter", phrase_filter)):
        other = share_right(peer, cases)
        what = f"{table} read rightly, state and keys (peer: {name}, keys alone)"
        good &= say(what, share, "1", share == 1, "share", other, share / other)
    return good


def main() -> int:
    """0 if all are read rightly."""
    n = len(CASES)
    good = say("replies in the table", n, ">= 150", n >= 150, "replies")
    good &= say_table("replies", CASES)
    good &= say_table(f"{len(MORE_CASES)} further replies", MORE_CASES)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
