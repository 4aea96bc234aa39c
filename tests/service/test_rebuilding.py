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
_ENDERS = (Actor.SUBJECT, Actor.CONTROLLER, Actor.AUTHORITY, Actor.SYSTEM)


def live(wallet: Wallet, dice: random.Random) -> None:
    """Something happens: an answer, an end, a share, or time goes by."""
    subject = dice.choice(PEOPLE)
    match dice.randrange(6):
        case 0:
            purpose = dice.choice([None, "credit-score", "shop-offers", "night-help"])
            revoke(
                wallet.installation,
                Ending(subject, purpose, actor=dice.choice(_ENDERS)),
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
    about = f"subject {leaf.subject}, credit-score for acme-credit: "
    assert list(differences(wallet.installation)) == [
        f"{about}{SAID}{other} (leaf {leaf.id})"
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
    assert line.endswith(f"{SAID}what cannot be read (leaf {leaf.id})")


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
    given, leaf = "the state table says given", f"(leaf {refused.id})"
    assert found == [
        f"subject without handle, {about} nothing, {given}",
        f"subject {refused.subject}, {about} refused, {given} {leaf}",
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
    wallet.unguard("update")
    wallet.sql(f"UPDATE consent_leaf SET bytes = {bad} WHERE position = 5")  # noqa: S608  see above
    with pytest.raises(MalformedError):
        list(differences(wallet.installation))


def is_named(wallet: Wallet, *expected: str) -> None:
    """Each line begins as expected, in this order, and none tells who it is."""
    found = list(differences(wallet.installation))
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start), line
        assert not any(person in line for person in (*PEOPLE, "mallory"))


@pytest.fixture
def shared(wallet: Wallet) -> Wallet:
    """Alice agreed and her data was shared; Bob's was not."""
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    with pytest.raises(ConsentDeniedError):
        wallet.share("bob", CREDIT_SCORE)
    assert list(differences(wallet.installation)) == []
    wallet.damaged = True
    return wallet


LISTED: dict[str, Any] = {
    "subject": "bob",
    "time": 1,
    "purpose": "shop-offers",
    "recipient": "corner-shops",
    "data": "city",
    "reason": "refused",
    "record": "f" * 32,
}


@pytest.mark.parametrize("kind", ["disclosure", "denial"])
@pytest.mark.parametrize(("column", "value"), LISTED.items())
def test_a_line_of_the_disclosures_that_somebody_changed_is_named(
    shared: Wallet, kind: str, column: str, value: Any
) -> None:
    (leaf,) = shared.leaves(kind)
    if (kind, column) == ("denial", "subject"):
        value = "mallory"
    change = f"UPDATE consent_disclosure SET {column} = ? WHERE id = ?"  # noqa: S608  see above
    shared.sql(change, value, leaf.id)
    is_named(
        shared, f"leaf {leaf.id}: the disclosure table lists it with other {column}"
    )


@pytest.mark.parametrize("kind", ["disclosure", "denial"])
def test_a_line_of_the_disclosures_that_is_lost_is_named(
    shared: Wallet, kind: str
) -> None:
    (leaf,) = shared.leaves(kind)
    shared.sql("DELETE FROM consent_disclosure WHERE id = ?", leaf.id)
    is_named(shared, f"leaf {leaf.id}: the disclosure table does not list it")


@pytest.mark.parametrize(
    ("made_up", "named"), [("f" * 32, "f" * 32), ("mallory", "without a name of ours")]
)
def test_a_disclosure_that_never_was_is_named(
    shared: Wallet, made_up: str, named: str
) -> None:
    columns = "subject, time, purpose, recipient, data, reason, record, log"
    shared.sql(
        f"INSERT INTO consent_disclosure (id, {columns}) "  # noqa: S608  see above
        f"SELECT ?, {columns} FROM consent_disclosure LIMIT 1",
        made_up,
    )
    is_named(shared, f"leaf {named}: the disclosure table lists it, and no leaf")


def delete_leaf(wallet: Wallet, leaf_id: str) -> None:
    wallet.unguard("delete")
    wallet.sql("DELETE FROM consent_leaf WHERE id = ?", leaf_id)


def test_the_last_leaf_of_a_person_that_is_lost_shows(wallet: Wallet) -> None:
    """No answer rests on it, so that only the end of the chain tells."""
    wallet.damaged = True
    leaf = wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    (last,) = wallet.leaves("disclosure")
    delete_leaf(wallet, last.id)
    wallet.sql("DELETE FROM consent_disclosure")
    is_named(wallet, f"subject {leaf.subject}: the chain of leaves has 1, the subject")


def test_a_superseded_leaf_that_is_lost_leaves_a_gap(wallet: Wallet) -> None:
    wallet.damaged = True
    first = wallet.answer("alice", CREDIT_SCORE, said=State.REFUSED)
    second = wallet.answer("alice", CREDIT_SCORE)
    delete_leaf(wallet, first.id)
    is_named(
        wallet,
        f"subject {second.subject}, leaf {second.id}: it has number 1 in the chain, "
        "where number 0 is due",
        f"leaf {first.id}: its evidence is stored, and by the leaves it went or never",
    )


CHAIN = {"seq": 7, "head": "0" * 64}


@pytest.mark.parametrize(("column", "value"), CHAIN.items())
def test_a_persons_row_that_somebody_changed_is_named(
    wallet: Wallet, column: str, value: Any
) -> None:
    wallet.damaged = True
    leaf = wallet.answer("alice", CREDIT_SCORE)
    wallet.sql(f"UPDATE consent_subject SET {column} = ?", value)  # noqa: S608  see above
    is_named(wallet, f"subject {leaf.subject}: the chain of leaves has 1, the subject")


def test_a_chain_that_goes_on_from_another_leaf_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    wallet.unguard("update")  # whoever writes does not go on from nowhere
    wallet.sql("UPDATE consent_leaf SET hash = ? WHERE handle IS NOT NULL", b"\0" * 32)
    wallet.sql("UPDATE consent_subject SET head = ?", "0" * 64)
    leaf = wallet.answer("alice", CREDIT_SCORE)
    is_named(
        wallet,
        f"subject {leaf.subject}, leaf {leaf.id}: it does not follow the one before",
    )


def test_a_persons_row_that_is_lost_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    leaf = wallet.answer("alice", CREDIT_SCORE)
    wallet.sql("DELETE FROM consent_state")
    wallet.sql("DELETE FROM consent_subject")
    is_named(
        wallet,
        f"subject {leaf.subject}, credit-score for acme-credit: the leaves say given",
        f"subject {leaf.subject}: has 1 leaves and no row of their own",
        f"leaf {leaf.id}: its evidence does not open: it or its key was changed",
    )


BAD_NOTICES = {
    "manifest": "manifest = CAST(manifest || ' ' AS BLOB)",
    "html": "html = CAST(html || ' ' AS BLOB)",
    "manifest and html": "manifest = 'text', html = 7",
}


@pytest.mark.parametrize(("what", "change"), BAD_NOTICES.items())
def test_a_notice_that_is_no_longer_what_was_shown_is_named(
    wallet: Wallet, what: str, change: str
) -> None:
    wallet.damaged = True
    digest = wallet.notice("credit-score").digest
    assert list(differences(wallet.installation)) == []
    wallet.sql(f"UPDATE consent_notice SET {change}")  # noqa: S608  see above
    is_named(wallet, f"notice {digest}: it is stored with other {what}")


def test_a_notice_that_is_lost_or_was_never_logged_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    digest = wallet.notice("credit-score").digest
    wallet.sql("UPDATE consent_notice SET digest = 'mallory'")
    is_named(
        wallet,
        f"notice {digest}: the leaves name it, and it is not stored",
        "notice without a name of ours: it is stored, and no leaf names it",
    )
