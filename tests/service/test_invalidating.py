"""Consents taken in a bad way are set invalid in bulk: exactly those, and only once."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.notice import Notice
from consentkit.errors import InvalidRequestError
from consentkit.log.leaf import read_leaf
from consentkit.service.asking import publish_notice
from consentkit.service.invalidating import SharesMade
from consentkit.service.invalidating import Taken
from consentkit.service.invalidating import preview
from consentkit.service.receipts import find_receipt
from consentkit.store.oversight import GrantFilter
from tests.service.invalidations import agree
from tests.service.invalidations import flipped
from tests.service.invalidations import rows
from tests.service.invalidations import run
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet


@pytest.fixture
def bad(wallet: Wallet) -> Notice:
    return wallet.notice("credit-score", wording="[x] and my score")


@pytest.fixture
def good(wallet: Wallet) -> Notice:
    return wallet.notice("credit-score")


@pytest.mark.requirement("R101")
def test_exactly_what_was_taken_through_the_notice_becomes_invalid(
    wallet: Wallet, bad: Notice, good: Notice
) -> None:
    for subject in ("alice", "bob", "carol", "dora"):
        agree(wallet, subject, bad, CREDIT_SCORE)
    agree(wallet, "bob", good, CREDIT_SCORE)  # renewed by a good question
    wallet.revoke("carol")
    agree(wallet, "emil", good, CREDIT_SCORE)
    wallet.answer("alice", SHOPS)
    before = rows(wallet)

    done = run(wallet, Taken(notice=bad.digest))

    assert flipped(before, rows(wallet)) == {
        ("alice", *CREDIT_SCORE),
        ("dora", *CREDIT_SCORE),
    }
    assert (done.persons, done.grants, done.remaining) == (2, 2, 0)
    for subject in ("alice", "dora"):
        assert wallet.check(subject, CREDIT_SCORE).reason == "invalidated"
    assert wallet.check("carol", CREDIT_SCORE).reason == "withdrawn"
    for subject in ("bob", "emil"):
        assert wallet.check(subject, CREDIT_SCORE)
    assert wallet.check("alice", SHOPS)


@pytest.mark.requirement("R101")
@pytest.mark.requirement("R102")
def test_one_act_stands_before_them_all_and_each_person_can_see_it(
    wallet: Wallet, bad: Notice
) -> None:
    for subject in ("alice", "bob"):
        agree(wallet, subject, bad, CREDIT_SCORE)
    done = run(wallet, Taken(notice=bad.digest))

    admin, *revocations = wallet.leaves("admin", "revocation")
    assert (admin.id, admin.body["action"]) == (done.act, "invalidate")
    assert admin.body["target"] == bad.digest
    assert [leaf.body["actor"] for leaf in revocations] == ["controller"] * 2
    receipt = find_receipt(wallet.installation, "alice", revocations[0].id)
    assert receipt
    assert receipt.facts == {"act": done.act}


@pytest.mark.requirement("R101")
def test_the_report_tells_who_got_data_under_such_consents(
    wallet: Wallet, bad: Notice, good: Notice
) -> None:
    for subject in ("alice", "bob", "carol"):
        agree(wallet, subject, bad, CREDIT_SCORE)
        wallet.share(subject, CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.revoke("bob")  # what was shared before was shared all the same
    agree(wallet, "carol", good, CREDIT_SCORE)
    wallet.share("carol", CREDIT_SCORE)
    wallet.answer("alice", SHOPS)
    wallet.share("alice", SHOPS)

    expected = (SharesMade("acme-credit", 4, 3),)
    assert preview(wallet.installation, Taken(notice=bad.digest)).shares == expected
    assert run(wallet, Taken(notice=bad.digest)).shares == expected
    assert run(wallet, Taken(notice=bad.digest)).shares == expected


@pytest.mark.requirement("R101")
def test_a_widget_stands_for_every_notice_made_of_it(wallet: Wallet) -> None:
    notices = []
    for wording in ("one", "two"):
        made = wallet.notice("credit-score", wording=wording)
        manifest = {**made.manifest, "template_sha256": "e" * 64}
        notice = replace(made, manifest=manifest)
        publish_notice(wallet.installation, notice)
        notices.append(notice)
    agree(wallet, "alice", notices[0], CREDIT_SCORE)
    agree(wallet, "bob", notices[1], CREDIT_SCORE)
    wallet.answer("carol", CREDIT_SCORE)
    assert run(wallet, Taken(widget="e" * 64)).persons == 2
    assert wallet.check("carol", CREDIT_SCORE)
    (admin,) = wallet.leaves("admin")
    assert admin.body["target"] == f"widget={'e' * 64}"


@pytest.mark.requirement("R101")
def test_a_span_of_time_has_its_first_instant_and_not_its_last(wallet: Wallet) -> None:
    for day, subject in enumerate(("alice", "bob", "carol", "dora")):
        wallet.clock.now = NEW_YEAR + day * DAY
        wallet.answer(subject, CREDIT_SCORE)
    before = rows(wallet)
    taken = Taken(since=Millis(NEW_YEAR + DAY), until=Millis(NEW_YEAR + 3 * DAY))
    run(wallet, taken)
    assert {key[0] for key in flipped(before, rows(wallet))} == {"bob", "carol"}
    (admin,) = wallet.leaves("admin")
    assert admin.body["target"] == (
        "since=2026-01-02T00:00:00.000Z,until=2026-01-04T00:00:00.000Z"
    )


def test_a_purpose_takes_its_cross_border_consent_along(wallet: Wallet) -> None:
    wallet.answer("alice", NIGHT, TRANSFER)
    wallet.answer("alice", SHOPS, OWN_OFFERS)
    before = rows(wallet)
    until = Millis(wallet.clock.now)
    wallet.clock.now += 1
    run(wallet, Taken(until=Millis(until + 1), purpose="night-help"))
    assert flipped(before, rows(wallet)) == {("alice", *NIGHT), ("alice", *TRANSFER)}
    run(wallet, Taken(until=Millis(until + 1), recipient="corner-shops"))
    assert wallet.check("alice", OWN_OFFERS)
    assert not wallet.check("alice", SHOPS)


# Exactly those, whatever came before

_KEYS = (CREDIT_SCORE, SHOPS, OWN_OFFERS)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("alice", "bob", "carol")),
        st.sampled_from(_KEYS),
        st.sampled_from((State.GIVEN, State.GIVEN, State.REFUSED, None)),
        st.sampled_from(("first", "second")),
        st.integers(0, 2),
    ),
    max_size=12,
)
_WHICH = st.fixed_dictionaries(
    {
        "notice": st.sampled_from((None, "first", "second")),
        "since": st.sampled_from((None, 2, 4)),
        "until": st.sampled_from((None, 5, 9)),
        "purpose": st.sampled_from((None, None, "shop-offers")),
        "recipient": st.sampled_from((None, None, "controller")),
    }
).filter(lambda which: which["notice"] or which["until"])


def naive(wallet: Wallet, taken: Taken) -> set[tuple[str, str, str]]:
    """From the leaves alone: the last word on each question, if it is one of those."""
    names = dict(wallet.sql("SELECT handle, subject FROM consent_subject"))
    last = {}
    for leaf in wallet.leaves("choice", "revocation"):
        for choice in leaf.body["choices"]:
            key = (names[leaf.subject], choice["purpose"], choice["recipient"])
            last[key] = leaf, choice["state"]
    return {
        key
        for key, (leaf, state) in last.items()
        if state in AUTHORISING
        and taken.notice in (None, leaf.body["notice"])
        and (taken.since or 0) <= leaf.time < (taken.until or 1 << 60)
        and taken.purpose in (None, key[1])
        and taken.recipient in (None, key[2])
    }


@pytest.mark.requirement("R101")
@settings(max_examples=25, deadline=None)
@given(steps=_STEPS, which=_WHICH)
def test_what_flips_is_what_a_naive_replay_says(
    steps: list[tuple[str, tuple[str, str], State | None, str, int]],
    which: dict[str, Any],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wallet = Wallet(Path(folder))
        notices = {
            (key[0], wording): wallet.notice(key[0], wording=wording)
            for key in _KEYS
            for wording in ("first", "second")
        }
        for subject, key, said, wording, pause in steps:
            wallet.clock.now += pause
            if said is None:
                wallet.revoke(subject, *key)
                continue
            digest = notices[key[0], wording].digest
            wallet.submit(wallet.form(subject, {key: said}, notice=digest))
        wallet.clock.now = NEW_YEAR + 100
        name = which["notice"] and notices["shop-offers", which["notice"]].digest
        since, until = (
            None if which[end] is None else Millis(NEW_YEAR + which[end])
            for end in ("since", "until")
        )
        taken = Taken(name, None, since, until, which["purpose"], which["recipient"])
        before, expected = rows(wallet), naive(wallet, taken)
        assert preview(wallet.installation, taken).grants == len(expected)
        done = run(wallet, taken, at_a_time=2)
        assert flipped(before, rows(wallet)) == expected
        assert done.grants == len(expected)
        assert len(wallet.leaves("admin")) == bool(expected)
        wallet.prove()


def test_the_filter_and_its_sql_agree_on_every_row(wallet: Wallet) -> None:
    wallet.answer("alice", NIGHT, TRANSFER)
    wallet.clock.now += 1
    wallet.answer("bob", SHOPS, said=State.REFUSED)
    wallet.answer("carol", SHOPS, OWN_OFFERS)
    oversight, history = wallet.installation.oversight, wallet.installation.history
    standing = {name: history.statuses(name) for name in ("alice", "bob", "carol")}
    digests = {each.notice for held in standing.values() for each in held.values()}
    times = (None, Millis(NEW_YEAR), Millis(NEW_YEAR + 1))
    for wanted in (
        GrantFilter(notices, since, until, purpose, recipient)
        for notices in (None, frozenset[str](), *(frozenset({d}) for d in digests))
        for since in times
        for until in times
        for purpose in (None, "night-help", "night-help.cross-border", "shop-offers")
        for recipient in (None, "controller", "night-desk")
    ):
        covered = {
            name: sum(wanted.covers(*item) for item in held.items())
            for name, held in standing.items()
        }
        named = [name for name, grants in covered.items() if grants]
        assert oversight.subjects(wanted, after="", limit=9) == named
        assert oversight.count(wanted) == (len(named), sum(covered.values()))


# What is refused

UNCLEAR: dict[str, dict[str, Any]] = {
    "nothing": {},
    "only a purpose": {"purpose": "credit-score"},
    "no end": {"since": Millis(NEW_YEAR)},
    "an end before the beginning": {"since": Millis(9), "until": Millis(9)},
    "half a digest": {"notice": "ab"},
    "a digest in capitals": {"widget": "A" * 64},
}


@pytest.mark.parametrize("which", UNCLEAR.values(), ids=UNCLEAR)
def test_nothing_is_ended_by_accident(which: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="nothing was ended") as caught:
        Taken(**which)
    assert caught.value.code == "selection"


UNKNOWN: dict[str, tuple[dict[str, Any], str]] = {
    "notice": ({"notice": "0" * 64}, "unknown-notice"),
    "widget": ({"widget": "0" * 64}, "unknown-notice"),
    "purpose": ({"until": Millis(NEW_YEAR), "purpose": "x"}, "unknown-purpose"),
    "recipient": ({"until": Millis(NEW_YEAR), "recipient": "x"}, "unknown-recipient"),
    "the future": ({"until": Millis(NEW_YEAR + 1)}, "selection"),
}


@pytest.mark.parametrize(("which", "code"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_nobody_was_shown_ends_nothing(
    wallet: Wallet, which: dict[str, Any], code: str
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    before = wallet.contents()
    with pytest.raises(InvalidRequestError) as caught:
        run(wallet, Taken(**which))
    assert caught.value.code == code
    assert wallet.contents() == before


def test_the_longest_target_is_a_token(wallet: Wallet, bad: Notice) -> None:
    agree(wallet, "alice", bad, CREDIT_SCORE)
    wallet.clock.now += DAY
    taken = Taken(
        notice=bad.digest,
        widget=str(bad.manifest["template_sha256"]),
        since=Millis(NEW_YEAR),
        until=Millis(NEW_YEAR + 1),
        purpose="credit-score",
        recipient="acme-credit",
    )
    assert run(wallet, taken).grants == 1
    (admin,) = wallet.leaves("admin")
    assert read_leaf(admin.data).body["target"] == taken.target
