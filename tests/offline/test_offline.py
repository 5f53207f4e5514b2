"""Nothing calls home: the run of the small project had every connection but loopback's refused and counted."""

import subprocess
import sys

import pytest

OUTSIDE = "192.0.2.1"  # reserved for documentation (RFC 5737): nobody answers there


@pytest.mark.parametrize(
    ("attempt", "noted"),
    [
        (f"import socket; socket.create_connection(('{OUTSIDE}', 80), 1)", f"resolve {OUTSIDE}"),
        (f"import socket; socket.socket().connect(('{OUTSIDE}', 80))", f"connect {OUTSIDE}"),
        ("import urllib.request as u; u.urlopen('http://example.invalid/', timeout=1)", "resolve example.invalid"),
    ],
)
def test_the_guard_sees_an_attempt(bare, tmp_path, attempt, noted):
    log = tmp_path / "sockets.log"
    environment = bare.environment(**bare.guard()) | {"SOCKET_LOG": str(log)}
    done = subprocess.run([sys.executable, "-c", attempt], env=environment, capture_output=True)
    assert done.returncode != 0 and log.read_text().splitlines() == [noted]


def test_the_default_chain_connects_to_nobody(finished):
    assert (finished.root / "guard/sitecustomize.py").exists()
    assert "CI" not in finished.environment()
    assert finished.connections() == []
