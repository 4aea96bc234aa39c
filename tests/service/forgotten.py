"""Somebody lives in the log, is forgotten, and is looked for in every byte."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING

from consentkit.core.act import State
from consentkit.errors import ConsentDeniedError
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import Erasure
from consentkit.service.erasing import erase
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from consentkit.service.receipts import Receipt
    from tests.service.wallet import Wallet

__all__ = ["ALICE", "FACTS", "forget", "found", "live", "rows", "secrets_of"]

ALICE = "alice.liddell@wonderland.example"  # an id that is a name and an address
FACTS = {"locale": "en", "path": "/bill/alice-liddell", "user_agent": "Cheshire/1.0"}


def live(wallet: Wallet, subject: str = ALICE) -> Receipt:
    """Somebody answers, is shared and refused; their receipt of the first answer."""
    leaf = wallet.submit(
        wallet.form(subject, {CREDIT_SCORE: State.GIVEN}, facts=dict(FACTS))
    )
    wallet.share(subject, CREDIT_SCORE)
    with suppress(ConsentDeniedError):
        wallet.share(subject, NIGHT)
    handle = leaf.subject
    wallet.sql(
        "INSERT INTO consent_delivery VALUES "
        "(?, ?, 'acme-credit', 'test', ?, ?, 0, 0, 1, 'failed', '')",
        "d" * 32 + str(handle),
        handle,
        leaf.id,
        b"\0",
    )
    publish_all(wallet.installation)
    receipt = find_receipt(wallet.installation, subject, leaf.id)
    assert receipt is not None
    return receipt


def forget(wallet: Wallet, subject: str = ALICE, reason: str = "request") -> Erasure:
    return erase(wallet.installation, Erasing(subject, reason))


def secrets_of(wallet: Wallet, subject: str) -> dict[str, bytes]:
    """What ties somebody to the log: their id and their data key, open and wrapped."""
    person = wallet.installation.history.person(subject)
    assert person is not None
    return {
        "id": subject.encode(),
        "data key": wallet.installation.keyring.data_key(person),
        "wrapped key": person.wrapped_key,
    }


def _spellings(value: bytes) -> tuple[bytes, ...]:
    """The value as it is, in hex and in base64."""
    return value, value.hex().encode(), base64.b64encode(value).rstrip(b"=")


def found(wallet: Wallet, wanted: dict[str, bytes], logged: str = "") -> set[str]:
    """Which of these stand in the database, beside it, in the log or in the lines."""
    places = [path.read_bytes() for path in _files(wallet)] + [logged.encode()]
    return {
        name
        for name, value in wanted.items()
        if any(each in place for place in places for each in _spellings(value))
    }


def _files(wallet: Wallet) -> Iterable[Path]:
    keys = wallet.places.keys
    return (
        path
        for path in wallet.folder.rglob("*")
        if path.is_file() and keys not in path.parents
    )


_TABLES = ("subject", "state", "disclosure", "evidence", "hold")


def rows(wallet: Wallet) -> dict[str, int]:
    return {name: len(wallet.contents()[f"consent_{name}"]) for name in _TABLES}
