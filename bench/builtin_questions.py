"""What the built-in teacher asks of a real book: `python bench/builtin_questions.py [SEED [FOLDER]]`, two minutes.

A copy of the project reads `REAL_BOOK` (default: `../shared/data/textbooks/pharmacology.pdf`) and asks the built-in
teacher about it. How many questions pass the gates is counted. Given a folder, 50 of them, drawn by the seed, are
written there: `questions.md` shows each as a judge should see it, with its passage and without the key, `keys.json`
has the keys. Whether a question is sound only a reader can say: docs/builtin_questions.md has what one said of 50.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path

import pandas as pd
from _project import BOOK, copy, put_on_shelf, ran

DRAWN = 50
WANTED = 1_000


def say(value: int | str, *, ok: bool | None) -> None:
    """Print the figure as a JSON line."""
    name = f"{BOOK.name}: questions of the built-in teacher that pass every gate"
    line = {"figure": name, "value": value, "unit": "questions", "goal": f">= {WANTED}", "peer": None, "ratio": None}
    print(json.dumps(line | {"ok": ok}), flush=True)


def shown(number: int, question: pd.Series, passage: str) -> str:
    """A question as a judge sees it."""
    options = "\n".join(f"- {option['key']}. {option['text']}" for option in question["options"])
    return f"## {number}\n\n{question['stem']}\n\n{options}\n\n> " + passage.replace("\n", "\n> ") + "\n"


def draw(questions: pd.DataFrame, data: Path, seed: int, folder: Path) -> None:
    """Write 50 questions, drawn by the seed, and their keys."""
    texts = pd.read_parquet(data / "03_primary/passages.parquet").set_index("passage_id")["text"]
    by_id = questions.set_index("question_id")
    ids = random.Random(seed).sample(sorted(by_id.index), DRAWN)
    folder.mkdir(parents=True, exist_ok=True)
    pages = [shown(n, by_id.loc[one], texts[by_id.loc[one, "passage_ids"][0]]) for n, one in enumerate(ids, start=1)]
    (folder / "questions.md").write_text("\n".join(pages), encoding="utf-8")
    keys = [
        {"number": n, "question_id": one, "key": list(by_id.loc[one, "answer_keys"])} for n, one in enumerate(ids, 1)
    ]
    (folder / "keys.json").write_text(json.dumps(keys, indent=1), encoding="utf-8")


def main() -> int:
    """The exit status: 0 if enough questions pass."""
    if not BOOK.exists():
        say("skipped", ok=None)
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = copy(Path(name))
        put_on_shelf(folder, BOOK)
        if not ran(folder, "--env", "own_books"):
            return 1
        data = folder / "data/own_books"
        questions = pd.concat(
            [pd.read_parquet(data / f"04_feature/{one}.parquet") for one in ("questions", "book_exam")]
        )
        if len(sys.argv) > 2:
            draw(questions, data, int(sys.argv[1]), Path(sys.argv[2]))
    say(len(questions), ok=len(questions) >= WANTED)
    return 0 if len(questions) >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
