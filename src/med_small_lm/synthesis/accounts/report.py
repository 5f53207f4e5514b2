"""What became of everything that was asked: counts through the gates, contamination, use of the teacher."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

import pandas as pd

from med_small_lm.overlap.contamination import RULES, ContaminationIndex, Hit
from med_small_lm.schemas.rows import Contamination, Record, TeacherUse
from med_small_lm.synthesis.accounts.coverage import step_of
from med_small_lm.synthesis.gates.verdicts import stop_of
from med_small_lm.teacher.requests import OK, Reply


def gate_counts(records: Iterable[Record]) -> dict[str, Counter[str]]:
    """Return for each gate, in the order in which the records met them, how many passed and failed it."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        for said in record.gates:
            counts.setdefault(said.gate, Counter())[said.verdict] += 1
    return counts


def stopped_at(rejected: Iterable[Record]) -> Counter[str]:
    """Return how many records each gate stopped; the counts sum to the number of records."""
    return Counter(stop_of(record)[0] for record in rejected)


def summary(what: str, kept: Sequence[Record], rejected: Sequence[Record]) -> str:
    """Return one line for the log: how many were kept, how many dropped, and at which gates."""
    why = ", ".join(f"{gate} {count:,}" for gate, count in stopped_at(rejected).most_common())
    return f"{what}: kept {len(kept):,}, dropped {len(rejected):,}" + (f" ({why})" if why else "")


def contamination_rows(
    guards: Sequence[ContaminationIndex], found: Mapping[str, Sequence[Sequence[Hit]]]
) -> list[Contamination]:
    """Return a row for each benchmark, source of records, and rule: how many records hold how many items.

    ``found`` is what the contamination gate found, by source, record by record. A record that several rules find is
    counted in the row of each.
    """
    flagged: Counter[tuple[str, str, str]] = Counter()
    items: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for source, own in found.items():
        for hits in own:
            flagged.update({(hit.benchmark, source, hit.rule) for hit in hits})
            for hit in hits:
                items[hit.benchmark, source, hit.rule].add(hit.question_id)
    return [
        Contamination(benchmark, source, rule, n_items, len(own), flagged[key], len(items[key]))
        for guard in guards
        for source, own in found.items()
        for benchmark, n_items in guard.n_items.items()
        for rule in RULES
        for key in [(benchmark, source, rule)]
    ]


def with_kept(use: pd.DataFrame, kept: Sequence[str], made: Set[str]) -> pd.DataFrame:
    """Return a node's rows with the records that were kept in the end, and what one of them cost by each method.

    Args:
        use: rows of ``teacher_use``; one that counts no record (of a second model) stays at none.
        kept: the methods of the kept records, one each.
        made: the methods of all records; a row of none of them judges, and all kept records have passed it.
    """
    rows = set(use["method"])

    def of_row(method: str) -> str:
        return method if method in rows else step_of(method)

    count, makes = Counter(map(of_row, kept)), set(map(of_row, made))
    counts = [
        0 if not drafts else count[method] if method in makes else len(kept)
        for method, drafts in zip(use["method"], use["records_kept"], strict=True)
    ]
    column = pd.Series(counts, index=use.index, dtype="int64")
    return use.assign(records_kept=column, cost_per_kept=use["cost"] / column.where(column > 0).astype(float))


def uses_by_method(
    node: str, methods: Sequence[str], replies: Sequence[Reply], kept: Mapping[str, int]
) -> list[TeacherUse]:
    """Return the rows of a node that asks by several methods; ``methods`` are those of the replies, one each."""
    answered: dict[str, list[Reply]] = defaultdict(list)
    for method, reply in zip(methods, replies, strict=True):
        answered[method].append(reply)
    return [row for method, own in answered.items() for row in teacher_use(node, method, own, kept.get(method, 0))]


def teacher_use(node: str, method: str, replies: Sequence[Reply], records_kept: int) -> list[TeacherUse]:
    """Return a row for each model that answered; with several, the records are counted at the first one's row."""
    by_model: dict[str, list[Reply]] = defaultdict(list)
    for reply in replies:
        by_model[reply.model].append(reply)
    rows: list[TeacherUse] = []
    for model, own in by_model.items():
        cost, kept = sum(reply.usage.cost for reply in own), 0 if rows else records_kept
        rows.append(
            TeacherUse(
                node=node,
                method=method,
                model=model,
                calls=len(own),
                from_ledger=sum(reply.from_ledger for reply in own),
                failed=sum(reply.status != OK for reply in own),
                tokens_in=sum(reply.usage.tokens_in for reply in own),
                tokens_out=sum(reply.usage.tokens_out for reply in own),
                cost=cost,
                records_kept=kept,
                cost_per_kept=cost / kept if kept else float("nan"),
            )
        )
    return rows
