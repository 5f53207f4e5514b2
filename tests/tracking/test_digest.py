"""What a run logs of its inputs: a file by its bytes, a folder by its files' names, sizes and times."""

import hashlib
import os

from med_small_lm.tracking.hooks import digest_of


def test_a_file_is_known_by_its_bytes(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"text")
    assert digest_of(tmp_path / "a.pdf") == hashlib.sha256(b"text").hexdigest()[:32]


def test_a_folder_is_known_by_names_sizes_and_times(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.pdf").write_bytes(b"text")
    os.utime(tmp_path / "deep/a.pdf", ns=(1, 1))
    seen = {digest_of(tmp_path)}
    assert digest_of(tmp_path) in seen
    os.utime(tmp_path / "deep/a.pdf", ns=(2, 2))
    seen.add(digest_of(tmp_path))
    (tmp_path / "deep/a.pdf").rename(tmp_path / "deep/b.pdf")
    seen.add(digest_of(tmp_path))
    (tmp_path / "c.pdf").touch()
    seen.add(digest_of(tmp_path))
    assert len(seen) == 4
