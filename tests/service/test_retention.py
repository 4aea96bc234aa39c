"""What is older than the claim period goes, a tombstone stays, and the log holds."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime

import pytest

from consentkit.core.act import Millis
from consentkit.core.period import millis_of
from consentkit.core.record import rfc3339
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.service.administering import Official
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.purging import Purge
from consentkit.service.purging import purge
from consentkit.service.rebuilding import differences
from consentkit.service.retention import DEFAULT_PERIOD
from consentkit.service.retention import Retention
from tests.service.forgotten import forget
from tests.service.forgotten import found
from tests.service.forgotten import secrets_of
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

OFFICER = Official("dpo@wallet.example", "monthly")
YEAR = 366 * DAY
OF_PERSONS = "SELECT id FROM consent_leaf WHERE handle IS NOT NULL"


def clean(wallet: Wallet, *, before: int | None = None) -> Purge:
    return purge(
        wallet.installation,
        by=OFFICER,
        before=None if before is None else Millis(before),
    )


def amounts(done: Purge) -> tuple[int, int, int, int]:
    return done.persons, done.disclosures, done.evidence, done.holds


def ids(wallet: Wallet, table: str) -> set[str]:
    where = " WHERE handle <> ''" if table == "evidence" else ""
    rows = wallet.sql(f"SELECT id FROM consent_{table}{where}")  # noqa: S608  our own
    return {row[0] for row in rows}


@pytest.mark.requirement("R103")
def test_nothing_that_counts_or_is_young_is_purged(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    before = wallet.contents()

    done = clean(wallet)

    assert amounts(done) == (0, 0, 0, 0)
    assert done.leaf is None
    assert wallet.contents() == before


@pytest.mark.requirement("R78")
@pytest.mark.requirement("R103")
def test_lines_of_shares_go_after_the_period_and_the_log_still_verifies(
    wallet: Wallet,
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    old = ids(wallet, "disclosure")
    wallet.clock.now += 5 * YEAR
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    young = ids(wallet, "disclosure") - old
    assert clean(wallet).disclosures == 0
    wallet.clock.now += 2 * YEAR

    done = clean(wallet)

    assert done.disclosures == 1
    assert ids(wallet, "disclosure") == young
    assert len(wallet.leaves("disclosure")) == 2
    wallet.prove()


@pytest.mark.requirement("R103")
def test_evidence_of_a_grant_is_kept_until_the_period_after_its_end(
    wallet: Wallet,
) -> None:
    grant = wallet.answer("alice", CREDIT_SCORE)
    until = grant.body["choices"][0]["until"]
    wallet.clock.now = until + YEAR
    wallet.answer("alice", NIGHT, TRANSFER)

    assert clean(wallet, before=until).evidence == 0
    assert clean(wallet, before=until + 1).evidence == 1
    assert grant.id not in ids(wallet, "evidence")
    assert len(ids(wallet, "evidence")) == 1
    wallet.prove()


@pytest.mark.requirement("R103")
def test_an_act_counts_no_longer_once_all_of_it_is_replaced(wallet: Wallet) -> None:
    grant = wallet.answer("alice", SHOPS, OWN_OFFERS)
    wallet.clock.now += 10 * DAY
    wallet.revoke("alice", *SHOPS)
    wallet.clock.now += 10 * DAY
    assert clean(wallet, before=wallet.clock()).evidence == 0  # own use still stands
    stop = wallet.clock()
    wallet.revoke("alice", *OWN_OFFERS)
    wallet.clock.now += 10 * DAY
    wallet.answer("alice", CREDIT_SCORE)

    assert clean(wallet, before=stop).evidence == 0
    assert clean(wallet, before=stop + 1).evidence == 1
    assert grant.id not in ids(wallet, "evidence")
    assert not wallet.check("alice", SHOPS)
    wallet.prove()


@pytest.mark.requirement("R103")
def test_who_has_nothing_live_and_nothing_newer_is_forgotten(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wanted = secrets_of(wallet, "alice")
    wallet.revoke("alice")
    wallet.answer("bob", CREDIT_SCORE)
    wallet.clock.now += 6 * YEAR
    wallet.answer("bob", CREDIT_SCORE)

    done = clean(wallet)

    assert done.persons == 1
    (leaf,) = wallet.leaves("erasure")
    assert leaf.body["reason"] == "retention"
    assert found(wallet, wanted) == set()
    assert wallet.check("bob", CREDIT_SCORE)
    wallet.prove()


def test_a_grant_that_held_within_the_period_keeps_its_person(wallet: Wallet) -> None:
    """Given long ago, but it ran out within the period."""
    leaf = wallet.answer("alice", CREDIT_SCORE)
    until = leaf.body["choices"][0]["until"]
    wallet.clock.now = until + 10 * DAY

    assert clean(wallet, before=until - DAY).persons == 0
    assert clean(wallet, before=until).persons == 0
    assert clean(wallet, before=until + 1).persons == 1


@pytest.mark.requirement("R92")
@pytest.mark.requirement("R103")
def test_a_hold_that_has_run_out_is_shredded(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    ((sealed,),) = wallet.sql("SELECT sealed FROM consent_evidence")
    until = Millis(wallet.clock() + 30 * DAY)
    erase(wallet.installation, Erasing("alice", "claim", by=OFFICER, hold_until=until))
    wallet.clock.now = until - 1
    assert clean(wallet).holds == 0
    wallet.clock.now = until
    assert clean(wallet).holds == 1
    assert wallet.sql("SELECT * FROM consent_hold") == []
    assert found(wallet, {"evidence": sealed}) == set()
    wallet.prove()


def test_a_hold_that_still_runs_outlasts_the_period(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    until = Millis(wallet.clock() + 10 * YEAR)
    erase(wallet.installation, Erasing("alice", "claim", by=OFFICER, hold_until=until))
    wallet.clock.now += 9 * YEAR
    assert amounts(clean(wallet)) == (0, 0, 0, 0)
    assert len(ids(wallet, "evidence")) == 1
    wallet.prove()


@pytest.mark.requirement("R103")
def test_a_tombstone_commits_to_what_went(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.clock.now += 5 * YEAR
    wallet.answer("alice", CREDIT_SCORE)
    wallet.clock.now += 2 * YEAR

    done = clean(wallet)

    (leaf,) = wallet.leaves("admin")
    assert done.leaf is not None
    assert leaf.id == done.leaf.id
    assert leaf.body["action"] == "purge"
    assert leaf.body["target"] == rfc3339(done.cutoff)
    assert b"dpo@" not in leaf.data
    wallet.prove()
    wallet.clock.now += DAY
    assert clean(wallet).leaf is None


@pytest.mark.requirement("R103")
def test_a_purge_that_is_repeated_and_one_that_follows_an_erasure_raise_no_alarm(
    wallet: Wallet,
) -> None:
    for subject in ("alice", "bob", "carol"):
        wallet.answer(subject, CREDIT_SCORE)
        wallet.share(subject, CREDIT_SCORE)
    wallet.clock.now += 4 * YEAR
    for subject in ("alice", "bob"):
        wallet.answer(subject, NIGHT, TRANSFER)
        wallet.share(subject, NIGHT)
    forget(wallet, "alice")
    wallet.clock.now += 3 * YEAR
    assert amounts(clean(wallet)) == (1, 1, 1, 0)
    wallet.answer("dora", CREDIT_SCORE)
    wallet.clock.now += 4 * YEAR
    assert amounts(clean(wallet)) == (1, 0, 0, 0)
    forget(wallet, "dora")
    wallet.prove()


# What is found out


@pytest.fixture
def purged(wallet: Wallet) -> Wallet:
    """One line and one piece of evidence were purged, others not."""
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.clock.now += 5 * YEAR
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.clock.now += 2 * YEAR
    return wallet


def test_what_somebody_took_out_before_a_purge_is_not_covered_by_it(
    purged: Wallet,
) -> None:
    purged.damaged = True
    first = purged.leaves("disclosure")[0]
    purged.sql("DELETE FROM consent_disclosure WHERE id = ?", first.id)
    done = clean(purged)
    assert done.leaf is not None
    (line,) = differences(purged.installation)
    assert line.startswith(f"leaf {done.leaf.id}: the purge took other disclosures")


@pytest.mark.parametrize("table", ["disclosure", "evidence"])
def test_what_somebody_takes_out_after_a_purge_is_named(
    purged: Wallet, table: str
) -> None:
    purged.damaged = True
    clean(purged)
    assert list(differences(purged.installation)) == []
    purged.sql(f"DELETE FROM consent_{table} WHERE id IN ({OF_PERSONS})")  # noqa: S608  our own
    assert len(list(differences(purged.installation))) == 1


def test_what_was_purged_and_is_back_is_named(purged: Wallet) -> None:
    purged.damaged = True
    rows = purged.sql("SELECT * FROM consent_disclosure ORDER BY time LIMIT 1")
    clean(purged)
    marks = ", ".join("?" * len(rows[0]))
    purged.sql(f"INSERT INTO consent_disclosure VALUES ({marks})", *rows[0])  # noqa: S608  our own
    (line,) = differences(purged.installation)
    assert line.endswith("the disclosure table lists it, and no leaf says so")


def test_a_tombstone_whose_evidence_is_lost_is_named(purged: Wallet) -> None:
    purged.damaged = True
    done = clean(purged)
    assert done.leaf is not None
    purged.sql("DELETE FROM consent_evidence WHERE id = ?", done.leaf.id)
    (line,) = differences(purged.installation)
    assert line.startswith(f"leaf {done.leaf.id}: its evidence is missing")


# What may not be purged yet


def with_profile(wallet: Wallet, profile: str, period: str = "P10Y") -> Wallet:
    object.__setattr__(  # the installation is frozen, and so for the test's life
        wallet.installation, "retention", Retention(period, profile)
    )
    return wallet


YEARS = {"CN": 3, "IN": 1, "IN (consent manager)": 7, "US (HIPAA, as a model)": 6}


@pytest.mark.requirement("R78")
@pytest.mark.parametrize(("profile", "years"), YEARS.items(), ids=YEARS)
def test_a_purge_before_the_minimum_of_the_profile_is_refused(
    wallet: Wallet, profile: str, years: int
) -> None:
    with_profile(wallet, profile)
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.clock.now = millis_of(datetime(2040, 5, 1, tzinfo=UTC))
    day = millis_of(datetime(2040 - years, 5, 1, tzinfo=UTC))
    before = wallet.contents()

    with pytest.raises(InvalidRequestError) as caught:
        clean(wallet, before=day + 1)

    assert caught.value.code == "purge-too-early"
    assert f"of {profile}: P{years}Y" in str(caught.value)
    assert wallet.contents() == before
    assert clean(wallet, before=day).persons == 1
    wallet.prove()


@pytest.mark.parametrize("before", [0, -1, 1])
def test_a_purge_of_the_future_or_of_before_time_is_refused(
    wallet: Wallet, before: int
) -> None:
    day = wallet.clock() + 1 if before == 1 else before
    with pytest.raises(InvalidRequestError, match="in the past, after 1970"):
        clean(wallet, before=day)


@pytest.mark.requirement("R78")
def test_a_period_below_the_minimum_of_the_profile_is_no_configuration() -> None:
    with pytest.raises(ConfigurationError, match=r"shorter than the minimum.*P7Y"):
        Retention("P6Y", "IN (consent manager)")
    assert Retention("P7Y", "IN (consent manager)").minimum
    for profile in ("", "CN", "IN", "US (HIPAA, as a model)"):
        Retention(DEFAULT_PERIOD, profile)


def test_a_purge_that_cannot_leave_its_tombstone_takes_nothing(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.clock.now += 8 * YEAR
    before = wallet.contents()
    wallet.break_writes("INSERT ON consent_evidence")
    with pytest.raises(LogConflictError):
        clean(wallet)
    wallet.mend_writes()
    assert wallet.contents() == before
