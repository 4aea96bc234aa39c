"""People who answer without end, and all that they were told; then who was lied to.

Each thread is a few people who agree, look, and take it back, over HTTP. What is not
answered by a 2xx is sent again as it was, until it is. Nobody here knows what happens
to the server meanwhile.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple
from typing import Self

from tests.web.asking import API
from tests.web.asking import said
from tests.web.served_wallet import PERSON

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Load", "Promise", "Told"]

_PATIENCE = 60.0  # seconds for anything; only a hang lasts longer
_PAUSE = 0.05
_PEOPLE = 3  # of each thread
_RECEIPT = "/consent/receipts/{}"


class Promise(NamedTuple):
    """An act that was answered with 2xx: whose, what they did, and its record."""

    person: str
    state: str
    record: str


@dataclass
class Told:
    """What people were told, by the moment they were told it.

    ``refusals`` counts every other answer by status and problem (or "page"),
    ``broken`` what came of requests without an answer. ``lies`` are checks that said
    yes after a no was answered, or that forgot a yes. Of who is ``unsure`` nobody
    answered the last act.
    """

    promises: list[Promise] = field(default_factory=list)
    leaves: dict[str, bytes] = field(default_factory=dict)
    proofs: dict[str, bytes] = field(default_factory=dict)
    checkpoints: list[bytes] = field(default_factory=list)
    refusals: Counter[tuple[int, str]] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    lies: list[str] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)

    @property
    def standing(self) -> dict[str, str]:
        """What each person was told last."""
        return {each.person: each.state for each in self.promises}

    @property
    def outage(self) -> float:
        """The longest time, in seconds, in which no act was answered."""
        moments = sorted(self.answered)
        return max(
            (after - before for before, after in itertools.pairwise(moments)),
            default=0.0,
        )

    def __str__(self) -> str:
        refused = sum(self.refusals.values()) + sum(self.broken.values())
        return (
            f"{len(self.promises)} acts answered, {len(self.proofs)} receipts with "
            f"their proof, {refused} requests refused, none answered for at most "
            f"{self.outage:.1f} s"
        )


class Load:
    """Threads that send requests to a port for as long as the block lasts."""

    def __init__(self, port: int, *, threads: int = 4) -> None:
        self.told = Told()
        self._port = port
        self._over = threading.Event()
        self._failed: list[BaseException] = []
        works: list[Callable[[], None]] = [
            _Group(self, n).answer for n in range(threads)
        ]
        works.append(_Watcher(self).watch)
        self._threads = [
            threading.Thread(target=self._run, args=(each,)) for each in works
        ]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for each in self._threads:
            each.join()
        if kind is None and self._failed:
            raise self._failed[0]

    def wait_for(self, more: int) -> None:
        """Until so many more acts were answered."""
        wanted = len(self.told.promises) + more
        deadline = time.monotonic() + _PATIENCE
        while len(self.told.promises) < wanted and not self._failed:
            assert time.monotonic() < deadline, f"nothing goes on: {self.told}"
            time.sleep(_PAUSE)

    @property
    def goes_on(self) -> bool:
        """Whether the block lasts."""
        return not self._over.is_set()

    def send(
        self, method: str, path: str, person: str = "", body: object = None
    ) -> tuple[int, bytes]:
        """Status and body of an answer; status 0 if there was none."""
        headers = {"Content-Type": "application/json", PERSON: person}
        text = None if body is None else json.dumps(body)
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=_PATIENCE
        )
        try:
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            found = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.told.broken[type(error).__name__] += 1
            return 0, b""
        finally:
            connection.close()
        if found[0] // 100 != 2:
            self.told.refusals[found[0], _problem(found[1])] += 1
        return found

    def insist(
        self, method: str, path: str, person: str = "", body: object = None
    ) -> dict[str, Any] | None:
        """Send the same until it is answered with 2xx; None if the block ends first."""
        while True:
            status, answer = self.send(method, path, person, body)
            if status // 100 == 2:
                found: dict[str, Any] = json.loads(answer)
                return found
            assert status in (0, 503), f"{method} {path} answered {status}: {answer!r}"
            if not self.goes_on:
                self.told.unsure.add(person)
                return None
            time.sleep(_PAUSE)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  raised where the block ends
            self._failed.append(error)


@dataclass
class _Group:
    """A few people, one after the other."""

    load: Load
    number: int

    def answer(self) -> None:
        turn = 0
        while self.load.goes_on:
            person = f"person-{self.number}-{turn % _PEOPLE}"
            self._agree(person)
            if turn % 4:  # some leave it at that, and agree again the next time
                self._take_back(person)
            turn += 1

    def _agree(self, person: str) -> None:
        wanted = {"purpose": "credit-score", "again": True}
        asked = self.load.insist("POST", f"{API}/presentations", person, wanted)
        if asked is None:
            return
        body = {"token": asked["token"], "answers": [said("given")]}
        told = self.load.insist("POST", f"{API}/choices", person, body)
        if told is not None:
            self._keep(Promise(person, "given", told["record_id"]))
            self._look(person, expected=True)

    def _take_back(self, person: str) -> None:
        wanted = {"purpose": "credit-score"}
        told = self.load.insist("POST", f"{API}/revocations", person, wanted)
        if told is not None:
            # None where an earlier request did it, and nobody heard the answer.
            self._keep(Promise(person, "withdrawn", told["receipt_id"] or ""))
            self._look(person, expected=False)

    def _keep(self, promise: Promise) -> None:
        told = self.load.told
        told.promises.append(promise)
        told.answered.append(time.monotonic())
        if promise.record:
            path = f"{API}/receipts/{promise.record}"
            status, answer = self.load.send("GET", path, promise.person)
            if status == 200:
                told.leaves[promise.record] = json.loads(answer)["leaf"].encode()

    def _look(self, person: str, *, expected: bool) -> None:
        status, answer = self.load.send("GET", "/may-share", person)
        if status != 200:
            return
        found = json.loads(answer)
        if found["allowed"] != expected and found["reason"] != "store_unavailable":
            self.load.told.lies.append(f"{person}: {found} instead of {expected}")


@dataclass
class _Watcher:
    """Somebody who keeps every checkpoint, and the proof of every receipt."""

    load: Load
    seen: int = 0

    def watch(self) -> None:
        while self.load.goes_on:
            status, note = self.load.send("GET", "/consent/log/checkpoint")
            checkpoints = self.load.told.checkpoints
            if status == 200 and note not in checkpoints:
                checkpoints.append(note)
                self._collect()
            time.sleep(_PAUSE)

    def _collect(self) -> None:
        """The proof of what was promised since the last checkpoint, if there is one."""
        told = self.load.told
        upto = len(told.promises)
        for promise in told.promises[self.seen : upto : 3]:
            path = f"{_RECEIPT.format(promise.record)}.tlog-proof"
            if promise.record and promise.record not in told.proofs:
                status, proof = self.load.send("GET", path, promise.person)
                if status == 200:
                    told.proofs[promise.record] = proof
        self.seen = upto


def _problem(body: bytes) -> str:
    if body.lower().startswith(b"<!doctype html"):
        return "page"
    try:
        return str(json.loads(body)["type"]).rpartition("/")[2]
    except (ValueError, KeyError, TypeError):
        return ""
