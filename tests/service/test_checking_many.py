"""Many checks at once are as many single ones, and one that fails fails alone."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.service.checking import check
from consentkit.service.checking_many import check_many
from consentkit.store import standings
from consentkit.store.clause import allowed
from tests.service.hostile import HOSTILE
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from consentkit.core.decision import Decision
    from tests.service.wallet import Wallet

ENGINES = ("sqlite", "postgresql")
SPENDING = frozenset({"spending"})
ZOE = unicodedata.normalize("NFC", "Zoë")


def ask(wallet: Wallet, *subjects: Any) -> list[Decision]:
    """May each one's spending go to the affiliate?"""
    requests = [ShareRequest(each, *CREDIT_SCORE, SPENDING) for each in subjects]
    return check_many(wallet.installation, requests)


def test_answers_come_in_the_order_of_the_questions(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("alice", SHOPS, said=State.REFUSED)
    wallet.answer("bob", NIGHT, TRANSFER)
    wallet.answer("carol", NIGHT)
    asked = [
        wallet.request(subject, key)
        for key in (NIGHT, CREDIT_SCORE, TRANSFER, SHOPS, ("nothing", "nobody"))
        for subject in ("bob", "alice", "carol", "bob")
    ]
    asked.append(ShareRequest("alice", *CREDIT_SCORE, SPENDING, Assurance.SIGNED))
    found = check_many(wallet.installation, asked)
    assert found == [check(wallet.installation, each) for each in asked]
    assert sum(map(bool, found)) == 3
    assert check_many(wallet.installation, []) == []


@pytest.mark.requirement("R62")
def test_hostile_ids_are_nobodys_and_spoil_no_other_answer(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer(ZOE, CREDIT_SCORE)
    before = wallet.contents()
    asked = [
        ShareRequest(subject, purpose, recipient, SPENDING)
        for subject, purpose, recipient in HOSTILE.values()
    ]
    asked += [ShareRequest(each, *CREDIT_SCORE, SPENDING) for each in ODD]
    yes = ShareRequest("alice", *CREDIT_SCORE, SPENDING)
    found = check_many(wallet.installation, [yes, *asked, yes])
    assert [bool(each) for each in found] == [True, *[False] * len(asked), True]
    assert [bool(check(wallet.installation, each)) for each in asked] == (
        [False] * len(asked)
    )
    assert wallet.contents() == before


ODD: tuple[Any, ...] = (
    *("ALICE", "alice ", "alice%", "_lice", "al\\ice", "alice' OR '1'='1", ""),
    *("\N{CYRILLIC SMALL LETTER A}lice", unicodedata.normalize("NFD", ZOE), "zoë"),
    *(True, 0, 2**70, b"alice", 1.5),
)
PERSON = sa.Table("app_person", sa.MetaData(), sa.Column("name", sa.Text))


@pytest.mark.requirement("R62")
def test_hostile_rows_of_the_app_are_on_one_side_of_the_clause(wallet: Wallet) -> None:
    """Also where the app's column takes case for nothing: ids are compared as bytes."""
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer(ZOE, CREDIT_SCORE)
    collation = "NOCASE" if not wallet.uri else "odd"
    if wallet.uri:
        wallet.sql(
            "CREATE COLLATION odd "
            "(provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
        )
    wallet.sql(f'CREATE TABLE app_person (name TEXT COLLATE "{collation}")')
    odd = [each for each in ODD if isinstance(each, str)]
    rows = [*odd, None, None, "a" * 1_000_000, "alice", ZOE]
    if not wallet.uri:  # no text to PostgreSQL, whose driver refuses it
        rows.append("alice\0")
    with wallet.installation.database.write() as connection:
        connection.execute(PERSON.insert(), [{"name": each} for each in rows])
    question = wallet.declared.question(*CREDIT_SCORE)
    assert question
    with wallet.installation.database.read() as connection:
        clause = allowed(
            PERSON.c.name,
            question,
            data=SPENDING,
            now=wallet.clock,
            dialect=connection.dialect.name,
        )
        yes = connection.scalars(sa.select(PERSON.c.name).where(clause)).all()
        no = connection.scalars(sa.select(PERSON.c.name).where(~clause)).all()
    assert sorted(yes) == [ZOE, "alice"]
    assert sorted(map(repr, no)) == sorted(
        repr(each) for each in rows if each not in yes
    )


def test_somebody_twice_and_far_apart_is_answered_each_time(wallet: Wallet) -> None:
    """Across the statements that SQLite needs, where some keys go abroad."""
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("bob", NIGHT, TRANSFER)
    wallet.answer("carol", NIGHT)
    unknown = [f"person-{number}" for number in range(standings.KEYS_AT_ONCE)]
    abroad = [wallet.request(each, NIGHT) for each in ("carol", "bob", "alice")]
    home = [
        wallet.request(each, CREDIT_SCORE)
        for each in ("alice", *unknown, "bob", "alice", "alice")
    ]
    found = check_many(wallet.installation, [*home, *abroad, *home[::-1]])
    assert [bool(each) for each in found] == (
        [bool(wallet.check(each.subject, CREDIT_SCORE)) for each in home]
        + [False, True, False]
        + [bool(each) for each in found[: len(home)]][::-1]
    )
    assert sum(map(bool, found)) == 7


@pytest.mark.sqlite
def test_more_than_one_statement_takes_are_answered_all_the_same(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "KEYS_AT_ONCE", 7)
    wallet.answer("person-9", CREDIT_SCORE)
    found = ask(wallet, *(f"person-{number}" for number in range(20)))
    assert [number for number, each in enumerate(found) if each] == [9]


def test_many_are_one_statement(wallet: Wallet) -> None:
    reader: Any = wallet.installation.reader
    if not hasattr(reader, "_rows"):  # on PostgreSQL its connections do it
        reader = reader._held
    wallet.answer("person-999", CREDIT_SCORE)
    asked: list[Sequence[object]] = []
    rows = reader._rows
    reader._rows = lambda query, values: asked.append(values) or rows(query, values)
    found = ask(wallet, *(f"person-{number}" for number in range(1_000)))
    assert [each.reason for each in found if each] == [Reason.GRANTED]
    assert len(asked) == 1


CORRUPT = {
    "unknown state": "state = 'maybe'",
    "unknown assurance": "assurance = 'sworn'",
    "until is text": "until = 'tomorrow'",
    "since is text": "since = 'yesterday'",
    "data are bytes": "data = x'7370656e64696e67'",
    "text that is no UTF-8": "record = CAST(x'ff' AS TEXT)",
}


@pytest.mark.requirement("R62")
@pytest.mark.sqlite
@pytest.mark.parametrize("change", CORRUPT.values(), ids=CORRUPT)
def test_a_corrupt_row_denies_its_own_person_only(wallet: Wallet, change: str) -> None:
    wallet.damaged = True
    for subject in ("alice", "bob", "carol"):
        wallet.answer(subject, CREDIT_SCORE)
    wallet.sql(f"UPDATE consent_state SET {change} WHERE subject = 'bob'")  # noqa: S608  written above
    single = wallet.check("bob", CREDIT_SCORE)
    assert not single
    alice, bob, carol = ask(wallet, "alice", "bob", "carol")
    assert alice
    assert carol
    assert bob == single


@pytest.mark.requirement("R62")
@pytest.mark.sqlite
def test_a_corrupt_answer_abroad_or_age_denies_its_own_person_only(
    wallet: Wallet,
) -> None:
    wallet.damaged = True
    for subject in ("alice", "bob", "carol"):
        wallet.answer(subject, NIGHT, TRANSFER)
    wallet.sql(
        "UPDATE consent_state SET state = 'maybe' "
        "WHERE subject = 'alice' AND purpose LIKE '%.cross-border'"
    )
    wallet.sql("INSERT INTO consent_coming_of_age VALUES ('bob', 'tomorrow')")
    asked = [wallet.request(each, NIGHT) for each in ("alice", "bob", "carol")]
    alice, bob, carol = check_many(wallet.installation, asked)
    assert [alice.reason, bob.reason] == [Reason.STORE_UNAVAILABLE] * 2
    assert carol
    assert [check(wallet.installation, each) for each in asked] == [alice, bob, carol]


def break_clock(wallet: Wallet) -> None:
    wallet.clock.broken = True


def drop_table(wallet: Wallet) -> None:
    wallet.sql("DROP TABLE consent_coming_of_age")


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("damage", [break_clock, drop_table])
def test_whatever_is_broken_all_answers_are_no(
    wallet: Wallet, damage: Callable[[Wallet], None]
) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    assert all(ask(wallet, "alice"))
    damage(wallet)
    found = ask(wallet, "alice", "bob")
    assert [each.reason for each in found] == [Reason.STORE_UNAVAILABLE] * 2
