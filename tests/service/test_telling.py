"""Whoever got data is told that the consent has ended, until they acknowledge it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.audit.replay import replay
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.log.leaf import read_leaf
from consentkit.service.choosing import Answer
from consentkit.service.endpoints import Endpoint
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.telling import ErasureTask
from consentkit.service.telling import deliver_due
from consentkit.service.telling import mark_told
from tests.recipient_server import RecipientServer
from tests.recipient_server import serve_recipient
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.store.deliveries import Delivery


@pytest.fixture
def acme(wallet: Wallet) -> Iterator[RecipientServer]:
    """Where the affiliate takes messages; the wallet is configured to send there."""
    with serve_recipient() as recipient:
        use(wallet, acme_credit=recipient)
        yield recipient


def use(wallet: Wallet, **recipients: RecipientServer) -> None:
    endpoints = {
        name.replace("_", "-"): Endpoint(each.url, internal=True)
        for name, each in recipients.items()
    }
    wallet.installation = replace(wallet.installation, endpoints=endpoints)


def told_of(server: RecipientServer) -> list[dict[str, Any]]:
    return [json.loads(each.body)["data"] for each in server.got]


def outbox(wallet: Wallet) -> list[tuple[Any, ...]]:
    return wallet.sql(
        "SELECT recipient, event, status, attempts FROM consent_delivery "
        "ORDER BY event DESC, recipient"
    )


def deliveries(wallet: Wallet) -> list[dict[str, Any]]:
    leaves = map(read_leaf, wallet.installation.history.all_leaves())
    return [dict(leaf.body) for leaf in leaves if leaf.kind == "delivery"]


def waiting(wallet: Wallet) -> list[Delivery]:
    return wallet.installation.deliveries.open(limit=10)


@pytest.mark.requirement("R57")
def test_each_recipient_that_got_data_is_told_once_and_no_other(
    wallet: Wallet,
) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    first = wallet.share("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.answer("ada", SHOPS, OWN_OFFERS)
    wallet.share("ada", SHOPS)
    wallet.answer("eve", SHOPS)

    with serve_recipient() as acme, serve_recipient() as shops:
        use(wallet, acme_credit=acme, corner_shops=shops)
        ended = wallet.revoke("ada").leaf
        assert acme.got == []  # the person waits for nobody
        assert deliver_due(wallet.installation) == 2
        assert deliver_due(wallet.installation) == 0
        wallet.revoke("eve")  # nobody ever got anything of hers
        assert deliver_due(wallet.installation) == 0

    assert ended is not None
    assert told_of(acme) == [
        {
            "act": ended.id,
            "controller": "wallet",
            "ended": [
                {
                    "purpose": "credit-score",
                    "record": first.record,
                    "state": "withdrawn",
                }
            ],
            "log": wallet.installation.origin,
            "recipient": "acme-credit",
        }
    ]
    assert [each["recipient"] for each in told_of(shops)] == ["corner-shops"]
    assert {each["status"] for each in deliveries(wallet)} == {"acknowledged"}


@pytest.mark.requirement("R57", "R59")
@pytest.mark.parametrize("said", [State.REFUSED, State.DEFERRED])
def test_who_decides_again_and_says_no_ends_a_yes_as_well(
    wallet: Wallet, acme: RecipientServer, said: State
) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.answer("ada", CREDIT_SCORE)  # to say yes again ends nothing
    last = wallet.share("ada", CREDIT_SCORE)
    assert outbox(wallet) == []

    wallet.answer("ada", CREDIT_SCORE, said=said)

    tasks: list[ErasureTask] = []
    assert deliver_due(wallet.installation, tasks.append) == 2
    (message,) = told_of(acme)
    assert {each["state"] for each in message["ended"]} == {said.value}
    assert last.record in {each["record"] for each in message["ended"]}
    assert [(each.purpose, each.data) for each in tasks] == [
        ("credit-score", ("spending",))
    ]
    wallet.answer("ada", CREDIT_SCORE, said=said)  # nor does to say no again
    assert deliver_due(wallet.installation, tasks.append) == 0


@pytest.mark.requirement("R57", "R59")
def test_a_new_yes_to_less_data_ends_the_old_one_for_the_rest(
    wallet: Wallet, acme: RecipientServer
) -> None:
    both = Answer(State.GIVEN, frozenset({"city"}))
    wallet.submit(wallet.form("ada", {CREDIT_SCORE: both}))
    wallet.answer("eve", CREDIT_SCORE)
    wide = wallet.share("ada", CREDIT_SCORE, {"city", "spending"})
    wallet.submit(wallet.form("ada", {CREDIT_SCORE: both}))
    wallet.share("ada", CREDIT_SCORE, {"spending"})
    assert outbox(wallet) == []

    act = wallet.answer("ada", CREDIT_SCORE)
    wallet.answer("ada", CREDIT_SCORE)  # nothing was left to drop

    tasks: list[ErasureTask] = []
    assert deliver_due(wallet.installation, tasks.append) == 2
    (message,) = (json.loads(each.body) for each in acme.got)
    assert message["type"] == "consent.narrowed"
    assert message["data"] == {
        "act": act.id,
        "controller": "wallet",
        "log": wallet.installation.origin,
        "narrowed": [
            {"data": ["city"], "purpose": "credit-score", "record": wide.record}
        ],
        "recipient": "acme-credit",
    }
    assert [(each.purpose, each.data) for each in tasks] == [
        ("credit-score", ("city",))
    ]


@pytest.mark.requirement("R57", "R59")
def test_data_dropped_here_and_agreed_to_elsewhere_stays(
    wallet: Wallet, acme: RecipientServer
) -> None:
    both = Answer(State.GIVEN, frozenset({"city"}))
    wallet.submit(wallet.form("ada", {CREDIT_SCORE: both}))
    wallet.answer("ada", OWN_OFFERS)  # which covers the city as well
    wallet.share("ada", CREDIT_SCORE, {"spending"})

    wallet.answer("ada", CREDIT_SCORE)

    assert outbox(wallet) == []  # and Acme never got the city
    assert acme.got == []


@pytest.mark.requirement("R45")
def test_a_message_names_no_person_and_no_other_recipient(
    wallet: Wallet, acme: RecipientServer
) -> None:
    wallet.answer("ada@example.org", CREDIT_SCORE)
    wallet.share("ada@example.org", CREDIT_SCORE)
    wallet.answer("ada@example.org", SHOPS)
    wallet.share("ada@example.org", SHOPS)
    wallet.revoke("ada@example.org")
    deliver_due(wallet.installation)

    (got,) = acme.got
    assert b"ada" not in got.body
    assert b"shop" not in got.body


@pytest.mark.requirement("R57")
def test_a_recipient_that_is_down_is_tried_again_with_the_same_message(
    wallet: Wallet, acme: RecipientServer
) -> None:
    acme.statuses = [500, 302, 204]
    wallet.answer("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.revoke("ada")

    assert deliver_due(wallet.installation) == 0
    assert deliver_due(wallet.installation) == 0  # not due again yet
    assert len(acme.got) == 1
    faults = {each.recipient: each.fault for each in waiting(wallet)}
    assert faults["acme-credit"] == "answered with status 500"
    wallet.clock.now += DAY
    assert deliver_due(wallet.installation) == 0
    wallet.clock.now += DAY
    assert deliver_due(wallet.installation) == 1

    assert len({(each.body, each.headers["webhook-id"]) for each in acme.got}) == 1
    assert len({each.headers["webhook-timestamp"] for each in acme.got}) == 3
    (leaf,) = deliveries(wallet)
    assert (leaf["status"], leaf["attempts"]) == ("acknowledged", 3)


@pytest.mark.requirement("R57")
def test_after_the_last_attempt_a_person_has_to_look(
    wallet: Wallet, acme: RecipientServer, caplog: pytest.LogCaptureFixture
) -> None:
    acme.statuses = [503]
    wallet.answer("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.revoke("ada")
    for _ in range(12):
        deliver_due(wallet.installation)
        wallet.clock.now += 2 * DAY

    assert len(acme.got) == 10
    assert ("acme-credit", "consent.ended", "failed", 10) in outbox(wallet)
    assert "recipient acme-credit was not told" in caplog.text
    assert [each["status"] for each in deliveries(wallet)] == ["failed"]

    (left,) = (each for each in waiting(wallet) if each.recipient == "acme-credit")
    mark_told(wallet.installation, left.id)
    assert [each["status"] for each in deliveries(wallet)] == ["failed", "acknowledged"]
    with pytest.raises(InvalidRequestError, match="nobody has acknowledged yet"):
        mark_told(wallet.installation, left.id)


def test_a_recipient_without_an_address_stays_listed(wallet: Wallet) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.revoke("ada")

    assert deliver_due(wallet.installation) == 0
    left = {each.recipient: each.attempts for each in waiting(wallet)}
    assert left == {"acme-credit": 0, "controller": 0}
    with serve_recipient() as acme:
        use(wallet, acme_credit=acme)
        assert deliver_due(wallet.installation) == 1


@pytest.mark.requirement("R61")
def test_an_act_whose_outbox_cannot_be_written_does_not_happen(wallet: Wallet) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.break_writes("INSERT ON consent_delivery")
    before = len(list(wallet.installation.history.all_leaves()))
    with pytest.raises(LogConflictError):
        wallet.revoke("ada")
    assert len(list(wallet.installation.history.all_leaves())) == before
    wallet.mend_writes()
    assert wallet.revoke("ada").leaf is not None


@pytest.mark.requirement("R59")
def test_the_app_is_asked_to_erase_what_no_grant_covers_any_more(
    wallet: Wallet,
) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    ended = wallet.revoke("ada").leaf
    assert ended is not None
    asked: list[ErasureTask] = []

    def erase_later(task: ErasureTask) -> None:
        asked.append(task)
        raise OSError("the payments are locked")

    assert deliver_due(wallet.installation) == 0
    assert deliver_due(wallet.installation, erase_later) == 0
    assert waiting(wallet)[0].fault == "OSError"
    wallet.clock.now += DAY
    assert deliver_due(wallet.installation, asked.append) == 1
    assert deliver_due(wallet.installation, asked.append) == 0

    task = ErasureTask("ada", "credit-score", ("spending",), ended.id)
    assert asked == [task, task]
    assert waiting(wallet) == []


@pytest.mark.requirement("R59")
def test_data_that_another_grant_covers_stays(wallet: Wallet) -> None:
    wallet.answer("ada", SHOPS, OWN_OFFERS)
    wallet.revoke("ada", *SHOPS)
    assert waiting(wallet) == []
    wallet.revoke("ada", *OWN_OFFERS)
    assert [each.recipient for each in waiting(wallet)] == ["controller"]


def test_a_delivery_changes_no_answer(wallet: Wallet, acme: RecipientServer) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.revoke("ada")
    deliver_due(wallet.installation)

    assert acme.got
    assert wallet.check("ada", CREDIT_SCORE).reason == Reason.WITHDRAWN
    leaves = map(read_leaf, wallet.installation.history.all_leaves())
    (row,) = replay(leaves).values()
    assert row.status.state is State.WITHDRAWN


@pytest.mark.requirement("R57", "R92")
def test_an_erasure_is_told_and_then_nothing_of_it_is_left(
    wallet: Wallet, acme: RecipientServer
) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    release = wallet.share("ada", CREDIT_SCORE)
    done = erase(wallet.installation, Erasing("ada", "request"))
    assert done.leaf is not None

    assert deliver_due(wallet.installation) == 1

    (told,) = told_of(acme)
    assert told["act"] == done.leaf.id
    assert told["ended"] == [
        {"purpose": "credit-score", "record": release.record, "state": "erased"}
    ]
    assert outbox(wallet) == []
    assert deliveries(wallet) == []  # an erased person's chain has ended


@pytest.mark.requirement("R57")
def test_an_ending_that_nobody_was_told_of_yet_outlives_the_erasure(
    wallet: Wallet, acme: RecipientServer
) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    wallet.share("ada", CREDIT_SCORE)
    wallet.revoke("ada")
    erase(wallet.installation, Erasing("ada", "request"))

    assert deliver_due(wallet.installation, print) == 2
    states = [each["ended"][0]["state"] for each in told_of(acme)]
    assert sorted(states) == ["erased", "withdrawn"]
