"""A key on a PKCS #11 token signs leaves and checkpoints, and never leaves it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from typing import Any

import pkcs11
import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.log.keys import Verifier
from consentkit.service.administering import Official
from consentkit.service.hsm import TokenKey
from consentkit.service.hsm import parse_token_uri
from consentkit.service.publishing import publish_all
from consentkit.service.rotating import retire_key
from consentkit.service.rotating import rotate_key
from consentkit.service.signers import KeySources
from consentkit.service.signers import NamedSigner
from consentkit.service.signers import parse_key_uri
from consentkit.service.signers import parse_secret_uri
from tests.processes import at_once
from tests.processes import in_fork
from tests.service.softhsm import PIN
from tests.service.softhsm import SoftHsm
from tests.service.softhsm import make_token
from tests.service.softhsm import refusal
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OFFICER = Official("security@wallet.example", "keys move to the token")
LABEL = "CONSENTKIT_LOG_KEY"


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", "")  # put back what was there, at the end
        token = make_token(tmp_path_factory.mktemp("hsm"))
        token.add_key("log", b"\x01")
        token.add_key("collector", b"\x02\xff")
        token.add_key("short-lived", b"\x07")
        yield token


def opened(uri: str) -> TokenKey:
    key = parse_key_uri(uri, label=LABEL).key
    assert isinstance(key, TokenKey)
    return key


def check(key: TokenKey, message: bytes = b"a leaf") -> None:
    """The signature holds under the public half, by another implementation."""
    vkey = NamedSigner("wallet.example/log", key).vkey
    Verifier.parse(vkey).verify(message, key.sign(message))


@pytest.mark.parametrize("size", [0, 1, 609, 65_535])
def test_a_token_signs_as_any_ed25519_key_does(hsm: SoftHsm, size: int) -> None:
    check(opened(hsm.uri("log")), b"x" * size)


def test_a_key_is_found_by_its_object_or_its_id(hsm: SoftHsm) -> None:
    by_object = opened(hsm.uri("collector"))
    assert opened(hsm.uri("", id="%02%FF")).public_key == by_object.public_key
    assert opened(hsm.uri("collector", id="%02%ff")).public_key == by_object.public_key
    assert opened(hsm.uri("log")).public_key != by_object.public_key
    missing = hsm.uri("collector", id="%01")
    with pytest.raises(ConfigurationError, match="NoSuchKey"):
        opened(missing)


def test_a_whole_log_is_signed_by_a_token(hsm: SoftHsm, tmp_path: Path) -> None:
    sources = KeySources(
        collector=(parse_key_uri(hsm.uri("collector"), label="it"),),
        log=(parse_key_uri(hsm.uri("log"), label="it"),),
    )
    wallet = Wallet(tmp_path, sources=sources)
    wallet.answer("alice", CREDIT_SCORE)
    assert {path.name for path in (tmp_path / "keys").glob("*.pem")} == set()
    wallet.prove()


@pytest.mark.requirement("R97")
def test_keys_move_from_files_to_a_token(hsm: SoftHsm, tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    trust = Trust.of(wallet.installation.keyring.vkeys)
    wallet.answer("alice", CREDIT_SCORE)
    for role, key in {"collector": "collector", "log": "log"}.items():
        source = parse_key_uri(hsm.uri(key), label="--uri")
        rotate_key(wallet.installation, role, by=OFFICER, source=source)
    sources = KeySources(
        collector=(parse_key_uri(hsm.uri("collector"), label="it"),),
        log=(parse_key_uri(hsm.uri("log"), label="it"),),
    )
    later = Wallet(tmp_path, sources=sources)
    by_token = later.answer("bob", CREDIT_SCORE)
    publish_all(later.installation)
    verify_log(FolderSource(later.logs), trust=trust)  # both lines are there
    for name in ("a1", trust.log[0].key_id.hex()):
        retire_key(later.installation, name, by=OFFICER)
    for path in (tmp_path / "keys").glob("*.pem"):
        path.unlink()
    last = Wallet(tmp_path, sources=sources)
    assert last.answer("carol", CREDIT_SCORE).claimed == by_token.claimed
    publish_all(last.installation)
    new = Trust.of([last.installation.keyring.log.vkey])
    assert verify_log(FolderSource(last.logs), trust=new).size == len(last.leaves())


def test_a_fork_opens_its_own_session(hsm: SoftHsm) -> None:
    """A server loads the app, opens the keys, and forks its workers."""
    keys = [opened(hsm.uri("log")), opened(hsm.uri("collector"))]

    def work() -> list[str]:
        for key in [*keys, *keys]:
            check(key)
        return [key.public_key.hex() for key in keys]

    for _ in range(2):
        assert in_fork(work).value == [key.public_key.hex() for key in keys]
        for key in keys:
            check(key)


def test_threads_share_one_session(hsm: SoftHsm) -> None:
    key = opened(hsm.uri("log"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: check(key, b"%d" % n), range(200)))
    assert len(key._sessions) == 1


def test_a_session_that_was_closed_is_opened_again(hsm: SoftHsm) -> None:
    key = opened(hsm.uri("log"))
    key._sessions[0].close()
    check(key)
    check(key)
    assert len(key._sessions) == 2


def test_a_key_that_is_gone_from_its_token_is_told_and_nothing_is_signed(
    hsm: SoftHsm,
) -> None:
    key = opened(hsm.uri("short-lived"))
    (token,) = pkcs11.lib(key._address.module).get_tokens(token_label=hsm.token)
    for each in token.open(rw=True).get_objects({pkcs11.Attribute.ID: b"\x07"}):
        each.destroy()
    with pytest.raises(LogUnavailableError, match=f"the key that {LABEL} names"):
        key.sign(b"a leaf")


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "a wrong PIN": ({"pin_value": "1234"}, "PinIncorrect"),
    "a token that is not there": ({"token": "elsewhere"}, "NoSuchToken"),
    "a key that is not there": ({"object": "elsewhere"}, "NoSuchKey"),
    "no PIN": ({"pin_source": ""}, "NoSuchKey"),
    "a PIN file that is not there": ({"pin_source": "/nowhere"}, "cannot be read"),
    "a variable that is not set": ({"pin_source": "env:NO_SUCH_PIN"}, "is not set"),
    "no such library": ({"module_path": "/nowhere.so"}, "PKCS11Error"),
}


@pytest.mark.requirement("R118")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_opened_is_told_without_the_pin(hsm: SoftHsm, name: str) -> None:
    changes, expected = REFUSED[name]
    (told,) = at_once(refusal, [(hsm.folder, hsm.uri("log", **changes))])
    assert expected in told
    assert LABEL in told
    assert PIN not in told
    assert "1234" not in told


def test_a_token_that_refused_the_pin_is_not_asked_again(
    hsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three wrong PINs and many a token is locked for good."""
    key = opened(hsm.uri("log"))
    asked: list[int] = []

    def refuse() -> bytes:
        asked.append(1)
        raise pkcs11.PinIncorrect

    monkeypatch.setattr(key, "_epoch", -1)
    monkeypatch.setattr(key, "_open", refuse)
    for _ in range(5):
        with pytest.raises(LogUnavailableError, match="PIN"):
            key.sign(b"a leaf")
    assert asked == [1]


