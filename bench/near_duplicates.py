"""Figures of near-duplicates across books: `python bench/near_duplicates.py`.

100,000 passages of recombined sentences of the pocket textbooks, in 1,000 books. A tenth of them stand in a second book
too, set otherwise (hyphens, marks, articles, line breaks, figure numbers); another tenth with one word or number
changed, which must not be merged. The peer is MinHash with the Jaccard similarity alone, as corpora are usually
deduplicated.
"""

from __future__ import annotations

import hashlib
import random
import re
import resource
import sys
import time
from pathlib import Path

from _figures import say

from med_small_lm.overlap.duplicates import link_duplicates
from med_small_lm.overlap.minhash import repeats
from med_small_lm.params.ingest_textbooks import Duplicates, IngestTextbooks
from med_small_lm.schemas.rows import Passage
from med_small_lm.textbooks.books import read_file
from med_small_lm.textbooks.documents import SourceFile

BOOKS = Path(__file__).resolve().parents[1] / "data/01_raw/textbooks"
PARAMS = Duplicates()
N = 100_000


def pocket() -> list[Passage]:
    """The passages of the 18 pocket textbooks."""
    files = sorted(BOOKS.glob("*.pdf"))
    return [p for file in files for p in read_file(SourceFile(file.stem, file, "CC0"), IngestTextbooks()).passages]


def passage(book: str, ordinal: int, text: str) -> Passage:
    """A passage of a book."""
    sha = hashlib.sha256(f"{book} {text}".encode()).hexdigest()
    return Passage(sha[:16], book, ordinal, "", 1, 1, text, len(text.split()), sha, "CC0")


def set_otherwise(text: str, draw: random.Random) -> str:
    """The same text as another edition or format gives it."""
    words = [word for word in text.split(" ") if word != "the" or draw.random() < 0.7]
    place = next((n for n, word in enumerate(words) if len(word) > 9 and word.isalpha()), 0)
    words[place] = f"{words[place][:4]}-{words[place][4:]}" if len(words[place]) > 9 else words[place]
    return " ".join(words).replace(". ", f" (Figure {draw.randrange(1, 30)}.{draw.randrange(1, 9)}).\n", 1)


def changed(text: str, draw: random.Random) -> str:
    """The text with another fact: one number or one word is another."""
    numbers = list(re.finditer(r"\d+", text))
    if numbers:
        found = draw.choice(numbers)
        return f"{text[: found.start()]}{int(found.group()) + 1}{text[found.end() :]}"
    words = text.split(" ")
    place = draw.choice([n for n, word in enumerate(words) if len(word) > 5 and word.isalpha()])
    words[place] = "decreases" if words[place] != "decreases" else "increases"
    return " ".join(words)


def shelf(texts: list[str], draw: random.Random) -> tuple[list[Passage], set[str], set[str]]:
    """The passages, the ids of those that stand twice, and the ids of those that only look so."""
    sentences = sorted({s.strip() + "." for text in texts for s in text.split(".") if len(s.split()) > 5})
    own = [passage(f"book-{n // 125}", n % 125, " ".join(draw.sample(sentences, 5))) for n in range(N - 2 * (N // 10))]
    picked = draw.sample(range(len(own)), 2 * (N // 10))
    copies = [passage("edition", n, set_otherwise(own[place].text, draw)) for n, place in enumerate(picked[: N // 10])]
    others = [passage("other", n, changed(own[place].text, draw)) for n, place in enumerate(picked[N // 10 :])]
    return [*own, *copies, *others], {p.passage_id for p in copies}, {p.passage_id for p in others}


def library(passages: list[Passage], copies: set[str], others: set[str]) -> bool:
    """What is linked of a library, in which time and memory."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    _, gone = link_duplicates(passages, PARAMS.threshold, PARAMS.shingle, PARAMS.permutations)
    spent = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    linked = {one.passage.passage_id for one in gone}
    plain = repeats([p.text for p in passages], PARAMS.threshold or 1.0, PARAMS.shingle, PARAMS.permutations)
    merged = {p.passage_id for n, p in enumerate(passages) if plain[n].first != n}
    found, wrong = len(linked & copies) / len(copies), len(linked - copies)
    good = say(f"{N:,} passages, near-duplicates linked in", round(spent, 1), "<= 60 s", spent <= 60, "s")
    good &= say(f"{N:,} passages, memory that this takes", round(grown), "<= 700 MB", grown <= 700, "MB")
    name = f"copies set otherwise that are found, of {len(copies):,}"
    good &= say(name, found, ">= 0.97", found >= 0.97, "share", len(merged & copies) / len(copies))
    name = f"passages that say something else but are linked, of {len(passages) - len(copies):,}"
    return good & say(name, wrong, "0", wrong == 0, "passages", len(merged - copies))


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    own = pocket()
    linked = len(link_duplicates(own, PARAMS.threshold, PARAMS.shingle, PARAMS.permutations)[1])
    plain = sum(found.first != n for n, found in enumerate(repeats([p.text for p in own], 0.8, PARAMS.shingle)))
    name = f"passages of the 18 pocket textbooks that are linked, of {len(own)}"
    good = say(name, linked, "0", linked == 0 and len(own) > 700, "passages", plain)
    return 0 if library(*shelf([p.text for p in own], random.Random(0))) & good else 1


if __name__ == "__main__":
    sys.exit(main())
