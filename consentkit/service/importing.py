"""Claims about what people answered elsewhere, taken into the log as what they are.

An import is *asserted* for ever: the gate asks for more unless an app says otherwise.
It never touches a question that the person has answered here, with a yes or a no; so
nothing that they withdrew comes back by it (R58), and the same file again adds nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from typing import Any
from typing import BinaryIO

from consentkit.core.act import Actor
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.record import rfc3339
from consentkit.service.administering import record_admin_act
from consentkit.service.claims import MAX_LINE
from consentkit.service.claims import read_claims
from consentkit.service.ending import Manner
from consentkit.service.ending import append_answers
from consentkit.service.recording import PersonRecorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.act import Millis
    from consentkit.core.status import Status
    from consentkit.service.administering import Official
    from consentkit.service.claims import Claim
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["CLAIMED", "Imported", "import_claims", "preview_claims"]

CLAIMED = "claimed"
"""The private fact of an import: when each answer is said to have been given."""

_AT_A_TIME = 500  # persons of one transaction: others write between two
_BLOCK = 1 << 20  # bytes of a file read at once


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file, or would.

    Of its ``claims`` about ``persons``, ``written`` are in the log now; ``left`` are
    about questions that stand answered here, by the person or by an earlier import;
    ``over`` had ended before they came. ``act`` is the id of the administrative act,
    empty where nothing was to be written.
    """

    file: str
    act: str
    persons: int
    claims: int
    written: int
    left: int
    over: int

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable report."""
        return asdict(self)


def preview_claims(
    installation: Installation,
    file: BinaryIO,
    *,
    subject_key: Callable[[object], str],
) -> Imported:
    """What ``import_claims`` would do with the file; nothing is written.

    Raises:
        InvalidRequestError: a line is not of its form (code ``claim``).
        LogUnavailableError: the database cannot be reached.
    """
    now, count = installation.clock(), Counter[str]()
    for claims in _read(installation, file, now, subject_key):
        _sort_out(claims, installation.history.statuses(claims[0].subject), now, count)
    return _report(file, "", count)


def import_claims(
    installation: Installation,
    file: BinaryIO,
    *,
    by: Official,
    subject_key: Callable[[object], str],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Imported:
    """Write what the file claims, one *import* leaf a person, some hundred at a time.

    The file is read to its end before anything is written. Cut short, what was written
    stays, and the same call again writes the rest. ``file`` can be read twice;
    ``progress`` is told how many claims are done, and of how many.

    Raises:
        InvalidRequestError: a line is not of its form (code ``claim``). Nothing is
            written, unless the file was changed meanwhile.
        LogUnavailableError: the database cannot be written.
    """
    now, count = installation.clock(), Counter[str]()
    total = sum(len(each) for each in _read(installation, file, now, subject_key))
    with installation.ledger.write() as transaction:
        act = record_admin_act(
            installation,
            transaction,
            action="import",
            target=_digest(file),
            by=by,
            now=now,
            facts={"claims": total},
        )
    people = _read(installation, file, now, subject_key)
    while some := list(islice(people, _AT_A_TIME)):
        with installation.ledger.write() as transaction:
            # In one order, so that no two imports wait for each other's rows.
            for claims in sorted(some, key=lambda each: each[0].subject):
                _write(installation, transaction, claims, now, count)
        progress(count["claims"], total)
    return _report(file, act.id, count)


def _read(
    installation: Installation,
    file: BinaryIO,
    now: Millis,
    subject_key: Callable[[object], str],
) -> Iterator[tuple[Claim, ...]]:
    file.seek(0)
    # A line that is too long is refused, not read.
    lines = iter(lambda: file.readline(MAX_LINE + 1), b"")
    return read_claims(lines, installation.registry, now=now, subject_key=subject_key)


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    found = hashlib.sha256()
    while block := file.read(_BLOCK):
        found.update(block)
    return found.hexdigest()


def _write(
    installation: Installation,
    transaction: Transaction,
    claims: tuple[Claim, ...],
    now: Millis,
    count: Counter[str],
) -> None:
    subject = claims[0].subject
    standing = transaction.statuses(subject)
    if all(each.key in standing or _is_over(each, now) for each in claims):
        _sort_out(claims, standing, now, count)  # and nobody is noted for nothing
        return
    recorder = PersonRecorder.lock(installation, transaction, subject)
    # The person may have answered while their row was waited for.
    standing = transaction.statuses(subject)
    fresh = _sort_out(claims, standing, now, count)
    if fresh:
        recorder.check_can_seal()
        append_answers(
            recorder,
            Kind.IMPORT,
            [_choice(each) for each in fresh],
            manner=_manner(fresh),
            source=fresh[0].source,
        )


def _sort_out(
    claims: tuple[Claim, ...],
    standing: Mapping[tuple[str, str], Status],
    now: Millis,
    count: Counter[str],
) -> list[Claim]:
    """Those that are to be written, sorted by question; all are counted."""
    left = [each for each in claims if each.key in standing]
    over = [each for each in claims if each.key not in standing and _is_over(each, now)]
    fresh = [each for each in claims if each not in left and each not in over]
    count.update(
        persons=1,
        claims=len(claims),
        written=len(fresh),
        left=len(left),
        over=len(over),
    )
    return sorted(fresh, key=lambda each: each.key)


def _is_over(claim: Claim, now: Millis) -> bool:
    return bool(claim.data) and claim.until <= now


def _choice(claim: Claim) -> Choice:
    return Choice(
        purpose=claim.purpose,
        recipient=claim.recipient,
        data=claim.data,
        scope=claim.scope,
        state=claim.state,
        until=claim.until,
    )


def _manner(claims: list[Claim]) -> Manner:
    """Who says so is the controller, whoever told it; the claimed times are sealed."""
    said = [
        {
            "purpose": each.purpose,
            "recipient": each.recipient,
            "time": rfc3339(each.time),
        }
        for each in claims
    ]
    return Manner(Actor.CONTROLLER, channel=Channel.IMPORT, facts={CLAIMED: said})


def _report(file: BinaryIO, act: str, count: Counter[str]) -> Imported:
    names = ("persons", "claims", "written", "left", "over")
    return Imported(_digest(file), act, **{name: count[name] for name in names})
