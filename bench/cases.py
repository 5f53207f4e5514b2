"""Progressive cases: planted leaks and clean cases through the gates, and a case's order and split all the way.

The cases are made of sentences of the pocket books and, where ``../shared/data/textbooks`` is there, of three
textbooks. The peer is the naive check for leaks: eight words in a row of a right proposition, or all of it, in a later
stem or the vignette.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from _cases import KINDS, case, leaked, naive, sections  # noqa: E402
from _figures import say  # noqa: E402
from gates import library, made, prompt  # noqa: E402

from med_small_lm.params.generate_questions import Cases, QuestionGates  # noqa: E402
from med_small_lm.params.ingest_textbooks import IngestTextbooks  # noqa: E402
from med_small_lm.pocket.facts import read_facts  # noqa: E402
from med_small_lm.schemas.parquet import read_records, written_records  # noqa: E402
from med_small_lm.schemas.rows import Passage, Question  # noqa: E402
from med_small_lm.schemas.tables import to_frame, to_rows  # noqa: E402
from med_small_lm.synthesis.cases import case_requests, cases_from, cases_of  # noqa: E402
from med_small_lm.synthesis.gates.cases import sift_cases, sound_cases  # noqa: E402
from med_small_lm.synthesis.heldout import held_out_passages  # noqa: E402
from med_small_lm.teacher import builtin  # noqa: E402
from med_small_lm.textbooks.books import read_file  # noqa: E402
from med_small_lm.textbooks.documents import SourceFile  # noqa: E402

PLANTS = 60
SEEDS = range(3001, 3006)
BOOKS = ("anatomy_physiology", "nutrition", "pharmacology")
REAL = ROOT.parent / "shared/data/textbooks"


def books() -> list[Passage]:
    """The textbooks' passages, as far as they are there."""
    files = [REAL / f"{name}.pdf" for name in BOOKS if (REAL / f"{name}.pdf").is_file()]
    params = IngestTextbooks()
    return [p for file in files for p in read_file(SourceFile(file.stem, file, "CC-BY-4.0", "book"), params).passages]


def planted(
    shelves: Sequence[Sequence[Passage]], seed: int
) -> tuple[dict[str, list[Question]], dict[str, tuple[str, list[Question]]]]:
    """60 clean cases and 60 with a leak, by name, the latter with their kind; each from a section drawn by seed."""
    draw = random.Random(seed)
    pocket, real = shelves
    values = [fact.value for fact in read_facts(ROOT / "data/01_raw/pocket_facts.csv")]
    able = [sections(pocket, lambda one: one.book, values)]
    able += [sections(real, lambda one: f"{one.book} {one.section}")] if real else []
    clean: dict[str, list[Question]] = {}
    leaks: dict[str, tuple[str, list[Question]]] = {}
    for n in range(2 * PLANTS):
        one: list[Question] = []
        while not one:
            own = draw.choice(able[n // 2 % len(able)])
            one, keys = case(own, f"case-{n}", draw)
        if n % 2:
            kind = KINDS[n // 2 % len(KINDS)]
            leaks[one[0].case_id] = kind, leaked(one, keys, kind, draw)
        else:
            clean[one[0].case_id] = one
    return clean, leaks


def gated(cases: dict[str, list[Question]], passages: Sequence[Passage]) -> tuple[set[str], list[Question]]:
    """The names of the cases that are kept, and the records of those that are not."""
    params = Cases()
    every = [question for own in cases.values() for question in own]
    kept, rejected = sound_cases(every, passages, params, QuestionGates())
    return {question.case_id for question in kept}, rejected


def leak_figures(shelves: Sequence[Sequence[Passage]]) -> bool:
    """Whether no leak is kept and nearly all clean cases are, in the worst of the seeds."""
    passages = [passage for own in shelves for passage in own]
    through, lost, peer_through, peer_lost = [], [], [], []
    for seed in SEEDS:
        clean, leaks = planted(shelves, seed)
        kept, _ = gated({name: own for name, (_, own) in leaks.items()}, passages)
        through.append(len(kept))
        print({"seed": seed, "leaks kept": Counter(leaks[name][0] for name in kept)}, file=sys.stderr)
        kept, rejected = gated(clean, passages)
        lost.append(PLANTS - len(kept))
        for question in rejected:
            if question.gates[-1].gate != "case":
                print({"clean, stopped": question.gates[-1]}, file=sys.stderr)
        peer_through.append(sum(not naive(own) for _, own in leaks.values()))
        peer_lost.append(sum(naive(own) for own in clean.values()))
    name = f"progressive cases: planted leaks kept, of {PLANTS}, worst of {len(SEEDS)} seeds (peer: 8 words in a row)"
    good = say(name, max(through), "0", max(through) == 0, "cases", max(peer_through))
    share, peer = 1 - max(lost) / PLANTS, 1 - max(peer_lost) / PLANTS
    name = f"progressive cases: clean kept, of {PLANTS}, worst of {len(SEEDS)} seeds (peer: 8 words in a row)"
    return good & say(name, round(share, 4), ">= 0.95", share >= 0.95, "share", peer)


def whole_figures(passages: Sequence[Passage]) -> bool:
    """Whether the built-in teacher's cases keep their order and stay undivided through gates, file and split."""
    asked = case_requests(passages, [], prompt("case"), Cases(share=1.0))
    replies = [made(builtin.answer("case", one.request.slots)) for one in asked]
    held = held_out_passages(passages, 0.05, 0)
    drafts, _ = cases_from(asked, replies, held)
    order = {own[0].case_id: [question.question_id for question in own] for own in cases_of(drafts)}
    random.Random(0).shuffle(drafts)
    sound, _ = sound_cases(drafts, passages, Cases(), QuestionGates())
    kept, _ = sift_cases(sound, [], [], QuestionGates())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "cases.parquet"
        with written_records(file, Question) as write:
            write(to_frame(kept, Question).to_dict("records"))
        read = to_rows(read_records(file), Question)
    stood = {name: [q.question_id for q in read if q.case_id == name] for name in {q.case_id for q in read}}
    moved = sum(order[name] != own for name, own in stood.items())
    name = f"progressive cases: order changed by gates and Parquet, of {len(stood)} kept"
    good = say(name, moved, "0", bool(stood) and moved == 0, "cases")
    splits = [{(q.split, q.source) for q in read if q.case_id == name} for name in stood]
    divided = sum(len(own) > 1 for own in splits)
    one_by_one = random.Random(1)
    by_question = sum(len({one_by_one.random() < 0.3 for _ in own}) > 1 for own in stood.values())
    both = {split for own in splits for split, _ in own} == {"train", "test"}
    name = "progressive cases: divided between training and test (peer: split by question)"
    return good & say(name, divided, "0", both and divided == 0, "cases", by_question)


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    pocket, real = library(), books()
    good = leak_figures([pocket, real])
    return 0 if good & whole_figures(pocket) else 1


if __name__ == "__main__":
    sys.exit(main())
