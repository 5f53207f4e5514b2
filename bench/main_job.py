"""The main job's figures: `python bench/main_job.py [FIGURE ...]`, all of them if none is named.

Needs two cores and about 80 minutes. Every chain runs in a fresh clone of the last commit, so nothing of yours is used
or touched; `clone` and `bundle` take clones of their own. `contamination` and `lineage` look at the run that is there,
or make one. `real_input` takes a book by `REAL_BOOK=path/to/book.pdf` (default:
`../shared/data/textbooks/nutrition.pdf`) and says "skipped" without one. `BENCH_FOLDER` keeps the clone for more.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from _figures import say

ROOT = Path(__file__).resolve().parents[1]
WORK = Path(os.environ.get("BENCH_FOLDER") or tempfile.mkdtemp(prefix="bench-")) / "clone"
DATA = WORK / "data"
KEDRO = [sys.executable, "-m", "kedro"]
LIKELIHOOD, GENERATION = "option_text/0-shot", "explain/0-shot"
FIGURES: dict[str, Callable[[], bool]] = {}


def figure(function: Callable[[], bool]) -> Callable[[], bool]:
    """Register a figure under its function's name."""
    FIGURES[function.__name__] = function
    return function


def run(command: list[str], cwd: Path = WORK, **environment: str) -> tuple[int, str, float]:
    """Exit code, output and seconds of a command; CI is unset in its environment."""
    env = {k: v for k, v in os.environ.items() if k != "CI"} | {"PYTHONPATH": str(cwd / "src")} | environment
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)
    return done.returncode, done.stdout, seconds


def chain(*options: str) -> tuple[int, str, float]:
    """The default pipeline, every connection but loopback's refused and written down."""
    guard = WORK.parent / "guard"
    guard.mkdir(exist_ok=True)
    spec = importlib.util.spec_from_file_location("project_tests", ROOT / "tests/conftest.py")
    assert spec is not None and spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    (guard / "sitecustomize.py").write_text(tests.GUARD, encoding="utf-8")
    path = os.pathsep.join([str(guard), str(WORK / "src")])
    return run([*KEDRO, "run", *options], PYTHONPATH=path, SOCKET_LOG=str(guard / "log"))


def finished_run() -> bool:
    """Whether the default chain has been run; it is run if not."""
    return (DATA / "08_reporting/scores.parquet").exists() or chain()[0] == 0


def read(name: str, env: str = "") -> pd.DataFrame:
    """A Parquet file of ``data/``."""
    return pd.read_parquet(DATA / env / f"{name}.parquet")


def accuracy(model: str, variant: str, exam: str = "pocket_exam", env: str = "") -> pd.Series[Any]:
    """One line of ``scores``."""
    scores = read("08_reporting/scores", env)
    picked = scores[
        (scores.model == model) & (scores.benchmark == exam) & (scores.variant == variant) & (scores.subset == "all")
    ]
    return picked.iloc[0]


def shown(score: pd.Series[Any]) -> str:
    """A score with its interval."""
    return f"{score.value:.3f} [{score.ci_low:.3f}, {score.ci_high:.3f}] n={score.n} unparsed={score.n_unparsed}"


def folded(text: str) -> str:
    """Text as one run of lower-case words with a space at either end."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return f" {re.sub(r'[^a-z0-9]+', ' ', plain).strip()} "


def exam(split: str = "test") -> list[dict[str, Any]]:
    """The pocket exam's questions of one split."""
    lines = (DATA / "01_raw/benchmarks/pocket_exam.jsonl").read_text(encoding="utf-8").splitlines()
    return [item for item in map(json.loads, lines) if item["split"] == split]


