"""Whole periods go when their time is over, and what is left tells the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Millis
from consentkit.core.decision import Reason
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.service.administering import administrative_acts
from consentkit.service.dropping import drop_periods
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.exporting import export
from consentkit.service.keyring import folder_of
from consentkit.service.purging import purge
from consentkit.service.rebuilding import differences
from consentkit.service.receipts import find_receipt
from consentkit.service.receipts import list_receipts
from consentkit.service.retention import Retention
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from tests.service.crashing import crash
from tests.service.forgotten import found
from tests.service.periods import FIRST
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.periods import THIRD
from tests.service.periods import YEAR
from tests.service.periods import archive
from tests.service.periods import clean
from tests.service.periods import lived_in
from tests.service.periods import new_wallet
from tests.service.periods import next_period
from tests.service.periods import periods
from tests.service.periods import prove
from tests.service.periods import restart
from tests.service.periods import trust_in
from tests.service.periods import years_later
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import Wallet
from tests.service.wallet import denied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENGINES = ("sqlite", "postgresql")


@pytest.fixture
def wallet(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> Iterator[Wallet]:
    """One whose first period is over, and archived."""
    wallet = lived_in(new_wallet(tmp_path / "wallet", engine, request))
    next_period(wallet)
    archive(wallet, tmp_path / "archive")
    yield wallet
    if not wallet.damaged:
        assert list(differences(wallet.installation)) == []
    Wallet.close_all()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the first log is archived."""
    return folder_of(tmp_path / "archive", FIRST)


def rows(wallet: Wallet, table: str) -> int:
    """How many of the first log."""
    query = f"SELECT count(*) FROM consent_{table} WHERE log = 1"  # noqa: S608  our own
    return int(wallet.sql(query)[0][0])


@pytest.mark.requirement("R78", "R103")
def test_a_period_whose_time_is_over_goes_as_a_whole(
    wallet: Wallet, place: Path
) -> None:
    old = wallet.logs.parent / place.name
    size = periods(wallet)[FIRST].size
    assert (old / "checkpoint").exists()
    acts = {leaf.id for leaf in wallet.leaves() if leaf.log == FIRST}
    years_later(wallet)

    (gone,) = clean(wallet).dropped

    assert (gone.origin, gone.size, gone.leaf.log) == (FIRST, size, SECOND)
    assert periods(wallet)[FIRST].dropped == wallet.clock.now
    for table in ("leaf", "disclosure", "tile", "witness"):
        assert rows(wallet, table) == 0
    assert not acts & {row[0] for row in wallet.sql("SELECT id FROM consent_evidence")}
    assert not acts & {row[0] for row in wallet.sql("SELECT record FROM consent_state")}
    assert not old.exists()
    prove(wallet, place)


def test_what_is_left_of_it_is_enough_to_judge_the_archive_by(
    wallet: Wallet, place: Path
) -> None:
    years_later(wallet)
    clean(wallet)
    restart(wallet, SECOND)
    log = wallet.installation.of_log(FIRST)
    latest = log.publications.latest()
    assert latest is not None
    assert latest[1] == (place / "checkpoint").read_bytes()
    verified = verify_log(FolderSource(place), trust=trust_in(wallet, FIRST))
    assert verified.size == periods(wallet)[FIRST].size == latest[0]


@pytest.mark.requirement("R102", "R103")
def test_the_log_in_use_says_which_went_and_how_much(
    wallet: Wallet, place: Path
) -> None:
    root = verify_log(FolderSource(place), trust=trust_in(wallet, FIRST)).root
    years_later(wallet)
    (gone,) = clean(wallet).dropped
    act = administrative_acts(wallet.installation)[-1]
    assert act.id == gone.leaf.id
    assert (act.action, act.target, act.person) == ("drop-log", FIRST, OFFICER.person)
    assert act.facts == {
        "dropped": {
            "answers": 0,
            "archive": str(place),
            "evidence": 1,  # who closed it; the purge took what was of people
            "leaves": gone.size,
            "root": root.hex(),
        }
    }


@pytest.mark.requirement("R103")
def test_no_byte_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    wallet = lived_in(Wallet(tmp_path / "wallet"))
    leaf = wallet.leaves("choice")[0]
    next_period(wallet)
    years_later(wallet)
    assert found(wallet, {"leaf": leaf.id.encode()})
    assert clean(wallet, without_archive=True).swept
    assert not found(wallet, {"leaf": leaf.id.encode()})
    Wallet.close_all()


