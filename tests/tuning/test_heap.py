"""Reading a large model keeps its tensors out of the C library's heap; a small one is left as it is."""

import subprocess
import sys

import pytest

PROBE = """
import ctypes, sys
from pathlib import Path
from med_small_lm.tuning.heap import read_apart

library = ctypes.CDLL(None)
library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
library.free(library.malloc(16 << 20))  # from now on glibc puts what is smaller into its heap
read_apart(Path(sys.argv[1]))
place = library.malloc(4 << 20)
heap = next(line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("[heap]"))
first, last = (int(end, 16) for end in heap.split()[0].split("-"))
print("heap" if first <= place < last else "apart")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own")
@pytest.mark.parametrize(("size", "where"), [(4 << 20, "heap"), (201_000_000, "apart")])
def test_what_a_large_file_is_read_into_stays_out_of_the_heap(size, where, tmp_path):
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(size)  # a hole, which takes no disk
    done = subprocess.run([sys.executable, "-c", PROBE, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == where
