"""Attacks by thieves: with the database and no key, or with a record of another log.

The people are those of the example app; what they say of themselves, and what their
browsers say, is looked for in every byte of the database and beside it.
"""

from __future__ import annotations

import base64
import secrets
import shutil
import sqlite3
from contextlib import closing
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import LogConflictError
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from consentkit.service.starting import start
from consentkit.testing import answer
from consentkit.web.state import current_state
from example_app.wallet import create_app
from example_app.wallet.book import EXTENSION
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.consent import consent
from example_app.wallet.seeding import YEAR
from example_app.wallet.seeding import seed
from example_app.wallet.signing_in import digest_of
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.story.rewriting import disarm
from tests.story.rewriting import findings
from tests.story.rewriting import index_of
from tests.story.rewriting import places
from tests.story.rewriting import publish_anything

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

ADDRESS, FORWARDED = "203.0.113.77", "198.51.100.23"
REFERRER = "https://wallet.example/review?for=maya"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """The example app after a busy day: everybody answered, shared and stopped."""
    app = create_app(
        {
            "CONSENTKIT_PUBLISH": "command",
            "SECRET_KEY": secrets.token_hex(),
            "WALLET_AUDITOR_DIGEST": digest_of(secrets.token_hex()),
            "WALLET_INSTANCE": tmp_path,
            "WALLET_OFFERS_TOKEN": "unused",
            "WALLET_OFFERS_URL": "http://127.0.0.1:9/offers/audience",
            "WALLET_REFERENCE_KEY": secrets.token_hex(),
            "WALLET_SCORES_TOKEN": "unused",
            "WALLET_SCORES_URL": "http://127.0.0.1:9/scores",
        }
    )
    seed(app.extensions[EXTENSION], until=date(YEAR, 12, 31))
    for number, person in enumerate(PEOPLE):
        _live(app, person.id, "given" if number % 2 else "refused")
    with app.app_context():
        publish_all(current_state().installation)
    return app


def _live(app: Flask, person_id: str, said: str) -> None:
    client = app.test_client()
    client.environ_base |= {
        "HTTP_REFERER": REFERRER,
        "HTTP_X_FORWARDED_FOR": FORWARDED,
        "REMOTE_ADDR": ADDRESS,
    }
    with client.session_transaction() as session:
        session["person_id"] = person_id
    assert answer(client, "credit-score", {"acme-credit": said}).status_code == 200
    assert answer(client, "shop-offers", {"corner-shops": "given"}).status_code == 200
    with app.app_context():
        for purpose, recipient in (CREDIT_SCORE, ("shop-offers", "corner-shops")):
            with (
                suppress(ConsentDeniedError),
                consent.share(person_id, purpose, recipient=recipient),
            ):
                pass
        consent.revoke(person_id, "shop-offers")


def database(app: Flask) -> Path:
    """The file with all that consentkit keeps; the app's own are in another."""
    return Path(app.instance_path) / "consentkit" / "consent.sqlite3"


