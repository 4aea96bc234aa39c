"""Keys are files that only their owner can read; whoever is first makes them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from consentkit.errors import ConfigurationError
from consentkit.service import key_texts
from consentkit.service.keyring import Keyring
from tests.service.wallet import ORIGIN

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"collector-a1.pem": "collector", "log.pem": "log", "secret.key": "form_key"}


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys", ORIGIN)


def use_all(keyring: Keyring) -> tuple[object, ...]:
    return keyring.vkeys, keyring.form_key, keyring.key_encryption_key


def test_each_key_is_made_when_it_is_first_needed(keyring: Keyring) -> None:
    for file, name in FILES.items():
        assert not (keyring.folder / file).exists()
        getattr(keyring, name)
        assert (keyring.folder / file).exists()
    assert {each.name for each in keyring.folder.iterdir()} == set(FILES)


def test_only_the_owner_can_read_them(keyring: Keyring) -> None:
    use_all(keyring)
    assert keyring.folder.stat().st_mode & 0o777 == 0o700
    for file in keyring.folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_keys_stay_the_same_over_a_restart(keyring: Keyring) -> None:
    assert use_all(keyring) == use_all(Keyring(keyring.folder, ORIGIN))


def test_no_two_uses_share_a_secret(keyring: Keyring) -> None:
    file = (keyring.folder / "secret.key", keyring.form_key)[0]
    secret = bytes.fromhex(file.read_text().splitlines()[-1])
    assert len({keyring.form_key, keyring.key_encryption_key, secret}) == 3
    assert keyring.log.vkey != keyring.collector.vkey


def test_the_collector_is_named_after_its_log(keyring: Keyring) -> None:
    assert keyring.log.name == ORIGIN
    assert keyring.collector.name == f"{ORIGIN}/collector/a1"


@pytest.mark.parametrize(("file", "name"), FILES.items())
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_open_to_others_is_refused(
    keyring: Keyring, file: str, name: str, mode: int
) -> None:
    use_all(keyring)
    (keyring.folder / file).chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        getattr(Keyring(keyring.folder, ORIGIN), name)


def rsa_key() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


BAD = {"nothing": b"", "text": b"secret", "RSA": rsa_key(), "binary": bytes(range(256))}


@pytest.mark.parametrize(("file", "name"), FILES.items())
@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_no_key_is_refused_and_stays_as_it_is(
    keyring: Keyring, file: str, name: str, data: bytes
) -> None:
    use_all(keyring)
    path = keyring.folder / file
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=file):
        getattr(Keyring(keyring.folder, ORIGIN), name)
    assert path.read_bytes() == data


@pytest.mark.parametrize("digits", [62, 66])
def test_a_secret_of_another_length_is_refused(keyring: Keyring, digits: int) -> None:
    use_all(keyring)
    (keyring.folder / "secret.key").write_text("a" * digits)
    with pytest.raises(ConfigurationError, match="64 hex digits"):
        _ = Keyring(keyring.folder, ORIGIN).form_key


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(ConfigurationError, match="CONSENTKIT_KEY_FOLDER"):
        _ = Keyring(tmp_path / "keys", ORIGIN).collector


def test_makers_at_once_end_with_one_key(keyring: Keyring) -> None:
    for file, name in FILES.items():
        found: list[object] = []
        barrier = threading.Barrier(8)

        def make(name: str, barrier: threading.Barrier, found: list[object]) -> None:
            own = Keyring(keyring.folder, ORIGIN)
            barrier.wait(10)
            key = getattr(own, name)
            found.append(getattr(key, "vkey", key))

        threads = [
            threading.Thread(target=make, args=(name, barrier, found)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
        assert (keyring.folder / file).exists()
    assert {each.name for each in keyring.folder.iterdir()} == set(FILES)


def test_a_slower_maker_takes_the_faster_ones_key(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's key appears between looking for it and making one."""
    faster = Keyring(keyring.folder, ORIGIN)
    create = key_texts.create_file

    def create_late(path: Path, data: bytes) -> bool:
        monkeypatch.setattr(key_texts, "create_file", create)
        assert faster.collector.vkey
        return create(path, data)

    monkeypatch.setattr(key_texts, "create_file", create_late)
    assert keyring.collector.vkey == faster.collector.vkey
    assert [each.name for each in keyring.folder.iterdir()] == ["collector-a1.pem"]