def facts() -> list[dict[str, str]]:
    """The rows of the fact table."""
    with (DATA / "01_raw/pocket_facts.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def subject_of(stem: str, names: list[str]) -> str:
    """The subject that a stem names: the longest of the table's names that stands in it."""
    return max((name for name in names if folded(name) in folded(stem)), key=len)


@contextmanager
def fresh_clone() -> Iterator[Path]:
    """The last commit in a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
        if (ROOT.parent / "shared").exists():
            (Path(folder) / "shared").symlink_to(ROOT.parent / "shared")
        yield target


def seconds_of_run(output: str) -> float:
    """What the run's closing line says."""
    return float(re.findall(r"Done in (\d+) s", output)[-1])


def seconds_of_evaluation(output: str) -> int:
    """The seconds that a run's log gives to the nodes of the evaluation, each up to the beginning of the next."""
    from med_small_lm.pipelines.evaluate import create_pipeline

    names = {node.name for node in create_pipeline(["pocket_exam", "pocket_general"]).nodes}
    lines = re.findall(r"(\d\d):(\d\d):(\d\d) INFO .*hooks: (?:\d+ of \d+: (\S+)|Done in)", output)
    starts = [(3600 * int(h) + 60 * int(m) + int(s), name) for h, m, s, name in lines]
    return sum(
        (end - begin) % 86_400 for (begin, name), (end, _) in zip(starts, starts[1:], strict=False) if name in names
    )


@figure
def clone() -> bool:
    """`make demo` and `make test` in a fresh clone; the set-up that either does is timed once."""
    with fresh_clone() as folder:
        code, _, setting_up = run(["make", "set-up"], folder)
        say("fresh clone: set-up alone", round(setting_up), "works", code == 0, "s")
        code, output, _ = run(["make", "demo"], folder)
        took = seconds_of_run(output) if code == 0 else float("nan")
        good = say("fresh clone, make demo: the run", took, "<= 360 s", code == 0 and took <= 360, "s")
        asked = seconds_of_evaluation(output)
        good &= say("of it the whole evaluation", asked, "<= 60 s", code == 0 and asked <= 60, "s")
        code, output, testing = run(["make", "test"], folder)
        print("\n".join(output.strip().splitlines()[-3:]), file=sys.stderr)
        wall = round(setting_up + testing)
        return say("fresh clone, make test with set-up", wall, "<= 720 s", code == 0 and wall <= 720, "s") and good


@figure
def bundle() -> bool:
    """The same two from the bundle, in a network namespace that has no network."""
    good = True
    with fresh_clone() as folder:
        code, _, _ = run(["make", "bundle"], folder)
        archive = next((folder / "dist").glob("*-bundle.tar*"), None)
        if code or archive is None:
            return say("bundle without a network", "make bundle failed", "pass", False)
        place = folder.parent / "unpacked"
        place.mkdir()
        shutil.unpack_archive(archive, place) if archive.suffix != ".tar" else subprocess.run(
            ["tar", "-xf", str(archive), "-C", str(place)], check=True
        )
        (inside,) = list(place.iterdir())
        for target in ("demo", "test"):
            alone = ["unshare", "-n", "sh", "-c", f"ip link set lo up 2>/dev/null; make {target}"]
            code, _, wall = run(alone, inside)
            good &= say(f"bundle, no network, make {target}", round(wall), "passes", code == 0, "s")
    return good


@figure
def seeds() -> bool:
    """Three seeds of the default run, the tuned model; options alone; the last one is seed 0."""
    likelihood, generation, hidden, lines = [], [], [], []
    for seed in (2, 1, 0):
        code, output, _ = chain("--params", f"seed={seed}")
        if code:
            return say(f"default run, seed {seed}", "failed", "works", False)
        chosen, written, control = (accuracy("tuned", v) for v in (LIKELIHOOD, GENERATION, "stem_hidden/0-shot"))
        lines.append(
            f"seed {seed}: likelihood {shown(chosen)}; generation {shown(written)}; run {seconds_of_run(output):.0f} s"
        )
        print(lines[-1], file=sys.stderr)
        (
            likelihood.append(float(chosen.value)),
            generation.append(float(written.value)),
            hidden.append(float(control.value)),
        )
        unparsed = int(written.n_unparsed)
    mean, least = statistics.mean(likelihood), min(likelihood)
    base = accuracy("base", LIKELIHOOD)
    good = say("pocket exam, tuned, likelihood, mean of 3 seeds", mean, ">= 0.85", mean >= 0.85, peer=float(base.value))
    good &= say("pocket exam, tuned, likelihood, minimum of 3 seeds", least, ">= 0.80", least >= 0.80)
    written_mean = statistics.mean(generation)
    name = (
        f"pocket exam, tuned, generation, mean of 3 seeds (minimum {min(generation):.3f}, seed 0: {unparsed} unparsed)"
    )
    good &= say(name, written_mean, ">= 0.70", written_mean >= 0.70)
    good &= say("options only, tuned, most of 3 seeds", max(hidden), "<= 0.32", max(hidden) <= 0.32)
    log = WORK.parent / "guard/log"
    tried = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    print("\n".join(sorted(set(tried))), file=sys.stderr)
    return good & say("the three runs, CI unset, sockets guarded: connections but loopback", len(tried), "0", not tried)


@figure
def ablation() -> bool:
    """Without injection and replay: same tuning steps and seed."""
    code, _, _ = run([*KEDRO, "proof", "ablation"])
    if code:
        return say("without injection and replay", "failed", "<= 0.45", False)
    with_books, without = accuracy("tuned", LIKELIHOOD), accuracy("tuned", LIKELIHOOD, env="without_books")
    value = float(without.value)
    return say("without injection and replay", value, "<= 0.45", value <= 0.45, peer=float(with_books.value))


@figure
def counterfactual() -> bool:
    """40 facts changed in the books: do the answers follow?"""
    code, output, _ = run([*KEDRO, "proof", "counterfactual"])
    if code:
        return say("counterfactual", "failed", ">= 0.70", False)
    print(output[-900:], file=sys.stderr)
    sides = pd.read_csv(DATA / "08_reporting/proof_counterfactual.csv")
    share = {(row.label, row.mode): row for row in sides.itertuples()}
    follow = share["changed facts: changed books, new key", "likelihood"]
    before = share["unchanged facts: books as they were", "likelihood"]
    after = share["unchanged facts: changed books", "likelihood"]
    whole = accuracy("tuned", LIKELIHOOD)
    within = whole.ci_low <= after.share <= whole.ci_high
    name = f"counterfactual: answers that follow the change, of {follow.n}"
    good = say(name, float(follow.share), ">= 0.70", follow.share >= 0.70)
    goal = f"in [{whole.ci_low:.3f}, {whole.ci_high:.3f}]"
    return good & say(
        "counterfactual: unchanged facts", float(after.share), goal, bool(within), peer=float(before.share)
    )


@figure
def contamination() -> bool:
    """Exam facts in training records by a check of its own, and planted questions that share only the wording."""
    if not finished_run():
        return say("contamination", "the run failed", "0", False)
    names = sorted({row["subject"] for row in facts()})
    items = [
        (folded(subject_of(item["stem"], names)), folded(item["answer_text"]), item["question_id"]) for item in exam()
    ]
    rationales = read("04_feature/rationales").groupby("question_id").text.agg(" ".join)
    hit = set()
    for row in read("04_feature/questions").itertuples():
        parts = [row.stem, *(o["text"] for o in row.options), *(q["text"] for q in row.quotes)]
        text = folded(" . ".join([*parts, rationales.get(row.question_id, "")]))
        hit |= {name for subject, answer, name in items if subject in text and answer in text}
    for row in read("05_model_input/conversations").itertuples():
        text = folded(" ".join(message["content"] for message in row.messages))
        hit |= {name for subject, answer, name in items if subject in text and answer in text}
    good = say(f"exam items whose fact stands in a training record, of {len(items)}", len(hit), "0", not hit)
    survived = planted()
    return good & say(
        "planted questions that share only the wording, survivors of 200", survived, ">= 0.95", survived >= 0.95
    )


def planted(n: int = 200, seed: int = 0) -> float:
    """The share of planted questions that the gate lets through."""
    from med_small_lm.benchmarks.items import read_questions
    from med_small_lm.overlap.documents import question_document
    from med_small_lm.schemas.rows import Option, Question
    from med_small_lm.synthesis.heldout import guards_of

    draw, table = random.Random(seed), facts()
    questions, _ = read_questions(DATA / "01_raw/benchmarks/pocket_exam.jsonl")
    guards, names = guards_of(questions), sorted({row["subject"] for row in table})
    asked = {subject_of(item["stem"], names) for item in exam()}
    free, made = [row for row in table if row["subject"] not in asked], []
    values = {(row["subject"], row["attribute"]): row["value"] for row in table}
    kinds = {row["subject"]: row["kind"] for row in table}
    while len(made) < n:
        item = draw.choice(exam())
        subject = subject_of(item["stem"], names)
        attribute = next((a for (s, a), v in values.items() if s == subject and v == item["answer_text"]), None)
        others = [r for r in free if r["kind"] == kinds[subject] and r["attribute"] == attribute]
        if not others or subject not in item["stem"]:
            continue
        other = draw.choice(others)
        wrong = sorted(
            {r["value"] for r in table if (r["kind"], r["attribute"]) == (kinds[subject], attribute)} - {other["value"]}
        )
        texts = [other["value"], *draw.sample(wrong, 3)]
        options = [Option(key, text) for key, text in zip("ABCD", texts, strict=True)]
        stem = item["stem"].replace(subject, other["subject"])
        made.append(
            Question(f"planted-{len(made)}", "planted", "train", "single", stem, options, ["A"], other["value"])
        )
    return sum(not any(guard.hits(question_document(q)) for guard in guards) for q in made) / n


@figure
def lineage() -> bool:
    """PDFs with a path to ``scores`` in what kedro-viz serves, and training records back on their pages."""
    if not finished_run():
        return say("lineage", "the run failed", "18 of 18", False)
    port = "4199"
    server = subprocess.Popen(
        [*KEDRO, "viz", "run", "--no-browser", "--host", "127.0.0.1", "--port", port], cwd=WORK,
        env=os.environ | {"PYTHONPATH": str(WORK / "src")}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        graph = served(f"http://127.0.0.1:{port}/api/main")
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # kedro-viz serves from a process of its own
        server.wait()
    names = {node["id"]: node.get("full_name") or node["name"] for node in graph["nodes"]}
    onward: dict[str, set[str]] = {}
    for edge in graph["edges"]:
        onward.setdefault(edge["source"], set()).add(edge["target"])
    scores = next(key for key, name in names.items() if name == "scores")
    books = {path.stem for path in (DATA / "01_raw/textbooks").glob("*.pdf")}
    pdfs = [key for key, name in names.items() if name in {f"ingest_textbooks.{book}.pdf" for book in books}]
    arrive = sum(reaches(pdf, scores, onward) for pdf in pdfs)
    good = say(
        "PDFs with a path to scores in kedro-viz", f"{arrive} of {len(pdfs)}", "18 of 18", arrive == len(pdfs) == 18
    )
    found = on_their_pages(200)
    return good & say(
        "training records whose passages resolve and stand on their page", f"{found} of 200", "200", found == 200
    )


def served(address: str, patience: float = 90) -> dict[str, Any]:
    """The JSON at a loopback address, as soon as its server answers."""
    until = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def reaches(start: str, goal: str, onward: dict[str, set[str]]) -> bool:
    """Whether a path leads from one node to another."""
    seen, open_ends = {start}, [start]
    while open_ends:
        new = onward.get(open_ends.pop(), set()) - seen
        seen |= new
        open_ends += new
    return goal in seen


def on_their_pages(n: int) -> int:
    """How many of ``n`` sampled conversations have passages that resolve and begin on the page that they name."""
    import pymupdf

    passages = read("03_primary/passages").set_index("passage_id")
    sample = read("05_model_input/conversations").sample(n, random_state=0)
    squeezed = lambda text: re.sub(r"[\s\-\u00ad\u2010|]", "", text)  # noqa: E731
    good = 0
    for row in sample.itertuples():
        right = len(row.passage_ids) > 0
        for name in row.passage_ids:
            passage = passages.loc[name]
            with pymupdf.open(DATA / f"01_raw/textbooks/{passage.book}.pdf") as book:
                page = squeezed(book[int(passage.page_first) - 1].get_text())
            right &= squeezed(" ".join(passage.text.split()[:6])) in page
        good += bool(right)
    return good


@figure
def twice() -> bool:
    """Same seed, run twice with nothing kept: passages, questions, conversations."""
    files = ["03_primary/passages", "04_feature/questions", "05_model_input/conversations"]
    digests = []
    for _ in range(2):
        (DATA / "02_intermediate/teacher.sqlite").unlink(missing_ok=True)
        if chain("--to-nodes", "assemble_conversations")[0]:
            return say("same seed, run twice: equal digests", "a run failed", "3 of 3", False)
        digests.append([hashlib.sha256((DATA / f"{name}.parquet").read_bytes()).hexdigest() for name in files])
    return say(
        "same seed, run twice: equal digests", sum(map(str.__eq__, *digests)), "3 of 3", digests[0] == digests[1]
    )


@figure
def registry() -> bool:
    """`kedro registry list`: wall time, and torch left alone."""
    times = [run([*KEDRO, "registry", "list"])[2] for _ in range(3)]
    code = "from kedro.framework.startup import bootstrap_project; bootstrap_project('.');"
    code += (
        "from kedro.framework.project import pipelines; list(pipelines); import sys; sys.exit('torch' in sys.modules)"
    )
    clean = run([sys.executable, "-c", code])[0] == 0
    best = min(times)
    return say("kedro registry list, best of 3; torch not imported", best, "<= 4 s", best <= 4 and clean, "s")


@figure
def real_input() -> bool:
    """The whole chain on one real book."""
    book = Path(os.environ.get("REAL_BOOK", ROOT.parent / "shared/data/textbooks/nutrition.pdf"))
    shelf = WORK / "conf/local/shelf.yml"
    if not book.exists():
        return say("real book: scores on questions made from it", "skipped", "works", None)
    shelf.write_text(f"book: {{file: {book.resolve()}, licence: as the book says}}\n", encoding="utf-8")
    try:
        code, output, _ = chain("--env", "own_books")
    finally:
        shelf.unlink()
    if code:
        return say("real book: scores on questions made from it", "failed", "works", False)
    counts = {name.split("/")[1]: len(read(name, "own_books")) for name in
              ("03_primary/passages", "04_feature/questions", "04_feature/rationales")}  # fmt: skip
    score = accuracy("tuned", LIKELIHOOD, "book_exam", "own_books")
    base = accuracy("base", LIKELIHOOD, "book_exam", "own_books")
    say(
        f"real book: tuned on its own exam, {shown(score)}",
        float(score.value),
        "reported",
        True,
        peer=float(base.value),
    )
    return say("real book: passages, questions, rationales", str(counts), "> 300 each", min(counts.values()) > 300)


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(FIGURES)
    if unknown := [name for name in wanted if name not in FIGURES]:
        sys.exit(f"no such figure: {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    if not WORK.exists():
        subprocess.run(["git", "clone", "-q", str(ROOT), str(WORK)], check=True)
    met = [FIGURES[name]() for name in wanted]
    if "BENCH_FOLDER" not in os.environ:
        shutil.rmtree(WORK.parent)
    sys.exit(0 if all(met) else 1)