@pytest.mark.sqlite
def test_nothing_more_goes_at_the_second_time(wallet: Wallet) -> None:
    years_later(wallet)
    clean(wallet)
    before = wallet.contents()
    assert clean(wallet).dropped == []
    assert wallet.contents() == before


@pytest.mark.sqlite
def test_people_stay_known_by_what_they_said_since(wallet: Wallet) -> None:
    years_later(wallet)
    newer = wallet.leaves("choice")[-1]
    first = wallet.leaves("choice")[0]
    clean(wallet)
    restart(wallet, SECOND)
    installation = wallet.installation
    assert [each.leaf.id for each in list_receipts(installation, "alice")] == [newer.id]
    assert find_receipt(installation, "alice", newer.id)
    assert find_receipt(installation, "alice", first.id) is None
    wallet.share("alice", CREDIT_SCORE)


@pytest.mark.sqlite
def test_an_old_no_goes_and_nobody_is_taken_to_have_agreed(wallet: Wallet) -> None:
    assert wallet.check("bob", CREDIT_SCORE).reason is Reason.REFUSED
    years_later(wallet)
    wallet.answer("carol", CREDIT_SCORE)
    clean(wallet)
    assert wallet.check("bob", CREDIT_SCORE).reason is Reason.NOT_ASKED
    assert not wallet.check("bob", CREDIT_SCORE)


@pytest.mark.sqlite
def test_an_old_no_of_somebody_who_is_still_here_goes_as_well(
    wallet: Wallet, place: Path
) -> None:
    years_later(wallet)
    wallet.answer("bob", ("shop-offers", "corner-shops"))
    (gone,) = clean(wallet).dropped
    facts = administrative_acts(wallet.installation)[-1].facts["dropped"]
    assert isinstance(facts, dict)
    assert facts["answers"] == 1
    assert wallet.check("bob", CREDIT_SCORE).reason is Reason.NOT_ASKED
    assert gone.size
    prove(wallet, place)


# What has to stay


def kept(wallet: Wallet, *, before: int | None = None) -> str:
    """Why the first log was not dropped."""
    leaves = len([leaf for leaf in wallet.leaves() if leaf.log == FIRST])
    done = clean(wallet, before=before)
    assert done.dropped == []
    assert done.kept in ("", FIRST)
    assert periods(wallet)[FIRST].dropped is None
    assert len([leaf for leaf in wallet.leaves() if leaf.log == FIRST]) == leaves
    return done.reason


@pytest.mark.requirement("R78")
def test_what_is_within_the_claim_period_stays(wallet: Wallet) -> None:
    wallet.clock.now += 5 * YEAR
    assert kept(wallet) == ""


@pytest.mark.requirement("R78")
def test_the_minimum_of_a_profile_is_kept_whatever_is_asked(wallet: Wallet) -> None:
    object.__setattr__(
        wallet.installation, "retention", Retention("P10Y", profile="CN")
    )
    years_later(wallet, years=2)
    with pytest.raises(InvalidRequestError) as caught:
        drop_periods(wallet.installation, by=OFFICER, before=wallet.clock())
    assert caught.value.code == "purge-too-early"
    assert periods(wallet)[FIRST].dropped is None


@pytest.mark.sqlite
def test_what_is_in_no_archive_stays_unless_an_official_says_so(
    tmp_path: Path,
) -> None:
    wallet = lived_in(Wallet(tmp_path / "wallet"))
    next_period(wallet)
    years_later(wallet)
    assert "--without-archive" in kept(wallet)
    (gone,) = clean(wallet, without_archive=True).dropped
    facts = administrative_acts(wallet.installation)[-1].facts["dropped"]
    assert isinstance(facts, dict)
    assert (facts["archive"], facts["leaves"]) == ("", gone.size)
    with pytest.raises(ConfigurationError, match="no archive is known"):
        export(wallet.installation.of_log(FIRST), tmp_path / "folder")
    Wallet.close_all()


