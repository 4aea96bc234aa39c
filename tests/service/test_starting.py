"""A log begins once, whoever comes first, and goes on only with its own keys."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import State
from consentkit.core.vocabulary import Controller
from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError
from consentkit.errors import LogUnavailableError
from consentkit.log.keys import Ed25519Signer
from consentkit.service.publishing import publish_all
from consentkit.service.starting import Places
from consentkit.service.starting import start
from tests.declared import registry
from tests.processes import at_once
from tests.processes import in_fork
from tests.service.contending import begin
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable


def test_eight_processes_that_start_at_once_begin_one_log(tmp_path: Path) -> None:
    answers = at_once(begin, [(tmp_path,)] * 8)
    assert len({tuple(vkeys) for vkeys in answers}) == 1
    wallet = Wallet(tmp_path)
    assert [leaf.kind.value for leaf in wallet.leaves()] == ["genesis", "key", "key"]
    assert list(wallet.installation.keyring.vkeys) == answers[0]
    wallet.prove()


def test_a_log_begins_with_its_name_and_its_keys(wallet: Wallet) -> None:
    genesis, collector, log = (leaf.body for leaf in wallet.leaves())
    assert genesis["controller"] == "wallet"
    assert {genesis["log"], collector["log"], log["log"]} == {ORIGIN}
    assert (collector["role"], log["role"]) == ("collector", "log")
    assert [log["vkey"], collector["vkey"]] == list(wallet.installation.keyring.vkeys)


def test_a_second_start_adds_nothing(wallet: Wallet) -> None:
    before = wallet.contents()
    Wallet(wallet.folder)
    assert wallet.contents() == before


def test_a_log_never_changes_its_name(wallet: Wallet) -> None:
    before = wallet.contents()
    with pytest.raises(ConfigurationError, match=ORIGIN):
        start(registry(), wallet.places, origin="wallet.example/consent/2027")
    assert wallet.contents() == before


@pytest.mark.parametrize("origin", ["", "with space", "with+plus", "line\nbreak"])
def test_an_origin_that_is_no_key_name_is_refused(tmp_path: Path, origin: str) -> None:
    places = Places(f"sqlite:///{tmp_path}/c.sqlite3", tmp_path / "k", tmp_path / "l")
    with pytest.raises(ConfigurationError, match="CONSENTKIT_LOG_ORIGIN"):
        start(registry(), places, origin=origin)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("R1")
def test_nothing_is_made_for_declarations_that_are_not_whole(tmp_path: Path) -> None:
    wallet = Controller("wallet", name="Wallet", contact="", address="", country="GB")
    places = Places(f"sqlite:///{tmp_path}/c.sqlite3", tmp_path / "k", tmp_path / "l")
    with pytest.raises(DeclarationError) as caught:
        start(registry(controller=wallet), places, origin=ORIGIN)
    assert len(caught.value.missing) == 4  # contact, address, authority, rights
    assert list(tmp_path.iterdir()) == []


def lose_collector(keys: Path) -> None:
    (keys / "collector-a1.pem").unlink()


def lose_log_key(keys: Path) -> None:
    (keys / "log.pem").unlink()


def renew_log_key(keys: Path) -> None:
    (keys / "log.pem").write_bytes(Ed25519Signer.generate(ORIGIN).to_pem())
    (keys / "log.pem").chmod(0o600)


def lose_secret(keys: Path) -> None:
    (keys / "secret.key").unlink()


def swap(keys: Path) -> None:
    data = (keys / "log.pem").read_bytes()
    (keys / "log.pem").write_bytes((keys / "collector-a1.pem").read_bytes())
    (keys / "collector-a1.pem").write_bytes(data)


@pytest.mark.parametrize(
    "damage", [lose_collector, lose_log_key, lose_secret, renew_log_key, swap]
)
def test_a_log_goes_on_with_no_keys_but_its_own(
    wallet: Wallet, damage: Callable[[Path], None]
) -> None:
    """A new key would be made in silence, and nobody could verify what it signs."""
    wallet.damaged = True
    keys = wallet.folder / "keys"
    damage(keys)
    before = wallet.contents()
    files = {path: path.read_bytes() for path in keys.iterdir()}
    with pytest.raises(ConfigurationError, match="put back the key files"):
        Wallet(wallet.folder)
    assert wallet.contents() == before
    assert {path: path.read_bytes() for path in keys.iterdir()} == files


def test_a_process_that_does_not_publish_neither_needs_nor_makes_the_log_key(
    wallet: Wallet,
) -> None:
    wallet.damaged = True
    lose_log_key(wallet.folder / "keys")
    later = Wallet(wallet.folder, publishes=False)
    later.answer("alice", CREDIT_SCORE)
    later.revoke("alice")
    with pytest.raises(ConfigurationError, match=r"log\.pem is not there"):
        publish_all(later.installation)
    assert not (wallet.folder / "keys" / "log.pem").exists()


def test_whoever_begins_the_log_makes_all_its_keys(tmp_path: Path) -> None:
    Wallet(tmp_path, publishes=False)
    files = {path.name for path in (tmp_path / "keys").iterdir()}
    assert files == {"collector-a1.pem", "log.pem", "secret.key"}


@pytest.mark.parametrize("publishes", [True, False])
def test_a_secret_that_opens_nobodys_evidence_is_refused(
    wallet: Wallet, *, publishes: bool
) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    secret = wallet.folder / "keys" / "secret.key"
    secret.write_text("a" * 64)
    before = wallet.contents()
    with pytest.raises(ConfigurationError, match=r"secret\.key .*put back") as caught:
        Wallet(wallet.folder, publishes=publishes)
    assert "alice" not in str(caught.value)
    assert wallet.contents() == before


def test_one_damaged_key_of_a_person_does_not_stop_the_others(wallet: Wallet) -> None:
    wallet.damaged = True
    for subject in ("alice", "bob", "carol"):
        wallet.answer(subject, CREDIT_SCORE)
    changed = "UPDATE consent_subject SET data_key = ? WHERE subject = ?"
    wallet.sql(changed, bytes(60), "alice")
    wallet.sql(changed, b"short", "bob")
    later = Wallet(wallet.folder)
    assert later.revoke("carol").leaf


def test_nothing_is_published_under_another_log_key(wallet: Wallet) -> None:
    wallet.damaged = True
    size = wallet.verify().size
    lose_log_key(wallet.folder / "keys")
    later = Wallet(wallet.folder, publishes=False)
    later.answer("alice", CREDIT_SCORE)
    checkpoint = (wallet.logs / "checkpoint").read_bytes()
    renew_log_key(wallet.folder / "keys")
    with pytest.raises(ConfigurationError, match="log key"):
        publish_all(later.installation)
    assert (wallet.logs / "checkpoint").read_bytes() == checkpoint
    assert later.installation.publications.latest() == (size, checkpoint)


def test_a_start_leaves_no_connection_for_a_fork_to_inherit(wallet: Wallet) -> None:
    """A server that loads the app and then forks hands down whatever is open."""
    open_files = [each.resolve() for each in Path("/proc/self/fd").iterdir()]
    assert wallet.file.resolve() not in open_files


@pytest.mark.requirement("R55")
def test_a_fork_of_a_running_wallet_goes_on_with_it(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    assert wallet.check("alice", CREDIT_SCORE)

    def revoke_in_a_worker() -> bool:
        assert wallet.check("alice", CREDIT_SCORE)
        wallet.revoke("alice")
        wallet.answer("bob", CREDIT_SCORE)
        return bool(wallet.check("alice", CREDIT_SCORE))

    assert in_fork(revoke_in_a_worker).value is False
    assert not wallet.check("alice", CREDIT_SCORE)
    assert wallet.check("bob", CREDIT_SCORE)
    wallet.answer("alice", CREDIT_SCORE)
    assert wallet.check("alice", CREDIT_SCORE)


def test_a_database_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "consent.sqlite3").write_bytes(b"no database " * 100)
    with pytest.raises(LogUnavailableError):
        Wallet(tmp_path)


@pytest.mark.requirement("R45")
def test_what_people_say_of_themselves_is_nowhere_in_the_files_of_the_log(
    wallet: Wallet,
) -> None:
    facts = {"page": "/bill/alice-liddell", "agent": "Rare-Browser/9"}
    form = wallet.form(
        "alice@wallet.example", {CREDIT_SCORE: State.GIVEN}, facts=dict(facts)
    )
    wallet.submit(form)
    wallet.share("alice@wallet.example", CREDIT_SCORE)
    wallet.verify()
    files = [path for path in wallet.logs.rglob("*") if path.is_file()]
    assert files
    text = b"".join(path.read_bytes() for path in files)
    with closing(sqlite3.connect(wallet.file)) as connection:
        text += "\n".join(
            line for line in connection.iterdump() if "consent_leaf" in line
        ).encode()
        sealed = connection.execute("SELECT sealed FROM consent_evidence").fetchall()
    for secret in (b"alice", b"liddell", b"Rare-Browser"):
        assert secret not in text
        assert all(secret not in row[0] for row in sealed)
