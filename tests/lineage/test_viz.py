"""What kedro-viz serves for the full shelf: every textbook has a box of its own and a way to the scores."""

import json
import os
import re
import socket
import urllib.request

import pytest
import yaml

LAYERS = ["raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting"]


@pytest.fixture(scope="module")
def served(_bare):
    """``/api/main`` of kedro-viz's own server, its connections guarded."""
    port = free_port()
    options = ["--no-browser", "--host", "127.0.0.1", "--port", str(port)]
    with _bare.running("viz", "run", *options, until="started successfully", **_bare.guard()):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/main", timeout=60) as answer:
            return json.load(answer)


def free_port():
    """A port that nobody listens on, below those that the system hands out, which kedro-viz does not take."""
    for port in range(20_000 + os.getpid() % 10_000, 32_768):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


@pytest.fixture(scope="module")
def books(_bare):
    return list(yaml.safe_load((_bare.root / "conf/base/shelf.yml").read_text()))


def reachable(graph, start):
    onward = {}
    for edge in graph["edges"]:
        onward.setdefault(edge["source"], set()).add(edge["target"])
    seen, ends = {start}, [start]
    while ends:
        new = onward.get(ends.pop(), set()) - seen
        seen |= new
        ends += new
    return seen


def test_every_pdf_of_the_full_shelf_flows_to_the_scores(served, books):
    names = {node["id"]: node.get("full_name") or node["name"] for node in served["nodes"]}
    scores = next(key for key, name in names.items() if name == "scores")
    pdfs = {name: key for key, name in names.items() if re.fullmatch(r"ingest_textbooks\.\w+\.pdf", name)}
    assert set(pdfs) == {f"ingest_textbooks.{book}.pdf" for book in books}
    assert len(books) == 19, "18 books and a general text"
    assert [name for name, key in pdfs.items() if scores not in reachable(served, key)] == []


def test_every_textbook_has_its_namespace(served, books):
    boxes = {node["id"] for node in served["nodes"] if node["type"] == "modularPipeline"}
    assert {f"ingest_textbooks.{book}" for book in books} <= boxes


def test_kedro_viz_asks_nobody_for_its_newest_version(served, _bare):
    assert _bare.connections() == []


def test_layers_are_drawn(served):
    """kedro-viz leaves them out, with a warning, if the order of layers runs in a circle."""
    assert served["layers"] == LAYERS
