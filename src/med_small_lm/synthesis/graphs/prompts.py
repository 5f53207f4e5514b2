"""Training examples of a graph: entity to description, head and tail to relation (PMC-LLaMA's MedC-I)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

import yaml

from med_small_lm.overlap.documents import Asked, Document
from med_small_lm.schemas.rows import Instruction, Message
from med_small_lm.synthesis.asked import record_id
from med_small_lm.synthesis.graphs.model import GraphSource
from med_small_lm.synthesis.graphs.store import Entity, GraphStore, Pair

DESCRIPTION, RELATION = "graph_description", "graph_relation"

_SAID = {"is_a": "is a", "isa": "is a"}  # what OBO and UMLS call it


@cache
def wordings() -> Mapping[str, list[str]]:
    """Return the ways of asking, by what is asked."""
    table: Any = yaml.safe_load((files(__package__) / "wordings.yml").read_text(encoding="utf-8"))
    return {str(name): list(ways) for name, ways in table.items()}


def examples_of(source: GraphSource, store: GraphStore, seed: int) -> Iterator[Instruction]:
    """Yield the graph's examples, descriptions first, in the order of their keys; as many as the cap leaves, by seed.

    Half of the cap is for either kind; what one kind does not fill is the other's.
    """
    n_entities, n_pairs = shares(store.n_entities, store.n_pairs, source.cap)
    chance = random.Random(f"{seed} {source.name}")
    drawn_entities = sorted(chance.sample(range(store.n_entities), n_entities))
    drawn_pairs = sorted(chance.sample(range(store.n_pairs), n_pairs))
    words: dict[str, str] = {}

    def said(relation: str) -> str:
        if relation not in words:
            words[relation] = source.relations.get(relation) or _words(store.relation_name(relation))
        return words[relation]

    yield from chain(
        (_description(source, entity, seed) for entity in store.entities(drawn_entities)),
        (_relation(source, pair, [said(one) for one in pair.relations], seed) for pair in store.pairs(drawn_pairs)),
    )


def shares(n_entities: int, n_pairs: int, cap: int) -> tuple[int, int]:
    """Return how many descriptions and how many relations are drawn of so many; a cap of 0 leaves all."""
    if not cap or n_entities + n_pairs <= cap:
        return n_entities, n_pairs
    described = min(n_entities, max(cap // 2, cap - n_pairs))
    return described, min(n_pairs, cap - described)


def document(example: Instruction) -> Document:
    """Return an example as the contamination gate reads it: it asserts all of what is said."""
    said = tuple(dict.fromkeys(message.content for message in example.messages))
    return Document(example.example_id, said, said, (Asked(said, ()),))


def _description(source: GraphSource, entity: Entity, seed: int) -> Instruction:
    """Return the example that asks what an entity is."""
    name = record_id(source.name, DESCRIPTION, entity.key)
    asked = _way("description", name, seed).format(entity=entity.name)
    return _example(source, name, DESCRIPTION, asked, entity.text, [entity.place, entity.key])


def _relation(source: GraphSource, pair: Pair, relations: list[str], seed: int) -> Instruction:
    """Return the example that asks how two entities are related; the reply tells all that is known of it."""
    name = record_id(source.name, RELATION, pair.head, pair.tail)
    asked = _way("relation", name, seed).format(head=pair.head_name, tail=pair.tail_name)
    told = dict.fromkeys(relations)
    reply = " ".join(f"{pair.head_name} {relation} {pair.tail_name}." for relation in told)
    return _example(source, name, RELATION, asked, reply, [*pair.places, pair.head, pair.tail])


def _example(source: GraphSource, name: str, method: str, asked: str, reply: str, parents: list[str]) -> Instruction:
    messages = [Message("user", asked), Message("assistant", reply)]
    return Instruction(name, source.name, method, messages, parents, source.licence)


def _way(kind: str, name: str, seed: int) -> str:
    """Return one of the ways to ask, drawn for this example."""
    return random.Random(f"{seed} {name}").choice(wordings()[kind])


def _words(relation: str) -> str:
    """Return a relation's name as words."""
    return _SAID.get(relation) or " ".join(relation.replace("_", " ").split())
