"""A wallet that has gone through periods: logs that ended, were archived, or went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.service.administering import Official
from consentkit.service.archive_folder import FolderArchive
from consentkit.service.archiving import archive_log
from consentkit.service.dropping import drop_periods
from consentkit.service.keyring import folder_of
from consentkit.service.opening import PERIOD_OVER
from consentkit.service.opening import open_next
from consentkit.service.publishing import publish_all
from consentkit.service.purging import purge
from consentkit.service.rebuilding import differences
from consentkit.store.periods import Periods
from tests.service.two_logs import begin
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from consentkit.audit.report import Finding
    from consentkit.service.archiving import Archived
    from consentkit.service.dropping import Dropping
    from consentkit.store.periods import Period

__all__ = [
    "FIRST",
    "OFFICER",
    "SECOND",
    "THIRD",
    "YEAR",
    "archive",
    "clean",
    "lived_in",
    "log_key",
    "new_wallet",
    "next_period",
    "periods",
    "prove",
    "restart",
    "trust_in",
    "years_later",
]

FIRST, SECOND, THIRD = ORIGIN, "wallet.example/consent/2027", "wallet.example/2028"
OFFICER = Official("dpo@wallet.example", PERIOD_OVER)
YEAR = 366 * DAY


def new_wallet(folder: Path, engine: str, request: pytest.FixtureRequest) -> Wallet:
    """One with empty tables on that engine."""
    uri = ""
    if engine == "postgresql":
        uri = request.getfixturevalue("postgres").new_tables()
    folder.mkdir(parents=True, exist_ok=True)
    return Wallet(folder, uri=uri)


def lived_in(wallet: Wallet) -> Wallet:
    """Alice said yes and her data was shared; Bob said no."""
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    return wallet


def next_period(wallet: Wallet, origin: str = SECOND) -> str:
    """End the period, and go on with the next log; the one that ended."""
    ended = wallet.installation.origin
    assert open_next(wallet.installation, origin, by=OFFICER).keys
    wallet.clock.now += 60_000
    restart(wallet, origin)
    return ended


def restart(wallet: Wallet, origin: str) -> None:
    """Start the process anew, with that name for its log."""
    wallet.installation.close()
    begin(wallet, origin)


def years_later(wallet: Wallet, years: int = 8) -> None:
    """The claim period of what was is over; what is kept of people is renewed now."""
    wallet.clock.now += years * YEAR
    wallet.answer("alice", CREDIT_SCORE)


def archive(wallet: Wallet, to: Path, origin: str = FIRST) -> Archived:
    """Into a folder within ``to``."""
    place = FolderArchive(folder_of(to, origin))
    return archive_log(wallet.installation, origin, place, by=OFFICER)


def clean(
    wallet: Wallet, *, before: int | None = None, without_archive: bool = False
) -> Dropping:
    """What ``flask consent purge`` does."""
    since = None if before is None else Millis(before)
    done = purge(wallet.installation, by=OFFICER, before=since)
    return drop_periods(
        wallet.installation,
        by=OFFICER,
        before=done.cutoff,
        without_archive=without_archive,
    )


def periods(wallet: Wallet) -> dict[str, Period]:
    """The logs of the database by origin."""
    found = Periods(wallet.installation.database).all()
    return {each.origin: each for each in found}


def log_key(wallet: Wallet, origin: str) -> str:
    """The verifier key of one of its logs."""
    keys = wallet.installation.of_log(origin).keys
    return keys.ranges("log")[0].vkey


def trust_in(wallet: Wallet, origin: str) -> Trust:
    """In the keys of one of its logs."""
    ranges = wallet.installation.of_log(origin).keys.ranges()
    return Trust.of([each.vkey for each in ranges])


def prove(wallet: Wallet, *previous: Path) -> None:
    """The log in use holds on those before it; the state is what all leaves say."""
    publish_all(wallet.installation)
    sources = [FolderSource(each) for each in previous]
    trust = Trust.of([wallet.installation.keyring.log.vkey])
    faults: list[Finding] = list(
        find_faults(FolderSource(wallet.logs), trust=trust, previous=sources)
    )
    assert faults == []
    assert list(differences(wallet.installation)) == []
