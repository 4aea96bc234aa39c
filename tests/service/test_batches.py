"""Many people, one line: each of them judged alone, proven alone and told alone."""

from __future__ import annotations

import threading
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.errors import UngatedSendError
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.service.destinations import Address
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.guarding import Guard
from consentkit.service.guarding import sending
from consentkit.service.live import live
from consentkit.service.suspending import suspend
from tests.service.batches import agreeing
from tests.service.batches import hand_out
from tests.service.batches import handle_of
from tests.service.batches import lines
from tests.service.batches import share_many
from tests.service.officials import OFFICER
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    pass

ENGINES = ("sqlite", "postgresql")
HOST = Address("api.acme-credit.example", 443)


@pytest.mark.requirement("R74")
@pytest.mark.requirement("R75")
def test_a_thousand_are_asked_about_and_those_who_did_not_agree_are_withheld(
    wallet: Wallet,
) -> None:
    agreed = agreeing(wallet, 963)
    refused = [f"no-{number}" for number in range(20)]
    for subject in refused:
        wallet.answer(subject, CREDIT_SCORE, said=State.REFUSED)
    unknown = [f"new-{number}" for number in range(17)]
    batch = share_many(wallet, [*unknown, *refused, *agreed])

    (leaf,) = wallet.leaves("disclosure-batch")
    assert wallet.leaves("disclosure", "denial") == []
    assert leaf.id == batch.disclosure
    said = {name: leaf.body[name] for name in ("count", "withheld", "amount", "data")}
    assert said == {"count": 963, "withheld": 37, "amount": 963, "data": ["spending"]}
    assert (leaf.body["purpose"], leaf.body["recipient"]) == CREDIT_SCORE
    assert (leaf.body["caller"], leaf.body["channel"]) == ("jobs:export", "server")
    assert sorted(hand_out(batch)) == sorted(agreed)
    shown = {subject: lines(wallet, subject) for subject in [*refused, *unknown]}
    assert set(map(str, shown.values())) == {
        str([(leaf.id, "refused")]),
        str([(leaf.id, "not_asked")]),
    }
    assert sum(each == [(leaf.id, "refused")] for each in shown.values()) == 20
    ((row,), _) = wallet.installation.history.disclosures(agreed[7], limit=9)
    (grant,) = wallet.installation.history.acts(handle_of(wallet, agreed[7]))
    assert (row.id, row.reason, row.time) == (leaf.id, "granted", leaf.time)
    assert row.record in grant.data.decode()


@pytest.mark.sqlite
@pytest.mark.requirement("R74")
def test_each_person_is_judged_as_a_check_would_judge_them(wallet: Wallet) -> None:
    agreed, refused, late, withdrawn, imported, *others = agreeing(wallet, 6)
    wallet.answer(refused, CREDIT_SCORE, said=State.REFUSED)
    wallet.revoke(withdrawn)
    wallet.sql(
        "UPDATE consent_state SET until = ? WHERE subject = ?", wallet.clock.now, late
    )
    wallet.sql(
        "UPDATE consent_state SET assurance = ? WHERE subject = ?", "asserted", imported
    )
    wallet.damaged = True
    asked = [agreed, refused, late, withdrawn, imported, *others, "stranger"]
    batch = share_many(wallet, asked)
    with live(batch):
        released = set(batch)
    for subject in asked:
        decision = wallet.check(subject, CREDIT_SCORE)
        assert (subject in released) == bool(decision)
        ((_, reason),) = lines(wallet, subject)
        assert reason == decision.reason
    assert agreed in released
    weaker = share_many(wallet, asked, min_assurance=Assurance.ASSERTED)
    assert set(hand_out(weaker)) == released | {imported}
    wider = share_many(wallet, asked, data=frozenset({"spending", "city"}))
    assert (wider.count, wider.withheld) == (0, 7)
    with live(wider), pytest.raises(InvalidRequestError, match="nobody"):
        wider.proof()
    assert wallet.leaves("disclosure-batch")[-1].body["root"] == EMPTY_ROOT.hex()


@pytest.mark.sqlite
def test_a_recipient_abroad_needs_the_separate_yes_of_each(wallet: Wallet) -> None:
    wallet.answer("both", NIGHT, TRANSFER)
    wallet.answer("half", NIGHT)
    batch = share_many(wallet, ["half", "both"], NIGHT)
    assert hand_out(batch) == ["both"]
    assert lines(wallet, "half") == [(batch.disclosure, "cross_border_consent_missing")]