def test_the_pin_may_stand_in_the_environment_or_in_the_address(
    hsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WALLET_PIN", PIN)
    address = parse_token_uri(hsm.uri("log", pin_source="env:WALLET_PIN"), label=LABEL)
    assert address.read_pin() == PIN
    address = parse_token_uri(hsm.uri("log", pin_value="a%26b%3D1"), label=LABEL)
    assert address.read_pin() == "a&b=1"
    assert "a&b=1" not in repr(address)


def test_a_pin_file_that_others_can_read_is_refused(
    hsm: SoftHsm, tmp_path: Path
) -> None:
    (tmp_path / "pin").write_text(PIN)
    (tmp_path / "pin").chmod(0o644)
    uri = hsm.uri("log", pin_source=str(tmp_path / "pin"))
    with pytest.raises(ConfigurationError, match="chmod 600"):
        parse_token_uri(uri, label=LABEL).read_pin()


PATH, QUERY = "pkcs11:token=wallet;object=log", "?module-path=/lib/hsm.so"
BAD: dict[str, str] = {
    "no module": PATH,
    "no key": "pkcs11:token=wallet" + QUERY,
    "an attribute in the wrong place": PATH + ";pin-value=1207" + QUERY,
    "a path attribute in the query": PATH + QUERY + "&object=log",
    "an attribute twice": PATH + ";object=log" + QUERY,
    "an unknown attribute": PATH + ";slot-id=1" + QUERY,
    "a module by name": PATH + QUERY.replace("path", "name"),
    "an attribute without a value": PATH + ";id" + QUERY,
    "a public key": PATH + ";type=public" + QUERY,
    "PIN and source of the PIN": PATH + QUERY + "&pin-value=1207&pin-source=/pin",
    "a PIN by a command": PATH + QUERY + "&pin-source=cmd:1207",
    "a label that is not UTF-8": PATH.replace("log", "%ff") + QUERY,
    "a PIN that is not UTF-8": PATH + QUERY + "&pin-value=1207%ff",
}


@pytest.mark.parametrize("uri", BAD.values(), ids=BAD)
def test_an_address_that_is_not_whole_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=LABEL) as caught:
        parse_key_uri(uri, label=LABEL)
    assert "1207" not in str(caught.value)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing: Any = None
    monkeypatch.setitem(sys.modules, "pkcs11", missing)
    with pytest.raises(ConfigurationError, match=r"consentkit\[hsm\]"):
        _ = parse_key_uri(PATH + QUERY, label=LABEL).key


def test_a_secret_cannot_stay_on_a_token() -> None:
    with pytest.raises(ConfigurationError, match="CONSENTKIT_SECRET must be a file"):
        parse_secret_uri(PATH + QUERY, label="CONSENTKIT_SECRET")


def test_a_token_key_shows_its_public_half_only(hsm: SoftHsm) -> None:
    key = opened(hsm.uri("log", pin_value=PIN))
    assert repr(key) == f"TokenKey({key.public_key.hex()!r})"
    assert PIN not in repr(parse_key_uri(hsm.uri("log", pin_value=PIN), label=LABEL))
