"""The witness's duty: judge, remember, and only then answer."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Verifier
from consentkit.log.witness import Outcome
from consentkit.log.witness import Verdict
from consentkit.log.witness import format_answer
from consentkit.log.witness import judge
from consentkit.log.witness import parse_request
from consentkit.witness.memory import Remembered

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from consentkit.log.keys import Signer
    from consentkit.log.witness import AddCheckpoint
    from consentkit.witness.memory import Memory

__all__ = ["Reply", "Witness", "read_origin_keys"]

_LOGGER = logging.getLogger("consentkit.witness")


@dataclass(frozen=True)
class Reply:
    """What goes back: the outcome and its body."""

    outcome: Outcome
    body: bytes


def read_origin_keys(vkeys: Iterable[str]) -> tuple[Verifier, ...]:
    """Return the keys of the logs to witness; several of one origin are its keys.

    Raises:
        ConfigurationError: one is no verifier key of a log.
    """
    keys: list[Verifier] = []
    for vkey in dict.fromkeys(vkeys):
        try:
            key = Verifier.parse(vkey)
        except MalformedError as error:
            raise ConfigurationError(f"--origin-key {vkey!r:.80}: {error}") from error
        if key.algorithm is not Algorithm.ED25519:
            raise ConfigurationError(
                f"--origin-key: the key of {key.name!r} is a witness's; give keys of "
                "type 01"
            )
        keys.append(key)
    return tuple(keys)


class Witness:
    """Cosigns what continues the newest tree it remembers. Any number of threads.

    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        signer: Signer,
        logs: Iterable[Verifier],
        memory: Memory,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._signer = signer
        self._logs = tuple(logs)
        self._memory = memory
        self._clock = clock
        self._origins = {
            hashlib.sha256(key.name.encode()).hexdigest(): key.name
            for key in self._logs
        }

    def add_checkpoint(self, data: bytes) -> Reply:
        """Answer one request; a yes is durable before it is given.

        Raises:
            LogUnavailableError: it cannot be remembered, so it is not cosigned.
        """
        try:
            request = parse_request(data)
        except MalformedError as error:
            return Reply(Outcome.MALFORMED, f"{error}\n".encode())
        with self._memory.turn():
            verdict, line = self._consider(request)
        _LOGGER.info(
            "%s %s, size %d",
            verdict.outcome.name,
            request.checkpoint.origin,
            request.checkpoint.size,
        )
        return Reply(verdict.outcome, format_answer(verdict, [line]))

    def checkpoint(self, origin_hash: str) -> bytes | None:
        """The newest checkpoint cosigned for the log whose origin hashes to this.

        Raises:
            LogUnavailableError: the memory cannot be read.
        """
        origin = self._origins.get(origin_hash)
        if origin is None:
            return None
        with self._memory.turn():
            return self._memory.newest(origin).note or None

    def _consider(self, request: AddCheckpoint) -> tuple[Verdict, bytes]:
        new, now = request.checkpoint, self._clock()
        known = self._memory.newest(new.origin)
        verdict = judge(request, known.size, known.root, self._logs)
        if verdict.outcome is Outcome.COSIGNED:
            line = cosign(verdict.note, self._signer, time=now)
            note = add_cosignatures(verdict.note, [line])
            tree = Remembered(new.size, new.root, note)
            self._memory.keep(new.origin, tree, time=now)
            return verdict, line
        # The log's signature stood on it, whatever else was wrong with the request.
        if verdict.note and new.size == known.size and new.root != known.root:
            self._accuse(new.origin, known.note, verdict.note, now)
        return verdict, b""

    def _accuse(self, origin: str, ours: bytes, theirs: bytes, now: int) -> None:
        """Keep the proof that a log signed two trees of one size, and say so."""
        if self._memory.keep_contradiction(origin, ours, theirs, time=now):
            _LOGGER.error(
                "SPLIT VIEW: %s signed two roots of one size; both follow\n%s\n%s",
                origin,
                ours.decode(),
                theirs.decode(),
            )