@pytest.mark.sqlite
def test_ids_named_twice_count_once_and_what_is_no_id_is_counted(
    wallet: Wallet,
) -> None:
    one, other = agreeing(wallet, 2)
    batch = share_many(wallet, [one, None, other, one, "new", "new", None])
    assert (batch.count, batch.withheld) == (2, 3)
    assert sorted(hand_out(batch)) == [one, other]


def test_a_statement_of_the_apps_own_is_asked_in_one_go(wallet: Wallet) -> None:
    for number in (1, 2, 3):
        wallet.answer(str(number), CREDIT_SCORE)
    customer = sa.table("customer", sa.column("id", sa.Integer))
    wallet.sql("CREATE TABLE customer (id INTEGER)")
    wallet.sql("INSERT INTO customer VALUES (1), (2), (2), (7), (NULL)")
    batch = share_many(wallet, sa.select(customer.c.id))
    assert (batch.count, batch.withheld) == (2, 2)
    assert sorted(hand_out(batch)) == ["1", "2"]
    with pytest.raises(InvalidRequestError, match="one column"):
        share_many(wallet, sa.select(customer.c.id, sa.literal(1)))


@pytest.mark.requirement("R76")
def test_nothing_leaves_when_the_line_cannot_be_written(wallet: Wallet) -> None:
    asked = agreeing(wallet, 3)
    for event in (
        "INSERT ON consent_leaf",
        "INSERT ON consent_batch_entry",
        "INSERT ON consent_batch_tile",
        "INSERT ON consent_batch",
    ):
        wallet.break_writes(event)
        with pytest.raises(ConsentDeniedError) as denied:
            share_many(wallet, [*asked, "new"])
        assert denied.value.decision.reason is Reason.STORE_UNAVAILABLE
        wallet.mend_writes()
    assert wallet.leaves("disclosure-batch") == []
    assert [lines(wallet, each) for each in [*asked, "new"]] == [[], [], [], []]


@pytest.mark.sqlite
@pytest.mark.parametrize("key", [("nothing", "acme-credit"), CREDIT_SCORE])
def test_what_is_unknown_or_stopped_for_all_is_refused_as_a_whole(
    wallet: Wallet, key: tuple[str, str]
) -> None:
    asked = agreeing(wallet, 2)
    suspend(wallet.installation, purpose=CREDIT_SCORE[0], by=OFFICER)
    with pytest.raises(ConsentDeniedError) as denied:
        share_many(wallet, asked, key, data=frozenset({"spending"}))
    reason = denied.value.decision.reason
    assert reason is (
        Reason.SUSPENDED if key == CREDIT_SCORE else Reason.PURPOSE_UNKNOWN
    )
    (leaf,) = wallet.leaves("disclosure-batch")
    assert (leaf.body["count"], leaf.body["withheld"]) == (0, 2)
    assert lines(wallet, asked[0]) == [(leaf.id, reason.value)]


@pytest.mark.requirement("R62")
def test_whoever_stops_it_while_it_runs_is_not_handed_out(wallet: Wallet) -> None:
    asked = agreeing(wallet, 12)
    batch = share_many(wallet, asked)
    seen = []
    stopped = ""
    with live(batch):
        for subject in batch:
            seen.append(subject)
            if not stopped:
                stopped = next(each for each in asked if each != subject)
                wallet.revoke(stopped)
    assert sorted(seen) == sorted(set(asked) - {stopped})
    (denial,) = wallet.leaves("denial")
    assert denial.body["reason"] == "withdrawn"
    assert lines(wallet, stopped) == [(denial.id, "withdrawn")]
    (named,) = wallet.installation.batches.naming(handle_of(wallet, stopped))
    assert (named.batch.leaf, named.reason) == (batch.disclosure, "withdrawn")
    assert not named.was_handed_over
    assert hand_out(share_many(wallet, [stopped])) == []


@pytest.mark.sqlite
def test_whoever_agreed_anew_meanwhile_waits_for_another_batch(wallet: Wallet) -> None:
    asked = agreeing(wallet, 3)
    batch = share_many(wallet, asked)
    wallet.revoke(asked[1])
    wallet.answer(asked[1], CREDIT_SCORE)
    wallet.clock.now += 1
    assert sorted(hand_out(batch)) == [asked[0], asked[2]]
    assert lines(wallet, asked[1])[0][1] == "scope_changed"
    assert hand_out(share_many(wallet, [asked[1]])) == [asked[1]]


