"""Real processes for tests: several that start at once, or one that may be killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import traceback
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from multiprocessing.process import BaseProcess
    from multiprocessing.queues import Queue
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Barrier

__all__ = ["Ended", "at_once", "counter", "in_fork", "meeting", "started"]

_PATIENCE = 120.0  # seconds; only a hang lasts longer
# A new process each, as with spawn, but one that need not import everything again:
# the server it comes from has no connection, no thread and no state of a test.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["tests.service.contending", "tests.service.linear_load"]
)


class Ended(NamedTuple):
    """How a fork ended: the signal that killed it or 0, and what it returned."""

    signal: int
    value: Any


def at_once(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """What ``function`` returns for each of ``arguments``, each in a new process.

    All wait for each other before they begin. ``function`` must be importable: a new
    process inherits nothing of this one.
    """
    barrier = _CONTEXT.Barrier(len(arguments))
    queue: Queue[tuple[int, Any, str]] = _CONTEXT.Queue()
    processes = [
        _CONTEXT.Process(target=_run, args=(number, function, each, barrier, queue))
        for number, each in enumerate(arguments)
    ]
    for process in processes:
        process.start()
    try:
        answers = sorted(
            (queue.get(timeout=_PATIENCE) for _ in processes),
            key=lambda answer: answer[0],
        )
    finally:
        for process in processes:
            process.join(_PATIENCE)
        queue.close()
    failures = [failure for _, _, failure in answers if failure]
    assert not failures, failures[0]
    return [value for _, value, _ in answers]


def started(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
) -> list[BaseProcess]:
    """New processes, each at ``function`` with its ``arguments``; one may be killed.

    Whoever calls waits for them.
    """
    found = [_CONTEXT.Process(target=function, args=each) for each in arguments]
    for process in found:
        process.start()
    return list(found)


def counter() -> Synchronized[int]:
    """A number that all processes share, 0 at first."""
    return _CONTEXT.Value("q", 0)


def meeting(processes: int) -> Barrier:
    """Where so many processes wait for each other, as often as they like."""
    return _CONTEXT.Barrier(processes)


def _run(
    number: int,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    barrier: Barrier,
    queue: Queue[tuple[int, Any, str]],
) -> None:
    try:
        barrier.wait(_PATIENCE)
        queue.put((number, function(*arguments), ""))
    except BaseException:  # noqa: BLE001  whatever it is, the parent is to see it
        barrier.abort()
        queue.put((number, None, traceback.format_exc()))


def in_fork(function: Callable[[], Any]) -> Ended:
    """Call ``function`` in a fork of this process; it inherits everything.

    What it returns comes back as JSON; an exception in it fails the test here.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _answer_and_exit(function, writer)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return Ended(os.WTERMSIG(status), None)
    assert os.waitstatus_to_exitcode(status) == 0, text
    return Ended(0, json.loads(text))


def _answer_and_exit(function: Callable[[], Any], writer: int) -> None:
    code = 0
    try:
        text = json.dumps(function())
    except BaseException:  # noqa: BLE001  a fork must never return into the test
        code, text = 1, traceback.format_exc()
    os.write(writer, text.encode()[:60_000])
    os._exit(code)