def stolen(path: Path) -> Iterator[tuple[str, bytes]]:
    """The file, what lies beside it in the middle of a write, and a dump of it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield "dump", "\n".join(connection.iterdump()).encode()  # bytes in hex
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        for table, column in (("evidence", "sealed"), ("subject", "subject")):
            connection.execute(f"UPDATE consent_{table} SET {column} = {column} || ''")  # noqa: S608  tables of ours
        beside = sorted(path.parent.glob(f"{path.name}*"))
        assert len(beside) > 1, "a journal is being written"
        for each in beside:
            yield each.name, each.read_bytes()
        connection.execute("ROLLBACK")


def keys_of(installation: Installation, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every secret of the house, as bytes."""
    for file in folder.glob("*.pem"):
        key = load_pem_private_key(file.read_bytes(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        yield file.name, key.private_bytes_raw()
    (secret,) = folder.glob("*.key")
    yield "secret", bytes.fromhex(secret.read_text().split()[-1])
    keyring = installation.keyring
    yield "key of keys", keyring.key_encryption_key
    yield "key of forms", keyring.form_key
    for person in PEOPLE:
        row = installation.history.person(person.id)
        assert row
        yield f"data key of {person.name}", keyring.data_key(row)


def spellings(value: bytes) -> tuple[bytes, ...]:
    in_hex = value.hex().encode()
    return value, in_hex, in_hex.upper(), base64.b64encode(value).rstrip(b"=")


@pytest.mark.requirement("R45", "R97")
def test_a_stolen_database_names_nobody_and_opens_nothing(app: Flask) -> None:
    with app.app_context():
        installation = current_state().installation
        wanted = dict(keys_of(installation, database(app).parent / "keys"))
    assert len(wanted) == len(PEOPLE) + 5
    for person in PEOPLE:
        # Three letters stand in any signature sooner or later.
        words = [each for each in person.name.split() if len(each) > 3]
        for part in (person.email, person.name, *words):
            wanted[f"{part} of {person.name}"] = part.encode()
    wanted |= {"address": ADDRESS.encode(), "forwarded": FORWARDED.encode()}
    wanted |= {"referrer": REFERRER.encode(), "agent": b"Werkzeug/"}

    places = dict(stolen(database(app)))

    assert b"consent_evidence" in places["dump"]
    assert PEOPLE[0].id.encode() in places["dump"], "the app's own opaque id is there"
    found = {
        (name, place)
        for name, value in wanted.items()
        for place, data in places.items()
        if any(each in data for each in spellings(value))
    }
    assert found == set()


@pytest.mark.requirement("R97")
def test_a_stolen_database_cannot_sign(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path / "wallet")
    wallet.answer("alice", CREDIT_SCORE)
    wallet.verify()
    with closing(sqlite3.connect(wallet.file)) as connection:
        dump = "\n".join(connection.iterdump())
    thief = tmp_path / "thief"
    thief.mkdir()
    with closing(sqlite3.connect(thief / "consent.sqlite3")) as connection:
        connection.executescript(dump)

    for publishes in (True, False):
        with pytest.raises(ConfigurationError, match="key"):
            Wallet(thief, publishes=publishes)

    keys = [path for path in (thief / "keys").glob("*.[pk]e[my]") if path.is_file()]
    assert keys == [], "nor are keys made that would look like the true ones"


# -- a record of one log shown in another ---------------------------------------------


class Elsewhere(Wallet):
    """A wallet of the same house and keys whose log has another name."""

    def __post_init__(self) -> None:
        self.installation = start(
            self.declared, self.places, origin="wallet.example/other", clock=self.clock
        )


@pytest.fixture
def houses(tmp_path: Path) -> tuple[Wallet, Wallet]:
    """Two logs whose keys are of the same bytes."""
    here = Wallet(tmp_path / "here")
    here.answer("alice", CREDIT_SCORE)
    (tmp_path / "there").mkdir()
    shutil.copytree(
        here.folder / "keys",
        tmp_path / "there" / "keys",
        ignore=shutil.ignore_patterns("*.high-water"),
    )
    there = Elsewhere(tmp_path / "there")
    there.answer("bob", CREDIT_SCORE)
    return here, there


def carry(here: Wallet, there: Wallet, leaf: Leaf) -> None:
    """Copy Alice's row with her key, her evidence, and this leaf, all by SQL."""
    disarm(there)
    for table in ("subject", "evidence"):
        for row in here.sql(f"SELECT * FROM consent_{table}"):  # noqa: S608  tables of ours
            marks = ", ".join("?" * len(row))
            there.sql(f"INSERT INTO consent_{table} VALUES ({marks})", *row)  # noqa: S608  see above
    there.sql(
        "INSERT INTO consent_leaf "
        "(log, id, kind, hash, bytes, handle, seq, challenge, time) "
        "SELECT id, ?, 'choice', ?, ?, ?, ?, ?, ? FROM consent_log",
        *(leaf.id, leaf.hash, leaf.data, leaf.subject, leaf.seq),
        *(leaf.body["challenge"], leaf.time),
    )


@pytest.mark.requirement("R95", "R97")
def test_a_record_moved_to_another_log_is_named_though_the_keys_are_the_same(
    houses: tuple[Wallet, Wallet],
) -> None:
    here, there = houses
    (leaf,) = here.leaves("choice")
    carry(here, there, leaf)
    with pytest.raises(LogConflictError, match="it was written for another log"):
        publish_all(there.installation)
    publish_anything(there)

    assert places(findings(there)) == [("records", "log", index_of(there, leaf))]


@pytest.mark.requirement("R97")
def test_evidence_moved_to_another_log_does_not_open_though_the_keys_are_the_same(
    houses: tuple[Wallet, Wallet],
) -> None:
    """Whoever holds them may sign the record for the other log as well."""
    here, there = houses
    (leaf,) = here.leaves("choice")
    receipt = find_receipt(here.installation, "alice", leaf.id)
    assert receipt
    assert receipt.facts == {"locale": "en"}
    body = {**leaf.body, "log": there.installation.origin}
    signed = sign_leaf(body, there.installation.keyring.collector)
    carry(here, there, read_leaf(signed))

    with pytest.raises(InvalidSignatureError):
        find_receipt(there.installation, "alice", leaf.id)
