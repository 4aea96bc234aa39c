"""Who talks to a recipient without a share, whatever library they use.

For tests: ``consentkit.testing`` turns it on. Python itself tells of every look-up and
every connection (PEP 578), before it happens and whoever asks for it, so that neither a
library nor an import of ours has to be replaced. It does not tell of what is sent
through a connection that is open already; the methods that do so are wrapped, and what
they send is looked at: an HTTP request names its host whoever it is handed to, be it a
proxy or an address that nobody declared.

It does not see what sends by system calls of its own, as C libraries do (pycurl, gRPC,
uvloop), what another program sends, nor a recipient behind a name that is not declared.

What is found is refused with ``UngatedSendError``, and kept: code that swallows the
error is found all the same.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import sys
import sysconfig
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import consentkit
from consentkit.service.destinations import Address
from consentkit.service.destinations import address_in
from consentkit.service.guarding import Guard
from consentkit.service.guarding import refusal
from consentkit.service.live import all_releases
from consentkit.service.live import live_releases
from consentkit.service.reaching import GATE_EVENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.core.registry import Registry
    from consentkit.errors import UngatedSendError
    from consentkit.service.release import Release

__all__ = ["Incident", "Watch", "watched"]

_LOOK_UPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_CONNECTIONS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_WRITERS = (
    (socket.socket, ("send", "sendall", "sendfile", "sendmsg")),
    (ssl.SSLSocket, ("send", "sendall", "sendfile", "write")),
)
_CARRIERS = (
    str(Path(consentkit.__file__).parent),
    *(sysconfig.get_path(each) for each in ("stdlib", "purelib")),
)
_HEAD = 8_192  # bytes of a request in which its host stands
_TARGET = re.compile(rb"([A-Z]{3,16}) (\S{1,4096}) HTTP/1\.[01]\r\n")
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\s]{1,300})", re.IGNORECASE)
_LINES = 3  # of the code under test, in a report


@dataclass(frozen=True)
class Incident:
    """Something that went to a recipient's host past the gate, or would have."""

    host: str
    recipients: frozenset[str]
    why: str
    where: str
    """The lines of code that did it, the innermost last."""

    def __str__(self) -> str:
        return f"{self.why}\n{self.where}"


class Watch:
    """Looks at all network traffic of this process for the recipients of some apps."""

    def __init__(self, registries: Sequence[Registry]) -> None:
        self._registries = registries
        self._reached: set[tuple[str, str]] = set()
        self._guards = [Guard(each) for each in registries]
        self._names: dict[str, set[str]] = {}  # IP address -> recipients' names for it
        self._incidents: list[Incident] = []
        self._lock = threading.Lock()
        self._busy = threading.local()

    @property
    def reached(self) -> frozenset[tuple[str, str]]:
        """The gates that were asked, by purpose and recipient."""
        return frozenset(self._reached)

    def reach(self, registry: object, purpose: object, recipient: object) -> None:
        """Somebody asks a gate, of whichever app."""
        if any(registry is each for each in self._registries):
            self._reached.add((str(purpose), str(recipient)))

    def take(self) -> list[Incident]:
        """What was found since the last time."""
        with self._lock:
            found, self._incidents = self._incidents, []
        return found

    def look_up(self, host: object, port: object) -> None:
        """Somebody wants to know the addresses of a host.

        A thread that only looks up, as asyncio has them, knows of no share: one that
        is going on anywhere in the process will do.

        Raises:
            UngatedSendError: none is.
        """
        name = _text(host)
        if name is None or getattr(self._busy, "busy", False):
            return
        address = Address(name, port if isinstance(port, int) else None)
        if self._judge(address, all_releases()):
            self._remember(name)

    def connect(self, address: object) -> None:
        """Somebody connects, or sends without connecting.

        Raises:
            UngatedSendError: to a recipient, and no share with it is going on here.
        """
        if isinstance(address, tuple) and len(address) >= 2:  # noqa: PLR2004  host, port
            name = _text(address[0])
            if name is not None:
                for each in (name, *sorted(self._names.get(name, ()))):
                    self._judge(Address(each, address[1]), live_releases())

    def write(self, connection: socket.socket, data: object = b"") -> None:
        """Somebody writes to a connection that is open.

        Raises:
            UngatedSendError: to a recipient, and no share with it is going on here.
        """
        with contextlib.suppress(OSError):  # not connected: there is nobody to reach
            peer = connection.getpeername()
            self.connect(peer)
        for address in _named_in(data):
            self._judge(address, live_releases())

    def _judge(self, address: Address, releases: Sequence[Release]) -> bool:
        """Whether it is a recipient's, and may be reached."""
        known = False
        for guard in self._guards:
            recipients = guard.recipients(address)
            if recipients:
                known = True
                ours = [each for each in releases if guard.issued(each)]
                if not any(_covers(each, recipients) for each in ours):
                    error = refusal(address, recipients, ours)
                    self._keep(error)
                    raise error
        return known

    def _remember(self, name: str) -> None:
        """The addresses of a recipient's host: connections go to them, not to it."""
        self._busy.busy = True
        try:
            found = socket.getaddrinfo(name, None)
        except (OSError, UnicodeError):
            return  # then nobody will connect to it
        finally:
            self._busy.busy = False
        for each in found:
            self._names.setdefault(str(each[4][0]), set()).add(name)

    def _keep(self, error: UngatedSendError) -> None:
        where = _where()
        with self._lock:
            self._incidents.append(
                Incident(error.host, error.recipients, str(error), where)
            )


