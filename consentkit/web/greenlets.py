"""No greenlets: what runs instead of threads where gevent or eventlet patched them.

A greenlet is no thread: whatever waits in C, for a file's lock, the disk or the answer
of libpq, stops all others of its process, the one that would release the lock among
them. And what is held once a thread, such as the connection of a check, is held and
left open once a request. Sockets patched without threads take over the waits of
psycopg, which then crash. So nothing of this works half: it is refused.
"""

from __future__ import annotations

import sys
from typing import Any

from consentkit.errors import ConfigurationError

__all__ = ["refuse_greenlets"]

# Who patches what threads wait on, and how to ask whether it did; nothing is imported.
_PATCHERS = {
    "gevent": ("gevent.monkey", "is_module_patched", "threading"),
    "eventlet": ("eventlet.patcher", "is_monkey_patched", "thread"),
}
_WAITS = "socket", "select"


def refuse_greenlets() -> None:
    """Let nothing go on in a process whose threads are greenlets.

    Raises:
        ConfigurationError: they are, or have become so since the last time.
    """
    for name, (home, question, threads) in _PATCHERS.items():
        module: Any = sys.modules.get(home)
        asked = threads, *_WAITS
        if module is not None and any(map(getattr(module, question), asked)):
            raise ConfigurationError(
                f"consentkit cannot run where {name} has patched threads, sockets or "
                "select: a wait for the consent database would stop every request of "
                "the process; run the app by 'gunicorn -k gthread' or granian, or only "
                "consentkit's routes in a process of their own; see docs/serving.md"
            )