@pytest.mark.sqlite
def test_a_log_whose_archive_is_gone_stays(wallet: Wallet, place: Path) -> None:
    years_later(wallet)
    away = place.rename(place.with_name("away"))
    assert "not found where it was put" in kept(wallet)
    place.mkdir()
    (place / "checkpoint").write_text("something else")
    assert "not found where it was put" in kept(wallet)
    (place / "checkpoint").unlink()
    place.rmdir()
    away.rename(place)
    assert clean(wallet).dropped


@pytest.mark.sqlite
def test_the_log_in_use_never_goes(wallet: Wallet) -> None:
    wallet.clock.now += 20 * YEAR
    assert [each.origin for each in clean(wallet).dropped] == [FIRST]
    assert periods(wallet)[SECOND].dropped is None
    assert clean(wallet).dropped == []


@pytest.mark.requirement("R103")
def test_a_yes_that_stood_within_the_claim_period_keeps_its_log(
    wallet: Wallet,
) -> None:
    """It was given nine years ago, for a year; the cut-off lies in that year."""
    years_later(wallet)
    since = wallet.clock.now - 8 * YEAR + 100 * DAY
    assert "stood" in kept(wallet, before=since)


@pytest.mark.sqlite
def test_a_yes_that_was_taken_back_before_the_claim_period_keeps_nothing(
    wallet: Wallet,
) -> None:
    wallet.clock.now += 50 * DAY
    wallet.revoke("alice")
    since = wallet.clock.now + 50 * DAY
    years_later(wallet)
    assert clean(wallet, before=since).dropped


@pytest.mark.sqlite
def test_a_yes_that_was_taken_back_within_it_keeps_its_log(wallet: Wallet) -> None:
    since = wallet.clock.now + 50 * DAY
    wallet.clock.now += 100 * DAY
    wallet.revoke("alice")
    years_later(wallet)
    assert "stood" in kept(wallet, before=since)


@pytest.mark.sqlite
def test_one_who_was_erased_before_the_claim_period_keeps_nothing(
    wallet: Wallet,
) -> None:
    wallet.clock.now += 50 * DAY
    erase(wallet.installation, Erasing("alice", "request"))
    since = wallet.clock.now + 50 * DAY
    years_later(wallet)
    assert clean(wallet, before=since).dropped


@pytest.mark.requirement("R92")
def test_a_legal_hold_keeps_its_log(wallet: Wallet, place: Path) -> None:
    until = Millis(wallet.clock.now + 9 * YEAR)
    erase(
        wallet.installation,
        Erasing("alice", "request", by=OFFICER, hold_until=until),
    )
    years_later(wallet)
    assert kept(wallet) == "needed still: 1 legal holds"
    wallet.clock.now += 2 * YEAR
    assert clean(wallet).dropped
    prove(wallet, place)


@pytest.mark.sqlite
def test_a_suspension_from_then_keeps_its_log(tmp_path: Path) -> None:
    wallet = lived_in(Wallet(tmp_path / "wallet"))
    suspend(wallet.installation, by=OFFICER, recipient="corner-shops")
    next_period(wallet)
    years_later(wallet)
    done = clean(wallet, without_archive=True)
    assert (done.dropped, done.reason) == ([], "needed still: 1 suspensions")
    resume(wallet.installation, by=OFFICER, recipient="corner-shops")
    assert clean(wallet, without_archive=True).dropped
    assert list(differences(wallet.installation)) == []
    Wallet.close_all()


@pytest.mark.sqlite
def test_a_message_that_nobody_acknowledged_keeps_its_log(wallet: Wallet) -> None:
    act = wallet.leaves("choice")[0]
    years_later(wallet)
    add = (
        "INSERT INTO consent_delivery (id, handle, recipient, event, record, body, "
        "created, due, attempts, status, fault) "
        "VALUES ('f', 'h', 'acme-credit', 'e', ?, x'00', 0, 0, 0, ?, '')"
    )
    wallet.sql(add, act.id, "failed")
    reason = kept(wallet)
    assert reason.startswith("needed still: 1 open messages to acme-credit; ")
    assert "'flask consent deliver --list'" in reason
    wallet.sql("UPDATE consent_delivery SET status = 'acknowledged'")
    assert clean(wallet).dropped
    assert wallet.sql("SELECT * FROM consent_delivery WHERE id = 'f'") == []


