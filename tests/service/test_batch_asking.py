"""Whom a batch asks about: all who may be in what leaves, and nobody is forgotten."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from typing import TYPE_CHECKING
from typing import Any

import pytest
from marshmallow import Schema
from marshmallow import fields

from consentkit.audit import verify_release
from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.errors import UngatedSendError
from consentkit.errors import VerificationError
from consentkit.service.batch_gate import BatchGate
from consentkit.service.destinations import Address
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.guarded_requests import GuardedSession
from consentkit.service.guarding import Guard
from consentkit.service.guarding import sending
from consentkit.service.live import live
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from consentkit.store.batch_changes import Mark
from tests.service.batches import agreeing
from tests.service.batches import handle_of
from tests.service.batches import lines
from tests.service.batches import share_many
from tests.service.guarded import shared
from tests.service.officials import OFFICER
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable

    from consentkit.service.batch import Batch

ENGINES = ("sqlite", "postgresql")
HOST = Address("api.acme-credit.example", 443)


class Rows(Schema):
    amount = fields.Integer(metadata={"category": "spending"})


ROWS = [{"amount": 1}]


def send(wallet: Wallet) -> None:
    with sending(Guard(wallet.declared).spend([HOST])):
        pass


def ways_out(wallet: Wallet, batch: Batch) -> list[Callable[[], object]]:
    return [
        partial(send, wallet),
        partial(batch.only, Rows(many=True), ROWS),
        batch.proof,
        partial(batch.proof, b"rows"),
    ]


def refused(wallet: Wallet, batch: Batch, reason: Reason = Reason.WITHDRAWN) -> bool:
    for way_out in ways_out(wallet, batch):
        with pytest.raises(ConsentDeniedError) as denied:
            way_out()
        assert denied.value.decision.reason is reason
    return True


@pytest.mark.requirement("R68", "R74")
def test_nothing_leaves_about_nobody(wallet: Wallet) -> None:
    asked = agreeing(wallet, 2)
    for people, why in (
        (["stranger"], "nobody is in this"),
        (asked, "nobody was handed"),
    ):
        batch = share_many(wallet, people)
        with live(batch):
            for way_out in ways_out(wallet, batch):
                with pytest.raises((InvalidRequestError, UngatedSendError), match=why):
                    way_out()
            with pytest.raises(InvalidRequestError, match="has handed out"):
                batch.about(people).__enter__()


@pytest.mark.requirement("R62", "R68")
def test_what_is_gone_through_again_asks_about_everybody_still(wallet: Wallet) -> None:
    asked = agreeing(wallet, 4)
    batch = share_many(wallet, asked)
    with live(batch):
        everybody = list(batch)
        assert next(iter(batch)) in asked
        assert everybody[0] in batch
        send(wallet)
        wallet.revoke(everybody[-1])
        assert refused(wallet, batch)
        rest = list(batch)
        assert rest == everybody[:-1]
        # What was sent before may have been about them: no line says otherwise.
        assert lines(wallet, everybody[-1]) == [(batch.disclosure, "granted")]
        assert refused(wallet, batch)  # it may still be about the one who left
        with batch.about(rest):
            for way_out in ways_out(wallet, batch):
                way_out()


@pytest.mark.requirement("R62", "R68")
@pytest.mark.parametrize("numbered", [False, True])
def test_each_send_asks_about_all_who_were_handed_out(
    wallet: Wallet, *, numbered: bool
) -> None:
    asked = agreeing(wallet, 20)
    batch = share_many(wallet, asked)
    with live(batch):
        people = iter(batch)
        first, _, third, fourth = (next(people) for _ in range(4))
        send(wallet)
        next(people)
        send(wallet)  # nothing has happened
        if numbered:
            wallet.verify()
            send(wallet)
        wallet.revoke(third)
        if numbered:
            wallet.verify()
        assert refused(wallet, batch)
        assert refused(wallet, batch)
        with batch.about(third), pytest.raises(ConsentDeniedError):
            send(wallet)
        with batch.about([first, fourth]):
            send(wallet)
            wallet.revoke(first)
            assert refused(wallet, batch)
            with batch.about(fourth):
                send(wallet)
            assert refused(wallet, batch)


@pytest.mark.sqlite
@pytest.mark.parametrize("reason", [Reason.SUSPENDED, Reason.NOT_ASKED, Reason.EXPIRED])
def test_no_end_of_any_kind_is_missed(wallet: Wallet, reason: Reason) -> None:
    ends: dict[Reason, Callable[[str], object]] = {
        Reason.SUSPENDED: lambda _: suspend(
            wallet.installation, purpose=CREDIT_SCORE[0], by=OFFICER
        ),
        Reason.NOT_ASKED: lambda who: erase(
            wallet.installation, Erasing(who, "request"), sweeps=False
        ),
        Reason.EXPIRED: lambda _: setattr(
            wallet.clock, "now", wallet.clock.now + 400 * DAY
        ),
    }
    asked = agreeing(wallet, 3)
    batch = share_many(wallet, asked)
    with live(batch):
        first, *_ = batch
        send(wallet)
        ends[reason](first)
        assert refused(wallet, batch, reason)
        if reason is Reason.SUSPENDED:
            with pytest.raises(ConsentDeniedError):
                list(batch)
            assert lines(wallet, first) == [(batch.disclosure, "granted")]
            resume(wallet.installation, purpose=CREDIT_SCORE[0], by=OFFICER)
            send(wallet)
            assert next(iter(batch)) == first


@pytest.mark.requirement("R62")
def test_who_agreed_anew_is_not_in_what_is_sent(wallet: Wallet) -> None:
    asked = agreeing(wallet, 3)
    batch = share_many(wallet, asked)
    with live(batch):
        first, *_ = batch
        send(wallet)
        wallet.revoke(first)
        wallet.answer(first, CREDIT_SCORE)
        wallet.clock.now += 1
        assert refused(wallet, batch, Reason.SCOPE_CHANGED)


def test_while_nothing_happens_nobody_is_asked_about_twice(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = agreeing(wallet, 40)
    batch = share_many(wallet, asked)
    judged: list[int] = []
    people = BatchGate.people

    def counting(gate: BatchGate, **which: Any) -> list[Any]:
        found = people(gate, **which)
        judged.append(len(found))
        return found

    with live(batch):
        handed_out = list(batch)
        wallet.verify()
        send(wallet)
        monkeypatch.setattr(BatchGate, "people", counting)
        send(wallet)
        assert judged == []
        wallet.answer(handed_out[3], SHOPS)
        send(wallet)
        assert judged == [1]
        wallet.clock.now -= 10  # then an answer may lie in the future
        send(wallet)
        assert sum(judged) == 41


def test_what_cannot_be_said_is_asked_about_all(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = agreeing(wallet, 4)
    share_many(wallet, asked)
    batches = wallet.installation.batches
    (row,) = batches.all()
    last = max(handle_of(wallet, each) for each in asked)
    wallet.verify()
    told = partial(batches.touched, row, until=last)
    now = batches.mark()
    assert told(since=now) == []
    assert len(told(since=Mark(now.log, 0)) or ()) == 4
    assert told(since=Mark(now.log, now.size + 1)) is None
    assert told(since=Mark(now.log + 1, 0)) is None
    monkeypatch.setattr("consentkit.store.batch_changes.MOST", 3)
    assert told(since=Mark(now.log, 0)) is None
    suspend(wallet.installation, purpose=CREDIT_SCORE[0], by=OFFICER)
    assert told(since=now) is None


@pytest.mark.sqlite
def test_a_narrowing_names_people_who_were_handed_out(wallet: Wallet) -> None:
    asked = agreeing(wallet, 3)
    batch = share_many(wallet, [*asked, "new"])
    with live(batch):
        people = iter(batch)
        first = next(people)
        later = next(each for each in asked if each != first)
        for wrong in ([], [first, "new"], [first, later], "who"):
            with pytest.raises(InvalidRequestError) as error, batch.about(wrong):
                pass
            assert error.value.code == "not-in-batch"
        with batch.about(iter([first])):
            send(wallet)
    with pytest.raises(InvalidRequestError, match="ends with its block"):
        batch.about(first).__enter__()


@pytest.mark.sqlite
def test_the_proof_of_one_person_is_about_their_bytes(wallet: Wallet) -> None:
    one, other = agreeing(wallet, 2)
    batch = share_many(wallet, [one, other])
    with live(batch):
        proof = batch.proof_for(one, body=b"one's")
    terms: Any = {
        "trust": wallet.trust,
        "recipient": "acme-credit",
        "at": wallet.clock(),
    }
    assert verify_release(proof, body=b"one's", **terms).entry
    with pytest.raises(VerificationError):
        verify_release(proof, body=b"the other's", **terms)


@pytest.mark.sqlite
@pytest.mark.requirement("R68")
def test_the_innermost_share_decides_used_up_or_not(wallet: Wallet) -> None:
    agreeing(wallet, 2)
    with shared(wallet, "person-0"), shared(wallet, "person-1"):
        send(wallet)
        with pytest.raises(UngatedSendError, match="used up"):
            send(wallet)
    with shared(wallet, "person-0"), shared(wallet, "person-1"):
        wallet.revoke("person-1")
        with pytest.raises(ConsentDeniedError):
            send(wallet)
        with pytest.raises(UngatedSendError, match="used up"):
            send(wallet)
    with shared(wallet, "person-0", sends=2):
        send(wallet)
        with live(share_many(wallet, ["person-1"])), pytest.raises(UngatedSendError):
            send(wallet)
        send(wallet)


@pytest.mark.sqlite
@pytest.mark.requirement("R68")
def test_nothing_that_lets_data_out_can_be_copied(wallet: Wallet) -> None:
    agreeing(wallet, 1)
    with shared(wallet, "person-0") as release:
        batch = share_many(wallet, ["person-0"])
        session = GuardedSession(Guard(wallet.declared))
        for each in (release, batch, session):
            for way in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="cannot be copied or pickled"):
                    way(each)
