"""The state is a projection: the leaves say the same, or the difference is named."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.audit.replay import replay
from consentkit.core.act import Actor
from consentkit.core.act import State
from consentkit.errors import ConsentDeniedError
from consentkit.errors import MalformedError
from consentkit.service.choosing import ANSWERS
from consentkit.service.choosing import Answer
from consentkit.service.rebuilding import differences
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER

if TYPE_CHECKING:
    from tests.service.wallet import Wallet

PEOPLE = ("alice", "bob", "carol")
FORMS = ((CREDIT_SCORE,), (SHOPS, OWN_OFFERS), (NIGHT, TRANSFER))


def live(wallet: Wallet, dice: random.Random) -> None:
    """Something happens: an answer, an end, a share, or time goes by."""
    subject = dice.choice(PEOPLE)
    match dice.randrange(6):
        case 0:
            purpose = dice.choice([None, "credit-score", "shop-offers", "night-help"])
            revoke(
                wallet.installation,
                Ending(subject, purpose, actor=dice.choice(list(Actor))),
            )
        case 1:
            key = dice.choice(FORMS)[0]
            try:
                wallet.share(subject, key)
            except ConsentDeniedError:
                assert not wallet.check(subject, key)
        case 2:
            wallet.clock.now += dice.choice([1, DAY, 90 * DAY])
        case _:
            keys = dice.choice(FORMS)
            said = dice.sample(keys, dice.randint(1, len(keys)))
            wallet.submit(wallet.form(subject, {key: say(dice) for key in said}))


def say(dice: random.Random) -> Answer:
    return Answer(State(dice.choice(sorted(ANSWERS))))


@pytest.mark.requirement("R46")
@pytest.mark.parametrize("seed", range(4))
def test_any_history_replays_to_the_state_that_is_kept(
    wallet: Wallet, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311  dice of a test
    for _ in range(40):
        live(wallet, dice)
    assert list(differences(wallet.installation)) == []
    told = {key: row.status for key, row in replay(wallet.leaves()).items()}
    kept = dict(wallet.installation.history.all_statuses())
    assert told == kept
    assert len(kept) > 5


@pytest.mark.requirement("R46")
def test_a_state_table_that_is_lost_is_named_answer_by_answer(wallet: Wallet) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("bob", NIGHT, TRANSFER)
    wallet.sql("DELETE FROM consent_state")
    assert not wallet.check("alice", CREDIT_SCORE)
    found = list(differences(wallet.installation))
    assert len(found) == 3
    assert all("the state table says nothing" in line for line in found)


CHANGES: dict[str, Any] = {
    "state": "refused",
    "data": "city spending",
    "until": 9_999_999_999_999,
    "scope": "0" * 64,
    "assurance": "signed",
    "record": "f" * 32,
    "since": 1,
    "notice": "0" * 64,
}
SAID = "the leaves say given, the state table says "


@pytest.mark.parametrize(("column", "value"), CHANGES.items())
def test_a_row_that_somebody_changed_is_named(
    wallet: Wallet, column: str, value: Any
) -> None:
    wallet.damaged = True
    leaf = wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE)
    wallet.sql(
        f"UPDATE consent_state SET {column} = ? WHERE subject = 'alice'",  # noqa: S608  a column of ours
        value,
    )
    other = "refused" if column == "state" else f"given, with other {column}"
    assert list(differences(wallet.installation)) == [
        f"subject {leaf.subject}, credit-score for acme-credit: {SAID}{other}"
    ]


UNREADABLE = {"state": "maybe", "until": "soon", "assurance": "sworn", "since": b"\0"}


@pytest.mark.parametrize(("column", "value"), UNREADABLE.items())
def test_a_row_that_cannot_be_read_is_named_as_well(
    wallet: Wallet, column: str, value: Any
) -> None:
    wallet.damaged = True
    leaf = wallet.answer("alice", CREDIT_SCORE)
    wallet.sql(f"UPDATE consent_state SET {column} = ?", value)  # noqa: S608  see above
    (line,) = differences(wallet.installation)
    assert line.startswith(f"subject {leaf.subject}, credit-score for acme-credit: ")
    assert line.endswith(f"{SAID}what cannot be read")


def test_an_answer_that_nobody_gave_is_named(wallet: Wallet) -> None:
    """Copied from somebody who did: for a person of the log, and for a stranger."""
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    refused = wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    columns = "purpose, recipient, state, data, until, scope, assurance, record, since"
    for subject in ("bob", "mallory"):
        wallet.sql("DELETE FROM consent_state WHERE subject = ?", subject)
        wallet.sql(
            f"INSERT INTO consent_state (subject, {columns}, notice) "  # noqa: S608  see above
            f"SELECT ?, {columns}, notice FROM consent_state WHERE subject = 'alice'",
            subject,
        )
    found = list(differences(wallet.installation))
    about = "credit-score for acme-credit: the leaves say"
    assert found == [
        f"subject without handle, {about} nothing, the state table says given",
        f"subject {refused.subject}, {about} refused, the state table says given",
    ]
    assert not any("mallory" in line for line in found)


def test_two_people_who_were_swapped_are_named(wallet: Wallet) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    for old, new in (("alice", "x"), ("bob", "alice"), ("x", "bob")):
        wallet.sql("UPDATE consent_state SET subject = ? WHERE subject = ?", new, old)
    assert wallet.check("bob", CREDIT_SCORE)  # this is why it has to be found
    assert len(list(differences(wallet.installation))) == 2


@pytest.mark.parametrize("bad", ["'text'", "7", "x'00'", "CAST(bytes || ' ' AS BLOB)"])
def test_a_leaf_that_is_no_longer_one_is_said(wallet: Wallet, bad: str) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    wallet.sql("DROP TRIGGER consent_leaf_no_update")
    wallet.sql(f"UPDATE consent_leaf SET bytes = {bad} WHERE position = 5")  # noqa: S608  see above
    with pytest.raises(MalformedError):
        list(differences(wallet.installation))
