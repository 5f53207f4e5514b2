"""Files read in processes of their own: several at a time, a large PDF's pages side by side, and no file ends the run.

A worker is a fresh Python that imports only what reading needs. It lives as long as this process, ends by itself when
the pipe to it closes, and by its own alarm clock when a page takes too long: none is ever left behind. A worker
that a file has killed is replaced, and the file's report says so.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from queue import Empty, LifoQueue
from typing import Any

from med_small_lm.params.ingest_textbooks import IngestTextbooks, PassageBudget
from med_small_lm.schemas.rows import Passage
from med_small_lm.textbooks.books import records_of
from med_small_lm.textbooks.documents import Document, FileRead, SourceFile
from med_small_lm.textbooks.pages import Entry, Unreadable
from med_small_lm.textbooks.passages import words
from med_small_lm.textbooks.ranges import put_together
from med_small_lm.textbooks.sections import Placed

_START = "import sys; sys.path[:] = {path!r}; from med_small_lm.textbooks.served import serve; serve({handle})"
_ALONE = "OMP_THREAD_LIMIT"  # Tesseract would take every core in every worker


def read_isolated(file: SourceFile, params: IngestTextbooks, count: Callable[[str], int] = words) -> FileRead:
    """What ``read_file`` gives, read in worker processes: a file that kills or stalls its worker is quarantined.

    Args:
        file: The file and what its records carry.
        params: How pages are read, by how many processes, and their limits.
        count: What the passages' budget counts; a function that can be pickled.

    Raises:
        FileNotFoundError: There is no such file.
    """
    return _pool(params.workers.processes).read(file, params, count)


def read_files(
    files: Iterable[SourceFile], params: IngestTextbooks, count: Callable[[str], int] = words
) -> Iterator[FileRead]:
    """Each file's ``read_isolated`` in the order given, several files at a time; few results wait to be taken.

    A file that has gone since it was listed is quarantined, as one that cannot be read.
    """
    pool = _pool(params.workers.processes)
    waiting: deque[Future[FileRead]] = deque()
    threads = ThreadPoolExecutor(pool.size, "reader")
    try:
        for file in files:
            waiting.append(threads.submit(_read_listed, pool, file, params, count))
            if len(waiting) > 2 * pool.size:
                waiting[0].result()
                yield waiting.popleft().result()
        while waiting:
            waiting[0].result()
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        if any(not future.done() for future in waiting):  # the caller has stopped: nobody wants these any more
            pool.stop()
        threads.shutdown()


class Worker:
    """A process that reads, started when it is first asked."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def start(self) -> None:
        """Starts the process if there is none; does not wait until it is ready."""
        if self._process and self._process.poll() is None:
            return
        self.stop()
        ours, theirs = socket.socketpair()
        with theirs:
            command = _START.format(path=sys.path, handle=theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={_ALONE: "1"} | os.environ,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is this process's to answer
            )
        self._connection = Connection(ours.detach())

    def send(self, method: str, *values: Any) -> None:
        """Asks for a method of ``served.Reader``; the reply is to be received before the next is asked."""
        self.start()
        assert self._connection
        with suppress(OSError):  # it has died: receiving says so
            self._connection.send((method, values))

    def receive(self) -> Any:
        """What the method has returned.

        Raises:
            Unreadable: The file has ended the process.
            Exception: What the method has raised.
        """
        process, connection = self._process, self._connection
        assert connection and process
        try:
            raised, value = connection.recv()
        except (EOFError, OSError):
            raise Unreadable("quarantined", _ending(process.wait())) from None
        if raised:
            raise value
        return value

    def stop(self) -> None:
        """Ends the process, whatever it does."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if process:
            process.kill()
            process.wait()
        if connection:
            connection.close()


def _ending(code: int) -> str:
    """Why a worker ended, for the report."""
    if code == -signal.SIGALRM:
        return "a page of it is not read within the time limit (workers.seconds)"
    if code < 0:
        return f"it kills the process that reads it (signal {-code})"
    return f"it ends the process that reads it (exit code {code})"


class Team:
    """The workers that read one file, each a range of its pages."""

    def __init__(self, workers: list[Worker]) -> None:
        """Keeps the workers in the order of their ranges."""
        self._workers = workers

    def every(self, method: str, *values: Any) -> list[Any]:
        """What the method of each ``Range`` returns, in the order of the pages."""
        return self.each("step", [(method, *values)] * len(self._workers))

    def one(self, index: int, method: str, *values: Any) -> Any:
        """What the method of one ``Range`` returns."""
        self._workers[index].send("step", method, *values)
        return self._workers[index].receive()

    def each(self, method: str, values: list[tuple[Any, ...]]) -> list[Any]:
        """What a method of each ``served.Reader`` returns, with values of its own."""
        for worker, own in zip(self._workers, values, strict=True):
            worker.send(method, *own)
        results: list[Any] = []
        errors: list[Exception] = []
        for worker in self._workers:  # all replies are taken, so that each worker is free for another file
            try:
                results.append(worker.receive())
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return results


class Pool:
    """So many workers; whoever reads a file takes one, and for a large PDF those that are idle."""

    def __init__(self, size: int) -> None:
        """Starts nothing yet."""
        self.size, self.owner = size, os.getpid()
        self._workers = [Worker() for _ in range(size)]
        self._idle: LifoQueue[Worker] = LifoQueue()  # the last one used is warm
        for worker in self._workers:
            self._idle.put(worker)

    def read(self, file: SourceFile, params: IngestTextbooks, count: Callable[[str], int]) -> FileRead:
        """A file's records."""
        team = [self._idle.get()]
        try:
            return self._read(team, file, params, count)
        except Exception:
            raise
        except BaseException:  # interrupted: an answer that nobody takes must not become the next file's
            for worker in team:
                worker.stop()
            raise
        finally:
            for worker in reversed(team):
                self._idle.put(worker)

    def _read(
        self, team: list[Worker], file: SourceFile, params: IngestTextbooks, count: Callable[[str], int]
    ) -> FileRead:
        least = params.workers.pages
        team[0].send("read", file, params, count, 2 * least if self.size > 1 else 0)
        try:
            found = team[0].receive()
        except Unreadable as error:
            return records_of(file, params, count, partial(_refuse, error))
        if isinstance(found, FileRead):
            return found
        pages, outline = found
        with suppress(Empty):  # the others are busy with files of their own
            while len(team) < pages // least:
                team.append(self._idle.get_nowait())
        read = partial(_side_by_side, file, params, pages, outline, team)
        return records_of(file, params, count, read, partial(_cut_side_by_side, team))

    def stop(self) -> None:
        """Ends all workers, whatever they do; the next read starts new ones."""
        for worker in self._workers:
            worker.stop()