@pytest.mark.sqlite
def test_the_oldest_go_first_and_none_past_one_that_stays(
    wallet: Wallet, tmp_path: Path
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    next_period(wallet, THIRD)
    years_later(wallet)
    done = clean(wallet)
    assert [each.origin for each in done.dropped] == [FIRST]
    assert (done.kept, "in no archive" in done.reason) == (SECOND, True)
    archive(wallet, tmp_path / "archive", SECOND)
    assert [each.origin for each in clean(wallet).dropped] == [SECOND]
    assert [each.dropped is None for each in periods(wallet).values()] == [
        False,
        False,
        True,
    ]


# What is left tells the truth


@pytest.mark.sqlite
def test_its_export_names_the_archive(
    wallet: Wallet, place: Path, tmp_path: Path
) -> None:
    years_later(wallet)
    clean(wallet)
    for _ in range(2):  # by a process from before, and by a new one
        with pytest.raises(ConfigurationError, match=str(place)):
            export(wallet.installation.of_log(FIRST), tmp_path / "folder")
        restart(wallet, SECOND)
    with pytest.raises(InvalidRequestError, match="was dropped"):
        archive(wallet, tmp_path / "again")


@pytest.mark.sqlite
def test_a_log_that_was_dropped_without_a_leaf_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    years_later(wallet)
    wallet.sql("UPDATE consent_log SET dropped = ? WHERE id = 1", wallet.clock.now)
    (line,) = differences(wallet.installation)
    assert line == f"log {FIRST}: it was dropped, and no leaf says so"


@pytest.mark.sqlite
def test_a_log_that_is_back_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    years_later(wallet)
    clean(wallet)
    wallet.sql("UPDATE consent_log SET dropped = NULL WHERE id = 1")
    assert f"log {FIRST}: a leaf says that it was dropped; it was not" in set(
        differences(wallet.installation)
    )


@pytest.mark.sqlite
def test_purges_from_before_and_after_raise_no_alarm(
    wallet: Wallet, place: Path
) -> None:
    wallet.clock.now += 4 * YEAR
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    before = Millis(wallet.clock.now - 3 * YEAR)
    done = purge(wallet.installation, by=OFFICER, before=before)
    assert done.disclosures == 1  # a line of the first log
    years_later(wallet)
    assert clean(wallet).dropped
    prove(wallet, place)
    wallet.share("alice", CREDIT_SCORE)
    wallet.clock.now += 8 * YEAR
    wallet.answer("alice", CREDIT_SCORE)
    clean(wallet)
    prove(wallet, place)


@pytest.mark.sqlite
def test_a_share_rests_on_what_was_said_since(wallet: Wallet, place: Path) -> None:
    wallet.clock.now += 400 * DAY
    assert denied(wallet) is Reason.EXPIRED
    years_later(wallet)
    clean(wallet)
    wallet.share("alice", CREDIT_SCORE)
    prove(wallet, place)


@pytest.mark.sqlite
def test_files_of_somebody_else_in_its_folder_stay(wallet: Wallet, place: Path) -> None:
    old = wallet.logs.parent / place.name
    (old / "tile" / "notes.txt").write_text("ours")
    years_later(wallet)
    clean(wallet)
    left = [path for path in old.rglob("*") if path.is_file()]
    assert left == [old / "tile" / "notes.txt"]


@pytest.mark.sqlite
def test_wherever_it_is_killed_all_of_it_is_there_or_none(tmp_path: Path) -> None:
    killed, at, seen = True, 40, set()
    while killed:
        wallet = lived_in(Wallet(tmp_path / str(at)))
        next_period(wallet)
        years_later(wallet)
        old = folder_of(wallet.places.logs, FIRST)
        leaves = rows(wallet, "leaf")
        killed = crash(
            lambda _tell, wallet=wallet: clean(  # type: ignore[misc]
                wallet, without_archive=True
            ),
            at=at,
        ).killed
        gone = periods(wallet)[FIRST].dropped is not None
        assert rows(wallet, "leaf") == (0 if gone else leaves)
        seen.add((gone, old.exists()))
        clean(wallet, without_archive=True)
        assert periods(wallet)[FIRST].dropped is not None
        assert not old.exists()
        assert list(differences(wallet.installation)) == []
        Wallet.close_all()
        at += 37
    assert (False, True) in seen
    assert (True, False) in seen
