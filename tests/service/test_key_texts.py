"""Keys as text: read from where they are said to be, and never repeated."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import ConfigurationError
from consentkit.log.keys import Ed25519Signer
from consentkit.service import key_texts
from consentkit.service.key_texts import KeyFile
from consentkit.service.key_texts import KeyVariable
from consentkit.service.key_texts import parse_text_uri

if TYPE_CHECKING:
    from pathlib import Path

SEED = bytes(range(32))
KEY = Ed25519Signer.from_seed("a", SEED)
ENCODED = base64.b64encode(SEED)

GOOD = {
    "a PEM": KEY.to_pem(),
    "a PEM after a line for people": b"collector of the wallet\n" + KEY.to_pem(),
    "a marked PEM": key_texts.mark_development(KEY.to_pem()),
    "a seed": ENCODED,
    "a seed with a newline": ENCODED + b"\n",
    "a marked seed": key_texts.mark_development(ENCODED),
}
BAD = {
    "nothing": b"",
    "a comment": b"# a key should stand here\n",
    "text": b"hunter2hunter2",
    "31 bytes": base64.b64encode(SEED[:31]),
    "64 bytes": base64.b64encode(SEED * 2),
    "hex": SEED.hex().encode() + b"0",
    "binary": SEED,
    "an empty PEM": b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_key_is_read_in_each_of_its_spellings(text: bytes) -> None:
    assert key_texts.open_key(text, label="the key").public_key == KEY.public_key


@pytest.mark.requirement("R118")
@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_key_is_refused_without_repeating_it(text: bytes) -> None:
    with pytest.raises(
        ConfigurationError, match="the key must be an Ed25519"
    ) as caught:
        key_texts.open_key(text, label="the key")
    assert not text or text.decode("latin-1").strip() not in str(caught.value)


def test_a_secret_is_64_hex_digits_after_what_is_for_people() -> None:
    text = key_texts.new_secret()
    marked = key_texts.mark_development(text)
    secret = key_texts.read_secret(text, label="it")
    assert len(secret) == 32
    assert key_texts.read_secret(marked, label="it") == secret
    assert key_texts.is_development(marked)
    assert not key_texts.is_development(text)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/etc/wallet/key.pem", "/etc/wallet/key.pem"),
        ("keys/my key.pem", "keys/my key.pem"),
        ("file:///etc/wallet/my%20key.pem", "/etc/wallet/my key.pem"),
        ("file:/etc/wallet/key.pem", "/etc/wallet/key.pem"),
        ("file://localhost/etc/wallet/key.pem", "/etc/wallet/key.pem"),
    ],
)
def test_a_plain_path_is_a_file(uri: str, path: str) -> None:
    found = parse_text_uri(uri, label="CONSENTKIT_LOG_KEY")
    assert isinstance(found, KeyFile)
    assert str(found.path) == path


def test_a_variable_is_read_when_the_key_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = parse_text_uri("env:WALLET_KEY", label="CONSENTKIT_LOG_KEY")
    assert isinstance(found, KeyVariable)
    monkeypatch.setenv("WALLET_KEY", ENCODED.decode())
    assert found.read() == ENCODED
    for unset in ("", None):
        monkeypatch.delenv("WALLET_KEY", raising=False)
        if unset is not None:
            monkeypatch.setenv("WALLET_KEY", unset)
        with pytest.raises(ConfigurationError, match="that CONSENTKIT_LOG_KEY names"):
            found.read()


@pytest.mark.requirement("R118")
def test_a_key_given_in_place_of_its_address_is_not_repeated() -> None:
    for key in (
        ENCODED.decode(),
        SEED.hex(),
        KEY.to_pem().decode(),
        f"env:{SEED.hex()}",
    ):
        with pytest.raises(ConfigurationError) as caught:
            parse_text_uri(key, label="CONSENTKIT_SECRET").read()
        assert "CONSENTKIT_SECRET" in str(caught.value)
        assert key.removeprefix("env:") not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_named_file_that_others_can_read_is_refused(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.to_pem())
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        parse_text_uri(str(path), label="CONSENTKIT_LOG_KEY").read()


def test_a_file_is_made_once_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "a.pem"
    assert key_texts.create_file(path, b"first")
    assert not key_texts.create_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["a.pem"]
