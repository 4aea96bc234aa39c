"""Written down first, then shared: no line, no release; and every no is on record."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Actor
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.registry import Registry
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from consentkit.service.suspending import suspend
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import WALLET
from tests.processes import in_fork
from tests.service.officials import OFFICER
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NIGHT
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet
from tests.service.wallet import denied

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINES = ("sqlite", "postgresql")


@pytest.mark.requirement("R75")
def test_a_share_says_who_got_what_and_on_the_strength_of_what(wallet: Wallet) -> None:
    grant = wallet.answer("alice", CREDIT_SCORE)
    wallet.clock.now += 1_000
    release = wallet.share("alice", CREDIT_SCORE)
    (leaf,) = wallet.leaves("disclosure")
    assert leaf.id == release.disclosure
    question = wallet.declared.question(*CREDIT_SCORE)
    assert question
    assert dict(leaf.body) == {
        "amount": 12,
        "caller": "jobs:score",
        "channel": "server",
        "data": ["spending"],
        "grant": grant.hash.hex(),
        "id": release.disclosure,
        "kind": "disclosure",
        "log": wallet.installation.origin,
        "prev": grant.hash.hex(),
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "record": grant.id,
        "scope": question.scope,
        "seq": 1,
        "subject": grant.subject,
        "time": wallet.clock.now,
    }
    ((row,), total) = wallet.installation.history.disclosures("alice", limit=9)
    assert total == 1
    assert (row.id, row.time, row.record) == (leaf.id, leaf.time, grant.id)
    assert (row.purpose, row.recipient, row.data) == (*CREDIT_SCORE, ("spending",))
    assert row.reason == "granted"


@pytest.mark.requirement("R75")
def test_a_refused_attempt_says_as_much(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE, said=State.REFUSED)
    denied(wallet, data={"spending", "city"})
    (leaf,) = wallet.leaves("denial")
    expected = {
        "amount": 12,
        "caller": "jobs:score",
        "channel": "server",
        "data": ["city", "spending"],
        "purpose": "credit-score",
        "reason": "refused",
        "recipient": "acme-credit",
        "time": wallet.clock.now,
    }
    assert expected.items() <= leaf.body.items()
    ((row,), _) = wallet.installation.history.disclosures("alice", limit=9)
    assert (row.id, row.reason, row.record) == (leaf.id, "refused", "")


@pytest.mark.sqlite
@pytest.mark.requirement("R76")
def test_the_line_is_there_for_others_before_the_caller_has_the_release(
    wallet: Wallet,
) -> None:
    wallet.answer("alice", CREDIT_SCORE)

    def share_and_die() -> None:
        release = wallet.share("alice", CREDIT_SCORE)
        (wallet.folder / "sent").write_text(release.disclosure)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_fork(share_and_die).signal == signal.SIGKILL
    with closing(sqlite3.connect(wallet.file)) as other:
        found = other.execute("SELECT id FROM consent_leaf WHERE kind = 'disclosure'")
        assert found.fetchall() == [((wallet.folder / "sent").read_text(),)]


# Every reason that can be on record, and how it comes about for Alice.


def not_asked(_: Wallet) -> None:
    """Nothing happened."""


def refused(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE, said=State.REFUSED)


def deferred(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE, said=State.DEFERRED)


def withdrawn(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.revoke("alice")


def revoked(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    revoke(wallet.installation, Ending("alice", actor=Actor.CONTROLLER))


def invalidated(wallet: Wallet) -> None:
    wallet.damaged = True  # there is no act yet that makes a leaf of it
    wallet.answer("alice", CREDIT_SCORE)
    wallet.sql("UPDATE consent_state SET state = 'invalidated'")


def expired(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.clock.now += 365 * DAY


def suspended(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    suspend(wallet.installation, recipient="acme-credit", by=OFFICER)


DENIALS: dict[Callable[[Wallet], None], Reason] = {
    not_asked: Reason.NOT_ASKED,
    refused: Reason.REFUSED,
    deferred: Reason.DEFERRED,
    withdrawn: Reason.WITHDRAWN,
    revoked: Reason.REVOKED,
    invalidated: Reason.INVALIDATED,
    expired: Reason.EXPIRED,
    suspended: Reason.SUSPENDED,
}


@pytest.mark.requirement("R75")
@pytest.mark.parametrize(("happens", "reason"), DENIALS.items())
def test_every_no_is_on_record_with_its_reason(
    wallet: Wallet, happens: Callable[[Wallet], None], reason: Reason
) -> None:
    happens(wallet)
    assert wallet.check("alice", CREDIT_SCORE).reason is reason
    assert denied(wallet) is reason
    (leaf,) = wallet.leaves("denial")
    assert leaf.body["reason"] == reason
    assert wallet.leaves("disclosure") == []


def test_a_no_for_data_abroad_or_unknown_names_is_on_record_too(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("alice", NIGHT)
    told = [
        denied(wallet, data={"city"}),
        denied(wallet, data=set()),
        denied(wallet, NIGHT),
        denied(wallet, TRANSFER),
        denied(wallet, ("credit-score", "corner-shops")),
        denied(wallet, ("lottery", "acme-credit")),
    ]
    assert told[:3] == [
        *[Reason.DATA_NOT_COVERED] * 2,
        Reason.CROSS_BORDER_CONSENT_MISSING,
    ]
    assert told[4:] == [Reason.RECIPIENT_UNKNOWN, Reason.PURPOSE_UNKNOWN]
    assert [leaf.body["reason"] for leaf in wallet.leaves("denial")] == told


def test_a_no_for_what_has_changed_since_is_on_record_too(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    longer = replace(SCORE, retention="P2Y")
    resting = replace(SCORE, recipients=[replace(CREDIT, active=False)])
    for purpose, reason in (
        (longer, Reason.SCOPE_CHANGED),
        (resting, Reason.RECIPIENT_INACTIVE),
    ):
        later = Wallet(wallet.folder, declared=Registry(WALLET, [purpose]))
        assert denied(later) is reason
        assert later.leaves("denial")[-1].body["reason"] == reason


def test_the_tests_above_meet_every_reason_that_exists_so_far() -> None:
    met = {*DENIALS.values(), Reason.DATA_NOT_COVERED, Reason.RECIPIENT_UNKNOWN}
    met |= {Reason.CROSS_BORDER_CONSENT_MISSING, Reason.PURPOSE_UNKNOWN}
    met |= {Reason.SCOPE_CHANGED, Reason.RECIPIENT_INACTIVE, Reason.GRANTED}
    met |= {Reason.STORE_UNAVAILABLE}  # below
    of_the_young_and_of_signals = {
        Reason.GUARDIAN_REAFFIRMATION_NEEDED,
        Reason.PROHIBITED_FOR_MINORS,
        Reason.OPT_OUT_SIGNAL,
    }
    assert met | of_the_young_and_of_signals == set(Reason)


@pytest.mark.requirement("R68")
def test_a_yes_of_the_check_is_asked_again_when_it_is_used(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    assert wallet.check("alice", CREDIT_SCORE)
    wallet.revoke("alice")
    assert denied(wallet) is Reason.WITHDRAWN


def test_a_person_sees_their_own_lines_newest_first_and_nobody_elses(
    wallet: Wallet,
) -> None:
    history = wallet.installation.history
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("bob", SHOPS)
    for _ in range(3):
        wallet.clock.now += 1
        wallet.share("alice", CREDIT_SCORE)
        wallet.share("bob", SHOPS)
    rows, total = history.disclosures("alice", limit=2)
    later, _ = history.disclosures("alice", limit=2, offset=2)
    assert total == 3
    times = [row.time for row in [*rows, *later]]
    assert times == sorted(times, reverse=True)
    assert {row.recipient for row in [*rows, *later]} == {"acme-credit"}
    assert len({row.id for row in [*rows, *later]}) == 3
    assert history.disclosures("carol", limit=9) == ([], 0)


def test_the_repr_of_a_release_names_no_person(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    release = wallet.share("alice", CREDIT_SCORE)
    assert repr(release) == "<Release 'credit-score' to 'acme-credit': spending>"
    assert json.dumps([release.purpose, release.recipient, sorted(release.data)])
    assert release.record == wallet.leaves("choice")[0].id
