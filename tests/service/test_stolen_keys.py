"""What somebody does with a stolen or a retired key: named, or refused at the door."""

from __future__ import annotations

import re
import sqlite3
from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from consentkit.audit.bundle import FolderSource
from consentkit.audit.report import Layer
from consentkit.audit.verify import find_faults
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import sign_leaf
from consentkit.log.merkle import hash_leaf
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from tests.service.rotations import first_keys
from tests.service.rotations import retire
from tests.service.rotations import rotate
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path


def stolen(wallet: Wallet) -> Ed25519Signer:
    pem = (wallet.folder / "keys" / "collector-a1.pem").read_bytes()
    return Ed25519Signer.from_pem(f"{ORIGIN}/collector/a1", pem)


def forge(wallet: Wallet, signer: Ed25519Signer) -> bytes:
    """Put a leaf into the table as somebody with the file and the key would."""
    body = dict(wallet.leaves("admin")[0].body) | {"id": "f" * 32}
    leaf = sign_leaf(body, signer)
    wallet.sql(
        "INSERT INTO consent_leaf (log, id, kind, hash, bytes, time) "
        "VALUES (1, ?, 'admin', ?, ?, ?)",
        "f" * 32,
        hash_leaf(leaf),
        leaf,
        body["time"],
    )
    return leaf


@pytest.mark.requirement("R97")
def test_what_a_stolen_key_signs_after_its_last_index_is_named(tmp_path: Path) -> None:
    old = Wallet(tmp_path)
    trust = first_keys(old)
    old.answer("alice", CREDIT_SCORE)
    rotate(old, "collector")
    wallet = Wallet(tmp_path)
    retire(wallet, "a1")

    forge(wallet, stolen(wallet))
    wallet.answer("bob", CREDIT_SCORE)
    publish_all(wallet.installation)

    (fault,) = find_faults(FolderSource(wallet.logs), trust=trust)
    index = next(i for i, leaf in enumerate(wallet.leaves()) if leaf.id == "f" * 32)
    assert (fault.layer, fault.step, fault.entry) == (Layer.RECORDS, "signature", index)


@pytest.mark.requirement("R97")
def test_what_a_key_signed_before_its_last_index_is_still_fine(tmp_path: Path) -> None:
    old = Wallet(tmp_path)
    trust = first_keys(old)
    rotate(old, "collector")
    forge(old, stolen(old))  # still in force: only a record in the log betrays it
    retire(Wallet(tmp_path), "a1")
    publish_all(old.installation)
    assert list(find_faults(FolderSource(old.logs), trust=trust)) == []


def test_a_leaf_of_a_retired_key_goes_in_through_no_door(tmp_path: Path) -> None:
    old = Wallet(tmp_path)
    rotate(old, "collector")
    retire(Wallet(tmp_path), "a1")
    before = old.contents()
    acts = {
        "an answer": lambda: old.answer("alice", CREDIT_SCORE),
        "a new notice": lambda: old.notice("credit-score", wording="Really?"),
        "another rotation": lambda: rotate(old, "collector"),
        "another retirement": lambda: retire(old, "a2"),
    }
    for name, act in acts.items():
        with pytest.raises((LogConflictError, InvalidRequestError)):
            act()
        assert old.contents() == before, name


@pytest.mark.requirement("R97")
def test_no_private_key_stands_in_the_database_or_in_a_receipt(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    rotate(wallet, "collector")
    rotate(wallet, "log")
    wallet = Wallet(tmp_path)
    act = wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    receipt = find_receipt(wallet.installation, "alice", act.id)
    assert receipt is not None
    with closing(sqlite3.connect(wallet.file)) as connection:
        dump = "\n".join(connection.iterdump()).encode().lower()
    everything = {
        "the dump": dump,
        "the file": wallet.file.read_bytes(),
        "the receipt": str(receipt.to_dict()).encode(),
        **{
            str(path): path.read_bytes()
            for path in wallet.logs.rglob("*")
            if path.is_file()
        },
    }
    files = sorted((tmp_path / "keys").glob("*.[pk]e[my]"))
    assert len(files) == 5
    for path in files:
        for secret in spellings(path.read_bytes()):
            for name, data in everything.items():
                assert secret not in data, (path.name, name)


def spellings(text: bytes) -> list[bytes]:
    """A private key as bytes, hex, base64, and the lines of its file."""
    if b"BEGIN" in text:
        key = load_pem_private_key(text, password=None)
        raw = key.private_bytes_raw()  # type: ignore[union-attr]  an Ed25519 key
        body = re.sub(rb"-----.*?-----|#.*", b"", text).strip()
        return [raw, raw.hex().encode(), b64encode(raw)[:-2], body]
    digits = text.splitlines()[-1]
    return [digits, bytes.fromhex(digits.decode())]
