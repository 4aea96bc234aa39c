"""Which key may sign which index: one row a key, held against every insertion."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.publishing import publish_all
from consentkit.store.keys import KeyRange
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.core.canonical import JSON
    from consentkit.log.keys import Signer

NEW = Ed25519Signer.generate(f"{ORIGIN}/collector/a2")


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    return Wallet(tmp_path)


def leaf(kind: Kind, fields: dict[str, JSON], signer: Signer) -> Leaf:
    common: dict[str, JSON] = {
        "id": secrets.token_hex(16),
        "kind": kind.value,
        "log": ORIGIN,
        "time": 1,
    }
    return read_leaf(sign_leaf({**fields, **common}, signer))


def admin(signer: Signer) -> Leaf:
    return leaf(
        Kind.ADMIN, {"action": "test", "target": "x", "evidence": "0" * 64}, signer
    )


def key(vkey: str, first: int, signer: Signer, until: int | None = None) -> Leaf:
    fields: dict[str, JSON] = {"role": "collector", "vkey": vkey, "from": first}
    if until is not None:
        fields["until"] = until
    return leaf(Kind.KEY, fields, signer)


def append(wallet: Wallet, *leaves: Leaf) -> None:
    with wallet.installation.ledger.write() as transaction:
        for each in leaves:
            transaction.append(each)


def signs(wallet: Wallet, signer: Signer) -> bool:
    try:
        append(wallet, admin(signer))
    except LogConflictError:
        return False
    return True


def test_a_log_begins_with_a_row_for_each_of_its_keys(wallet: Wallet) -> None:
    log, collector = wallet.installation.keyring.vkeys
    assert set(wallet.installation.keys.ranges()) == {
        KeyRange(log, "log", 0),
        KeyRange(collector, "collector", 0),
    }


@pytest.mark.requirement("R97")
def test_a_key_that_the_log_never_heard_of_writes_nothing(wallet: Wallet) -> None:
    before = wallet.contents()
    assert not signs(wallet, NEW)
    assert not signs(wallet, Ed25519Signer.generate(f"{ORIGIN}/collector/a"))
    assert wallet.contents() == before


@pytest.mark.requirement("R97")
@pytest.mark.parametrize("published", [True, False])
def test_a_key_signs_exactly_the_indices_of_its_range(
    wallet: Wallet, *, published: bool
) -> None:
    """Whether or not the leaves before were numbered yet."""
    old = wallet.installation.keyring.collector
    append(wallet, key(NEW.vkey, 6, old))
    allowed: list[int] = []
    for index in range(4, 9):
        if published:
            publish_all(wallet.installation)
        if index == 7:
            append(wallet, key(NEW.vkey, 6, old, until=8))
            continue
        if signs(wallet, NEW):
            allowed.append(index)
        else:
            append(wallet, admin(old))
    assert allowed == [6]
    assert len(wallet.leaves()) == 9


def test_the_end_of_a_range_is_the_first_index_that_is_refused(wallet: Wallet) -> None:
    old = wallet.installation.keyring.collector
    append(wallet, key(NEW.vkey, 4, old))
    append(wallet, key(old.vkey, 0, NEW, until=7))
    assert signs(wallet, old)  # index 5
    assert signs(wallet, old)  # index 6
    assert not signs(wallet, old)
    assert signs(wallet, NEW)
    publish_all(wallet.installation)
    assert not signs(wallet, old)


def test_row_and_leaf_are_there_together_or_not_at_all(wallet: Wallet) -> None:
    before = wallet.contents()
    collector = wallet.installation.keyring.collector
    ledger = wallet.installation.ledger
    with pytest.raises(RuntimeError), ledger.write() as transaction:  # noqa: PT012  what fails is the transaction
        transaction.append(key(NEW.vkey, 4, collector))
        assert len(transaction.key_ranges()) == 3
        raise RuntimeError
    assert wallet.contents() == before


def test_a_log_of_an_older_version_gets_its_rows_at_the_start(wallet: Wallet) -> None:
    append(wallet, key(NEW.vkey, 4, wallet.installation.keyring.collector))
    before = wallet.contents()
    wallet.sql("DELETE FROM consent_key")
    again = Wallet(wallet.folder)
    assert again.contents() == before
    again.answer("alice", CREDIT_SCORE)


TAMPERED = {
    "a later end": "UPDATE consent_key SET until = 9 WHERE role = 'collector'",
    "another beginning": "UPDATE consent_key SET first = 1 WHERE role = 'log'",
    "a key taken out": "DELETE FROM consent_key WHERE role = 'log'",
    "a key put in": (
        "INSERT INTO consent_key (log, vkey, role, first) VALUES (1, 'x', 'log', 0)"
    ),
}


@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
def test_rows_that_the_leaves_do_not_say_stop_the_start(
    wallet: Wallet, statement: str
) -> None:
    wallet.sql(statement)
    before = wallet.contents()
    with pytest.raises(LogConflictError, match="the table of keys"):
        Wallet(wallet.folder)
    assert wallet.contents() == before
