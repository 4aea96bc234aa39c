"""How a log reaches a witness: one request, its answers, and what they may say.

The addresses are the operator's own configuration, so an internal one is as good as
any other. What comes back is somebody else's: bounded in size and time, and believed
only as far as the witness's key says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.errors import MalformedError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Verifier
from consentkit.log.witness import MAX_ANSWER_BYTES
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import Outcome
from consentkit.log.witness import format_request
from consentkit.log.witness import parse_answer
from consentkit.log.witness import pick_cosignature

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

__all__ = ["Cosigner", "request_cosignature"]

_TIMEOUT = 1.0  # seconds; a witness verifies one signature and writes one row
_RETRY_DELAYS = (0.010, 0.250)  # seconds between the three tries; half more at random
_CONFLICTS = 3  # somebody else may bring the witness forward while we talk to it
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(?:/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True)
class Cosigner:
    """A witness as this log's operator chose it: its key, and where it is.

    Raises:
        ConfigurationError: no witness's key, or an address that cannot be used.
    """

    verifier: Verifier
    url: str

    def __post_init__(self) -> None:
        if self.verifier.algorithm is not Algorithm.COSIGNATURE_V1:
            raise ConfigurationError(
                f"the key of {self.verifier.name!r} is a log's; give the key that the "
                "witness prints, of type 04"
            )
        if not _URL.fullmatch(self.url):
            raise ConfigurationError(
                f"the address of witness {self.verifier.name!r} must begin with "
                "'https://' or 'http://' and hold no password, query or fragment"
            )

    @classmethod
    def parse(cls, line: str) -> Cosigner:
        """Return what a line ``VKEY URL`` stands for.

        Raises:
            ConfigurationError: any other form.
        """
        vkey, _, url = line.partition(" ")
        try:
            return cls(Verifier.parse(vkey), url)
        except MalformedError as error:
            raise ConfigurationError(f"expected a line 'VKEY URL': {error}") from error

    @property
    def name(self) -> str:
        """The witness's name, for people."""
        return self.verifier.name

    @property
    def key(self) -> str:
        """Name and id of its key: a new key is another witness."""
        return f"{self.verifier.name}+{self.verifier.key_id.hex()}"


def request_cosignature(
    cosigner: Cosigner,
    note: bytes,
    *,
    held: int,
    prove: Callable[[int], Sequence[bytes]],
) -> tuple[bytes, int]:
    """Return the witness's good line for a checkpoint, and its time in seconds.

    ``held`` is the size that it is believed to know; ``prove`` gives the proof that
    the checkpoint continues that or another size.

    Raises:
        LogConflictError: the witness knows another log of this name, or a longer one.
        LogUnavailableError: it did not answer, or would not answer now.
        VerificationError: what it answered is no cosignature of its own.
    """
    from consentkit.service.posting import posting  # noqa: PLC0415  see there

    request = AddCheckpoint(held, tuple(prove(held)), note)
    size = request.checkpoint.size
    with posting(
        cosigner.url.rstrip("/") + "/add-checkpoint",
        {"Content-Type": "text/plain; charset=utf-8"},
        timeout=_TIMEOUT,
        delays=_RETRY_DELAYS,
        most=MAX_ANSWER_BYTES,
    ) as post:
        for _ in range(_CONFLICTS):
            answer = parse_answer(*post.send(format_request(request)))
            if answer.outcome is not Outcome.OTHER_SIZE:
                break
            _check_size(answer.size, request.old, size)
            proof = tuple(prove(answer.size))
            request = AddCheckpoint(answer.size, proof, note)
    if answer.outcome is Outcome.COSIGNED:
        return pick_cosignature(note, answer.lines, cosigner.verifier)
    raise _refusal(answer.outcome)


def _check_size(theirs: int, asked: int, ours: int) -> None:
    if theirs > ours:
        raise LogConflictError(
            "it has cosigned a longer log than this one is: an older copy of the "
            "database may have been put back, or another log has this one's key",
            size=theirs,
        )
    if theirs == asked:  # tlog-witness v1.0.0 says it so: that size, another root
        raise _refusal(Outcome.INCONSISTENT)


def _refusal(outcome: Outcome) -> LogConflictError | LogUnavailableError:
    if outcome is Outcome.INCONSISTENT:
        return LogConflictError(
            "it has cosigned a log that this one does not continue: entries that were "
            "published are not as they were"
        )
    reasons = {
        Outcome.UNKNOWN_LOG: "it does not know this log: give its operator our key",
        Outcome.NOT_SIGNED: "it knows another key of this log: give its operator ours",
        Outcome.MALFORMED: "it could not read what we sent",
        Outcome.OTHER_SIZE: "somebody else kept bringing it forward",
    }
    return LogUnavailableError(reasons[outcome])