@contextlib.contextmanager
def watched(*registries: Registry) -> Iterator[Watch]:
    """Look at all network traffic of this process until the block ends.

    What Python tells once, it tells until the process ends; after the block nobody
    listens any more.
    """
    _listen()
    watch = Watch(registries)
    with contextlib.ExitStack() as stack:
        for kind, names in _WRITERS:
            for name in names:
                stack.callback(_wrap(kind, name, watch))
        _ACTIVE.append(watch)
        stack.callback(_ACTIVE.remove, watch)
        yield watch


_ACTIVE: list[Watch] = []
_LISTENING: list[bool] = []


def _listen() -> None:
    if not _LISTENING:
        _LISTENING.append(True)
        sys.addaudithook(_hear)  # it cannot be taken away again


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _ACTIVE and event == GATE_EVENT:
        for watch in tuple(_ACTIVE):
            watch.reach(*arguments)
    elif _ACTIVE and event[:7] == "socket.":
        for watch in tuple(_ACTIVE):
            if event in _LOOK_UPS:
                watch.look_up(*(*arguments, None)[:2])
            elif event in _CONNECTIONS:
                watch.connect(arguments[1])


def _wrap(kind: type[Any], name: str, watch: Watch) -> Callable[[], None]:
    """Have ``watch`` look before each write; the undoing of it."""
    own = kind.__dict__.get(name)
    write = getattr(kind, name)

    def looked_at(connection: Any, *args: Any, **kwargs: Any) -> Any:
        watch.write(connection, *args[:1])
        return write(connection, *args, **kwargs)

    setattr(kind, name, looked_at)
    if own is None:
        return lambda: delattr(kind, name)
    return lambda: setattr(kind, name, own)


def _where() -> str:
    """The last lines of the code under test, not of ours and of what carries it."""
    frames = traceback.extract_stack()
    own = [each for each in frames if not each.filename.startswith(_CARRIERS)]
    return "".join(traceback.format_list((own or frames)[-_LINES:])).rstrip()


def _named_in(data: object) -> Iterator[Address]:
    """The hosts that an HTTP request names, if it is the head of one."""
    if isinstance(data, (list, tuple)) and data:  # as ``sendmsg`` takes it
        data = data[0]
    if not isinstance(data, (bytes, bytearray, memoryview)):
        return
    head = bytes(memoryview(data).cast("B")[:_HEAD]) if len(data) else b""
    request = _TARGET.match(head)
    if request is None:
        return
    target = request[2].decode("latin-1")
    named = [] if target[0] in "/*" else [target]
    named += [each.decode("latin-1") for each in _HOST.findall(head)]
    for each in named:
        address = address_in(each if "://" in each else f"//{each}")
        if address is not None:
            yield address


def _text(host: object) -> str | None:
    if isinstance(host, (bytes, bytearray)):
        return bytes(host).decode("latin-1")
    return host if isinstance(host, str) and host else None


def _covers(release: Release, recipients: frozenset[str]) -> bool:
    """Whether its block goes on; how often it is used, a guarded client counts."""
    return release.recipient in recipients and release.is_live