@pytest.mark.sqlite
def test_an_erased_person_is_not_handed_out_and_no_line_is_made_of_it(
    wallet: Wallet,
) -> None:
    asked = agreeing(wallet, 3)
    batch = share_many(wallet, asked)
    erase(wallet.installation, Erasing(asked[2], "request"), sweeps=False)
    assert sorted(hand_out(batch)) == asked[:2]
    assert wallet.leaves("denial") == []


@pytest.mark.sqlite
def test_a_stop_by_an_official_ends_it_for_everybody_left(wallet: Wallet) -> None:
    asked = agreeing(wallet, 5)
    batch = share_many(wallet, asked)
    seen: list[str] = []

    def go_through() -> None:
        for subject in batch:
            seen.append(subject)
            suspend(wallet.installation, purpose=CREDIT_SCORE[0], by=OFFICER)

    with live(batch), pytest.raises(ConsentDeniedError) as denied:
        go_through()
    assert denied.value.decision.reason is Reason.SUSPENDED
    assert len(seen) == 1
    told = {each: lines(wallet, each) for each in asked}
    assert told.pop(seen[0]) == [(batch.disclosure, "granted")]
    assert all(each == [(batch.disclosure, "suspended")] for each in told.values())
    assert wallet.leaves("denial") == []


@pytest.mark.requirement("R62")
def test_no_revocation_that_returned_is_followed_by_a_hand_out(wallet: Wallet) -> None:
    asked = agreeing(wallet, 60)
    batch = share_many(wallet, asked)
    returned: list[str] = []

    def revoke_all() -> None:
        for subject in sorted(asked, reverse=True)[:40]:
            wallet.revoke(subject)
            returned.append(subject)

    other = threading.Thread(target=revoke_all)
    handed_out = []
    with live(batch):
        for subject in batch:
            assert subject not in returned
            handed_out.append(subject)
            if other.ident is None:
                other.start()
            elif len(handed_out) % 7 == 0:
                other.join(0.02)
    other.join()
    denied = {leaf.subject for leaf in wallet.leaves("denial")}
    assert len(handed_out) + len(denied) == 60
    assert handed_out != sorted(handed_out)  # the order tells nothing of the ids


@pytest.mark.requirement("R68")
def test_a_batch_lets_requests_through_and_asks_about_those_handed_out(
    wallet: Wallet,
) -> None:
    asked = agreeing(wallet, 4)
    batch = share_many(wallet, asked)
    guard = Guard(wallet.declared)
    with live(batch):
        with pytest.raises(UngatedSendError, match="nobody was handed out"):
            guard.spend([HOST])
        first, second, *_ = batch
        with sending(guard.spend([HOST])):
            pass
        wallet.revoke(first)
        with pytest.raises(ConsentDeniedError), sending(guard.spend([HOST])):
            pass
        with pytest.raises(InvalidRequestError, match="expected the id of somebody"):
            batch.proof_for("somebody else")
        assert batch.proof_for(second)
        with pytest.raises(ConsentDeniedError):
            batch.proof_for(first)
        with pytest.raises(UngatedSendError):
            guard.spend([Address("api.corner-shops.example", 443)])
    with pytest.raises(UngatedSendError):
        guard.spend([HOST])
    with pytest.raises(InvalidRequestError, match="ends with its block"):
        next(iter(batch))


@pytest.mark.sqlite
def test_memory_does_not_grow_with_the_people(wallet: Wallet) -> None:
    wallet.sql("CREATE TABLE customer (id INTEGER PRIMARY KEY)")
    wallet.sql(
        "INSERT INTO customer WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL "
        "SELECT i + 1 FROM n WHERE i < 30000) SELECT i FROM n"
    )
    grant = wallet.answer("1", CREDIT_SCORE)
    wallet.sql(
        "INSERT INTO consent_state SELECT id, purpose, recipient, state, data, until, "
        "scope, assurance, record, since, notice FROM customer, consent_state "
        "WHERE id BETWEEN 2 AND 4000"
    )
    wallet.sql(
        "INSERT INTO consent_subject "
        "SELECT id, printf('%032x', id), data_key, 0, '', 0 "
        "FROM customer, consent_subject WHERE id BETWEEN 2 AND 4000"
    )
    wallet.damaged = True
    customer = sa.table("customer", sa.column("id", sa.Integer))
    tracemalloc.start()
    try:
        batch = share_many(wallet, sa.select(customer.c.id))
        with live(batch):
            handed_out = sum(1 for _ in batch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (batch.count, batch.withheld, handed_out) == (4_000, 26_000, 4_000)
    assert grant.id
    assert peak < 12_000_000
