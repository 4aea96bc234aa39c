"""What several processes do to one wallet at the same time.

Each operation notes when it began and when it returned, by a counter that all share:
what returned before something else began has a lower number than it.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.core.act import State
from consentkit.errors import ConsentDeniedError
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized
    from pathlib import Path

    from consentkit.service.starting import Places

__all__ = [
    "Act",
    "Check",
    "Host",
    "Notes",
    "begin",
    "contend",
    "press",
    "publish",
    "publish_beside",
    "work",
]

PEOPLE = ("alice", "bob", "carol")
KEYS = (CREDIT_SCORE, SHOPS, OWN_OFFERS, NIGHT)


@dataclass(frozen=True)
class Act:
    """An act that a process was told is written: its leaf, None if nothing changed."""

    subject: str
    leaf: str | None
    began: int
    returned: int


@dataclass(frozen=True)
class Check:
    """An answer of the gate: the record that a yes rests on, empty for a no."""

    subject: str
    key: tuple[str, str]
    record: str
    reason: str
    began: int
    returned: int


Notes = tuple[list[Act], list[Check]]


def begin(folder: Path) -> list[str]:
    """Start the wallet; the keys that its log has then."""
    return list(Wallet(folder).installation.keyring.vkeys)


def publish(folder: Path, rounds: int) -> int:
    """Publish again and again; how often this process was the elected one."""
    wallet = Wallet(folder)
    elected = 0
    for number in range(rounds):
        wallet.answer(f"person-{number}", CREDIT_SCORE)
        elected += publish_all(wallet.installation) is not None
    return elected


@dataclass
class Host(Wallet):
    """One of several that have a log's database and keys in common, and little else.

    Without a ``high_water`` file of its own it has that, too.
    """

    logs_folder: str = "logs"
    high_water: str = ""

    @property
    def places(self) -> Places:
        mark = self.folder / self.high_water if self.high_water else None
        return replace(
            super().places, logs=self.folder / self.logs_folder, high_water=mark
        )


def publish_beside(folder: Path, name: str, rounds: int) -> None:
    """Write and publish on a host of that name, with files of its own."""
    host = Host(folder, logs_folder=name, high_water=f"{name}.mark")
    accept_high_water(host.installation)
    for number in range(rounds):
        host.answer(f"{name}-{number}", CREDIT_SCORE)
        publish_all(host.installation)


def work(folder: Path, name: str, acts: int) -> list[str]:
    """Act for a few people of one's own and a few whom all share, and publish.

    The ids of the leaves that were promised.
    """
    wallet = Wallet(folder)
    promised = []
    for number in range(acts):
        who = PEOPLE[number % 3] if number % 2 else f"{name}-{number % 5}"
        promised.append(wallet.answer(who, KEYS[number % 3]).id)
        if number % 10 == 0:
            publish_all(wallet.installation)
    return promised


def press(folder: Path, challenge: str, notice: str, times: int) -> list[str]:
    """Send one form so many times at once; the ids of the leaves it is told about."""
    wallet = Wallet(folder)
    form = wallet.form(
        "alice", {CREDIT_SCORE: State.GIVEN}, notice=notice, challenge=challenge
    )
    with ThreadPoolExecutor(times) as pool:
        return [leaf.id for leaf in pool.map(wallet.submit, [form] * times)]


class _Contender:
    """One process: its wallet, its dice, and the counter that all share."""

    def __init__(self, folder: Path, seed: int, counter: Synchronized[int]) -> None:
        self.wallet = Wallet(folder)
        self.seed = seed
        self.dice = random.Random(seed)  # noqa: S311  dice of a test
        self._counter = counter

    def tick(self) -> int:
        with self._counter.get_lock():
            self._counter.value += 1
            return self._counter.value

    def answer(self, subject: str, key: tuple[str, str], said: State) -> Act:
        keys = (NIGHT, TRANSFER) if key == NIGHT else (key,)
        began = self.tick()
        leaf = self.wallet.answer(subject, *keys, said=said)
        return Act(subject, leaf.id, began, self.tick())

    def revoke(self, subject: str, purpose: str | None, recipient: str | None) -> Act:
        began = self.tick()
        leaf = self.wallet.revoke(subject, purpose, recipient).leaf
        return Act(subject, leaf.id if leaf else None, began, self.tick())

    def check(self, subject: str, key: tuple[str, str]) -> Check:
        began = self.tick()
        found = self.wallet.check(subject, key)
        return Check(subject, key, found.record, found.reason.value, began, self.tick())


def contend(folder: Path, seed: int, counter: Synchronized[int], rounds: int) -> Notes:
    """Take part for so many rounds; who has the seed 0 changes nothing, but watches."""
    contender = _Contender(folder, seed, counter)
    return (_act if seed else _watch)(contender, rounds)


def _act(contender: _Contender, rounds: int) -> Notes:
    """Grant, refuse and revoke at random for the same few people, and check.

    Besides, one person whom nobody else touches: there each check has one answer.
    """
    acts, checks = [], []
    for _ in range(rounds):
        subject, key = contender.dice.choice(PEOPLE), contender.dice.choice(KEYS)
        acts.append(_something(contender, subject, key))
        checks.append(contender.check(subject, key))
        if contender.dice.random() < 0.2:
            acts += _alone(contender)
    return acts, checks


def _something(contender: _Contender, subject: str, key: tuple[str, str]) -> Act:
    match contender.dice.randrange(8):
        case 0:
            return contender.revoke(subject, None, None)
        case 1:
            return contender.revoke(subject, key[0], None)
        case 2 | 3:
            return contender.revoke(subject, *key)
        case 4:
            return contender.answer(subject, key, State.REFUSED)
        case _:
            return contender.answer(subject, key, State.GIVEN)


def _alone(contender: _Contender) -> list[Act]:
    subject = f"only-{contender.seed}"
    key = contender.dice.choice(KEYS)
    given = contender.answer(subject, key, State.GIVEN)
    yes = contender.check(subject, key)
    ended = contender.revoke(subject, None, None)
    no = contender.check(subject, key)
    assert yes.record == given.leaf, "what was just given did not count"
    assert no.reason == "withdrawn", "what was just withdrawn still counted"
    return [given, ended]


def _watch(contender: _Contender, rounds: int) -> Notes:
    """Check and share all the time, and publish now and then."""
    checks = []
    for number in range(rounds):
        subject, key = contender.dice.choice(PEOPLE), contender.dice.choice(KEYS)
        checks.append(contender.check(subject, key))
        if number % 7 == 0:
            with suppress(ConsentDeniedError):
                contender.wallet.share(subject, key)
        if number % 40 == 0:
            publish_all(contender.wallet.installation)
    return [], checks