def _read_listed(pool: Pool, file: SourceFile, params: IngestTextbooks, count: Callable[[str], int]) -> FileRead:
    try:
        return pool.read(file, params, count)
    except FileNotFoundError:
        return records_of(file, params, count, partial(_refuse, Unreadable("quarantined", "it is gone")))


def _refuse(error: Unreadable) -> Document:
    raise error


def _side_by_side(
    file: SourceFile, params: IngestTextbooks, pages: int, outline: list[Entry], workers: list[Worker]
) -> Document:
    """The document of a PDF that the first worker has opened."""
    team = Team(workers)
    bounds = [round(pages * index / len(workers)) for index in range(len(workers) + 1)]
    extracted = team.each("extract", [(file, params, a + 1, b) for a, b in zip(bounds, bounds[1:], strict=False)])
    document = put_together(team, extracted, file, params.reading, pages)
    document.outline = outline
    return document


def _cut_side_by_side(
    workers: list[Worker], placed: list[Placed], file: SourceFile, budget: PassageBudget, count: Callable[[str], int]
) -> list[Passage]:
    """The passages, each worker's share ending where a section does."""
    kept = [item for item in placed if not item.reason]
    shares: list[tuple[Any, ...]] = []
    start = 0
    for left in range(len(workers), 0, -1):
        stop = start + (len(kept) - start) // left
        while 0 < stop < len(kept) and kept[stop].section == kept[stop - 1].section:
            stop += 1
        shares.append((kept[start:stop], file, budget, count))
        start = stop
    return [Passage(*values) for passages in Team(workers).each("cut", shares) for values in passages]


_pools: dict[int, Pool] = {}


def _pool(processes: int) -> Pool:
    """The pool of so many processes; a process that was forked with a pool makes its own."""
    size = processes or _cores()
    pool = _pools.get(size)
    if pool is None or pool.owner != os.getpid():
        pool = _pools[size] = Pool(size)
        atexit.register(pool.stop)
    return pool


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
