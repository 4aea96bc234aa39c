"""People who answer, look and take back, over HTTP and all at once; all is noted.

What was answered with 2xx is a promise, and is kept here to be held against the log. A
request whose connection broke was promised nothing: it is counted, and the person goes
on not knowing. Any other answer is a fault.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from dataclasses import field
from http.client import HTTPConnection
from http.client import HTTPException
from typing import TYPE_CHECKING
from typing import Any

from tests.served.wallet_app import PERSON
from tests.served.wallet_app import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Crowd", "People", "crowd"]

_API = "/consent/api/v1"
_KEY = {"purpose": "credit-score", "recipient": "acme-credit"}
_PATIENCE = 60.0


class _BrokenError(Exception):
    """The connection ended before an answer came."""


@dataclass
class People:
    """A few people, one after the other in one thread.

    ``promised`` are acts by person, ``receipts`` the files that they saved, ``broken``
    how many requests got no answer, ``faults`` what should not have come, ``longest``
    how many seconds the slowest answer took.
    """

    port: int
    names: tuple[str, ...]
    promised: list[tuple[str, str]] = field(default_factory=list)
    receipts: list[bytes] = field(default_factory=list)
    requests: int = 0
    broken: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def live(self, stopped: threading.Event) -> None:
        """Go on until it is over."""
        while not stopped.is_set():
            for name in self.names:
                try:
                    self._day_of(name)
                except _BrokenError:
                    self.broken += 1
                    time.sleep(0.02)  # whoever listens is being started anew

    def _day_of(self, name: str) -> None:
        asked = self._send(name, "presentations", purpose="credit-score", again=True)
        if asked is None:
            return
        answers = [{**_KEY, "answer": "given"}]
        done = self._send(name, "choices", token=asked["token"], answers=answers)
        if done is None:
            return
        self.promised.append((name, done["record_id"]))
        self._check(name, allowed=True)
        self._save_receipt(name)
        ended = self._send(name, "revocations", **_KEY)
        if ended is None:
            return
        self.promised.append((name, ended["receipt_id"]))
        self._check(name, allowed=False)

    def _check(self, name: str, *, allowed: bool) -> None:
        asked = {"subject": name, **_KEY, "data": ["spending"]}
        found = self._send("", "checks", checks=[asked])
        if found is not None and found["decisions"][0]["allowed"] is not allowed:
            self.faults[f"allowed is not {allowed}"] += 1

    def _save_receipt(self, name: str) -> None:
        """That of an earlier act, which the log holds by now or does not."""
        earlier = [act for who, act in self.promised if who == name][-5:][0]
        path = f"/consent/receipts/{earlier}.tlog-proof"
        status, body = self._answer("GET", path, b"", {PERSON: name})
        if status == 200:
            self.receipts.append(body)
        elif b"not-published" not in body:
            self.faults[f"{status} for a receipt"] += 1

    def _send(self, name: str, route: str, **body: object) -> dict[str, Any] | None:
        headers = {"Content-Type": "application/json"}
        headers |= {PERSON: name} if name else {"Authorization": f"Bearer {TOKEN}"}
        sent = json.dumps(body).encode()
        status, answer = self._answer("POST", f"{_API}/{route}", sent, headers)
        if status == 200:
            found: dict[str, Any] = json.loads(answer)
            return found
        self.faults[f"{status} for {route}: {answer[:200].decode()}"] += 1
        return None

    def _answer(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self.requests += 1
        began = time.monotonic()
        with contextlib.closing(
            HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        ) as connection:
            try:
                connection.request(
                    method, path, body, {**headers, "Connection": "close"}
                )
                answer = connection.getresponse()
                found = answer.status, answer.read()
            except (OSError, HTTPException) as error:
                raise _BrokenError from error
        self.longest = max(self.longest, time.monotonic() - began)
        return found


@dataclass
class Crowd:
    """All of them together."""

    people: list[People]

    @property
    def promised(self) -> list[tuple[str, str]]:
        """Every act that was answered with 2xx, and whose it is."""
        return [each for some in self.people for each in some.promised]

    @property
    def receipts(self) -> list[bytes]:
        """Every receipt that somebody saved."""
        return [each for some in self.people for each in some.receipts]

    @property
    def faults(self) -> Counter[str]:
        """What came and should not have."""
        return sum((each.faults for each in self.people), Counter())

    @property
    def broken(self) -> int:
        """Requests without an answer."""
        return sum(each.broken for each in self.people)

    @property
    def requests(self) -> int:
        """Requests in all."""
        return sum(each.requests for each in self.people)

    @property
    def longest(self) -> float:
        """Seconds that the slowest answer took."""
        return max(each.longest for each in self.people)


@contextlib.contextmanager
def crowd(
    port: int, *, threads: int = 8, each: int = 3, family: str = "p"
) -> Iterator[Crowd]:
    """People of that family name, who live until the block ends."""
    stopped = threading.Event()
    people = [
        People(port, tuple(f"{family}{number}-{one}" for one in range(each)))
        for number in range(threads)
    ]
    running = [
        threading.Thread(target=one.live, args=(stopped,), daemon=True)
        for one in people
    ]
    for thread in running:
        thread.start()
    try:
        yield Crowd(people)
    finally:
        stopped.set()
        for thread in running:
            thread.join(2 * _PATIENCE)
