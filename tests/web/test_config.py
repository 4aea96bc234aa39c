"""Every ``CONSENTKIT_*`` key: checked when the app starts, and named when wrong."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from consentkit.errors import ConfigurationError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.web import config
from consentkit.web.config import read_config
from tests import declared
from tests.tsa_process import make_tsa
from tests.web.hosts import bare_app
from tests.web.hosts import host

KEYS = {
    key
    for path in Path(config.__file__).parent.glob("*config.py")
    for key in re.findall(r'"(CONSENTKIT_[A-Z_]+[A-Z])"', path.read_text())
}

WITNESS = (
    Ed25519Signer.generate("witness", algorithm=Algorithm.COSIGNATURE_V1).vkey
    + " https://witness.example"
)
NOT_TEXT: dict[str, Any] = {"none": None, "a number": 7, "nothing": "", "a list": []}
NOT_A_NUMBER: dict[str, Any] = {
    "none": None,
    "text": "15",
    "nothing": 0,
    "less than nothing": -1,
    "a half": 1.5,
    "a yes": True,
}
NOT_AN_ADDRESS: dict[str, Any] = {
    "none": None,
    "a function": lambda: "/",
    "a script": "javascript:alert(1)",
    "a name": "auth.sign_in",
    "another host without a scheme": "//elsewhere.example/",
    "another host to a browser": "/\\elsewhere.example",
    "a scheme without a host": "https:///x",
    "two lines": "/a\n/b",
}
NOT_A_KEY: dict[str, Any] = {
    "none": None,
    "a number": 7,
    "bytes": b"/secret.pem",
    "three": ["/a/secret.pem"] * 3,
    "a number in a list": [7],
    "the key itself": "-----BEGIN PRIVATE KEY-----\nsecret\n",
    "a web address": "https://secret.example/key",
    "a relative file address": "file:secret.pem",
    "another host's file": "file://secret.example/key.pem",
    "no variable": "env:",
    "no variable's name": "env:MY-secret",
    "a token without a module": "pkcs11:object=a?pin-value=secret",
    "a token without a key": "pkcs11:token=a?module-path=/lib/hsm.so&pin-value=secret",
}
WRONG: dict[str, dict[str, Any]] = {
    "CONSENTKIT_URL_PREFIX": {
        "none": None,
        "the root": "/",
        "nothing": "",
        "no slash": "consent",
        "a slash at the end": "/consent/",
        "a variable": "/<lang>/consent",
        "two lines": "/consent\n",
        "bytes": b"/consent",
    },
    "CONSENTKIT_DATABASE_URI": {
        **NOT_TEXT,
        "a path": "/var/lib/consent.sqlite3",
        "memory": "sqlite://",
        "memory by name": "sqlite:///:memory:",
        "another database": "mysql://me:secret@localhost/x",
    },
    "CONSENTKIT_DATABASE_POOL_SIZE": {**NOT_A_NUMBER, "one": 1},
    "CONSENTKIT_DATABASE_POOL_TIMEOUT": NOT_A_NUMBER,
    "CONSENTKIT_DATABASE_LOCK_TIMEOUT": NOT_A_NUMBER,
    "CONSENTKIT_DATABASE_CONNECT_TIMEOUT": NOT_A_NUMBER,
    "CONSENTKIT_DATABASE_SENDS": {
        name: value for name, value in NOT_A_NUMBER.items() if name != "none"
    },
    "CONSENTKIT_DATABASE_POOLER": {
        "none": None,
        "a yes": True,
        "a word": "pgbouncer",
        "a list": [],
    },
    "CONSENTKIT_REPLICA_URI": {
        "none": None,
        "a number": 7,
        "a file": "sqlite:////var/lib/consent.sqlite3",
        "a replica of a file": "postgresql://me:secret@replica.example/consent",
    },
    "CONSENTKIT_KEY_FOLDER": {**NOT_TEXT},
    "CONSENTKIT_COLLECTOR_KEY": NOT_A_KEY,
    "CONSENTKIT_LOG_KEY": NOT_A_KEY,
    "CONSENTKIT_SECRET": {
        **NOT_A_KEY,
        "a token": "pkcs11:object=secret?module-path=/lib/hsm.so",
        "two": ["env:ONE", "env:TWO"],
    },
    "CONSENTKIT_PRODUCTION": {"another word": "maybe", "a number": 2, "a list": []},
    "CONSENTKIT_LOG_FOLDER": {**NOT_TEXT},
    "CONSENTKIT_HIGH_WATER": {"a number": 7, "nothing": "", "a list": []},
    "CONSENTKIT_LOG_ORIGIN": {**NOT_TEXT, "a space": "a log", "a plus": "a+b"},
    "CONSENTKIT_FORM_LIFETIME": {
        "none": None,
        "text": "7200",
        "nothing": 0,
        "less than nothing": -1,
        "a half": 0.5,
        "a yes": True,
    },
    "CONSENTKIT_RELEASE_LIFETIME": {
        "none": None,
        "text": "60",
        "nothing": 0,
        "a half": 0.5,
    },
    "CONSENTKIT_PUBLISH": {"none": None, "a yes": True, "a word": "no", "a list": []},
    "CONSENTKIT_SIGN_IN_URL": NOT_AN_ADDRESS,
    "CONSENTKIT_HOME_URL": NOT_AN_ADDRESS,
    "CONSENTKIT_LOCALE_SELECTOR": {"a number": 7, "a list": ["de"]},
    "CONSENTKIT_WITNESSES": {
        "none": None,
        "text": WITNESS,
        "bytes": [WITNESS.encode()],
        "no line": ["witness.example"],
        "a password": [WITNESS.replace("https://", "https://me:secret@")],
        "one twice": [WITNESS, WITNESS],
        "fifteen": [WITNESS] * 15,
    },
    "CONSENTKIT_RETENTION": {
        **NOT_TEXT,
        "words": "six years",
        "no length": "P0D",
        "hours": "PT6H",
    },
    "CONSENTKIT_REASK_AFTER": {
        "none": None,
        "a number": 180,
        "words": "half a year",
        "no length": "P0D",
        "less than later": "P6D",
    },
    "CONSENTKIT_GPC": {
        "true, but since when": True,
        "a number": 2026,
        "another order": "21/11/2026",
        "nothing": "",
    },
    "CONSENTKIT_PROFILE": {"none": None, "a number": 7, "nobody's": "ZZ"},
    "CONSENTKIT_AGE_OF_CONSENT": {
        "a text": "16",
        "nothing": 0,
        "yes": True,
        "too old": 26,
        "a fraction": 15.5,
    },
    "CONSENTKIT_API_TOKENS": {
        "none": None,
        "a text": "secret" * 8,
        "a short one": ["secret"],
        "one with a space": ["secret " * 8],
        "no text": [7],
        "too many": ["secret" * 8] * 17,
        "a set": {"secret" * 8},
    },
    "CONSENTKIT_UNKNOWN_AGE": {"none": None, "a number": 16, "a question": "ask"},
    "CONSENTKIT_NOTIFY": {
        "none": None,
        "a list": ["https://acme.example"],
        "a recipient nobody declared": {"acme": "https://acme.example"},
        "no secret way": {"acme-credit": "http://acme.example"},
        "a short secret": {
            "acme-credit": {"url": "https://acme.example", "secret": "whsec_dGlueQ=="}
        },
    },
    "CONSENTKIT_NOTIFY_INTERNAL": {"text": "yes", "a number": 1},
    "CONSENTKIT_TSA_URL": {
        "none": None,
        "a number": 7,
        "an address without the root": "https://tsa.example/tsr",
        "a password in the clear": "http://me:secret@tsa.example/tsr",
    },
    "CONSENTKIT_TSA_ROOT": {
        "none": None,
        "a number": 7,
        "a file without the address": "root.pem",
    },
    "CONSENTKIT_TSA_INTERVAL": {"none": None, "text": "3600", "nothing": 0},
}


def test_every_key_has_its_wrong_values_here() -> None:
    assert set(WRONG) == KEYS


@pytest.mark.parametrize(
    ("key", "name"), [(key, name) for key, values in WRONG.items() for name in values]
)
def test_a_wrong_value_stops_the_start_and_the_key_is_named(
    key: str, name: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=key) as caught:
        host(tmp_path, **{key: WRONG[key][name]})

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CONSENTKIT_URL_PREFIX", "/my/own-consent_1.0"),
        ("CONSENTKIT_FORM_LIFETIME", 1),
        ("CONSENTKIT_SIGN_IN_URL", "https://id.wallet.example/?next=/"),
        ("CONSENTKIT_SIGN_IN_URL", ""),
        ("CONSENTKIT_HOME_URL", "/account"),
        ("CONSENTKIT_HOME_URL", "/"),
        ("CONSENTKIT_LOCALE_SELECTOR", "de"),
        ("CONSENTKIT_LOCALE_SELECTOR", lambda: "de"),
        ("CONSENTKIT_LOG_ORIGIN", "wallet.example/consent/2026"),
        ("CONSENTKIT_WITNESSES", ()),
    ],
)
def test_a_right_value_is_taken_as_it_is(
    key: str, value: object, tmp_path: Path
) -> None:
    app = bare_app(tmp_path, **{key: value})
    read = read_config(app, declared.registry())

    assert getattr(read, key.removeprefix("CONSENTKIT_").lower()) == value


def test_an_authority_is_read_once(tmp_path: Path) -> None:
    tsa = make_tsa(tmp_path / "tsa")
    shop = host(
        tmp_path,
        CONSENTKIT_TSA_URL="https://name:word@tsa.example/tsr",
        CONSENTKIT_TSA_ROOT=tsa.root,
        CONSENTKIT_TSA_INTERVAL=60,
    )

    authority = shop.state.installation.authority
    assert authority
    assert (authority.url, authority.login) == ("https://tsa.example/tsr", "name:word")
    assert (authority.roots, authority.interval) == (tsa.roots, 60_000)


@pytest.mark.requirement("R98")
def test_an_authority_without_a_root_that_can_be_used_stops_the_start(
    tmp_path: Path,
) -> None:
    address = "https://tsa.example/tsr"
    (tmp_path / "empty.pem").write_bytes(b"")
    for root, reason in (
        ("", "a time stamp of just anybody proves nothing"),
        (str(tmp_path / "missing.pem"), "cannot be read: No such file"),
        (str(tmp_path / "empty.pem"), "BEGIN CERTIFICATE"),
    ):
        with pytest.raises(ConfigurationError, match="CONSENTKIT_TSA_ROOT") as caught:
            host(tmp_path, CONSENTKIT_TSA_URL=address, CONSENTKIT_TSA_ROOT=root)
        assert reason in str(caught.value)


def test_an_authority_without_the_extra_stops_the_start_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tsa = make_tsa(tmp_path / "tsa")
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)

    with pytest.raises(ConfigurationError, match=r"consentkit\[tsa\]"):
        host(
            tmp_path,
            CONSENTKIT_TSA_URL="https://tsa.example/tsr",
            CONSENTKIT_TSA_ROOT=str(tsa.root),
        )


def test_a_list_of_witnesses_is_read_once(tmp_path: Path) -> None:
    shop = host(tmp_path, CONSENTKIT_WITNESSES=[WITNESS])

    (witness,) = shop.state.config.witnesses
    assert f"{witness.verifier.vkey} {witness.url}" == WITNESS
    assert shop.state.installation.cosigners == (witness,)


def test_a_misspelt_key_is_refused_and_the_right_one_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean CONSENTKIT_PUBLISH"):
        host(tmp_path, CONSENTKIT_PUBLSH="command")
    with pytest.raises(ConfigurationError, match="CONSENTKIT_FAIL_OPEN"):
        host(tmp_path, CONSENTKIT_FAIL_OPEN=True)


def test_every_key_has_a_default_that_can_be_read_from_the_app(tmp_path: Path) -> None:
    app = Flask("shop", instance_path=str(tmp_path))

    read = read_config(app, declared.registry())

    assert set(app.config) >= KEYS
    assert read.url_prefix == "/consent"
    assert read.publish
    assert re.fullmatch(r"wallet\.example/consent/\d{4}", read.log_origin)
    for folder in (read.places.keys, read.places.logs):
        assert folder.is_relative_to(tmp_path)


def test_folders_can_be_paths(tmp_path: Path) -> None:
    shop = host(tmp_path / "app", CONSENTKIT_KEY_FOLDER=tmp_path / "keys")

    assert shop.state.config.places.keys == tmp_path / "keys"
    assert (tmp_path / "keys" / "secret.key").is_file()


def test_a_log_folder_nobody_could_write_to_is_found_at_the_start(
    tmp_path: Path,
) -> None:
    (tmp_path / "logs").write_text("a file stands where the folder should be")
    wrong = str(tmp_path / "logs" / "deeper")

    with pytest.raises(ConfigurationError, match="CONSENTKIT_LOG_FOLDER"):
        host(tmp_path, CONSENTKIT_PUBLISH="thread", CONSENTKIT_LOG_FOLDER=wrong)


def test_who_does_not_publish_needs_no_log_folder(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    shop = host(tmp_path, CONSENTKIT_LOG_FOLDER=str(tmp_path / "logs" / "deeper"))

    assert shop.state.publisher is None
    assert not shop.state.config.publish


def test_a_high_water_file_nobody_could_write_is_found_at_the_start(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "nowhere" / "high-water")
    with pytest.raises(ConfigurationError, match="CONSENTKIT_HIGH_WATER"):
        host(tmp_path, CONSENTKIT_PUBLISH="thread", CONSENTKIT_HIGH_WATER=path)

    shop = host(tmp_path, CONSENTKIT_HIGH_WATER=path)
    assert str(shop.state.installation.high_water.path) == path


def test_a_log_keeps_its_name(tmp_path: Path) -> None:
    host(tmp_path, CONSENTKIT_LOG_ORIGIN="one.example/log")

    with pytest.raises(ConfigurationError, match="CONSENTKIT_LOG_ORIGIN"):
        host(tmp_path, CONSENTKIT_LOG_ORIGIN="two.example/log")


def test_a_name_that_nobody_chose_outlives_the_year_it_was_made_in(
    tmp_path: Path,
) -> None:
    with time_machine.travel("2026-12-31T23:59:00Z", tick=False):
        before = host(tmp_path).state.installation.origin
    with time_machine.travel("2027-01-01T00:01:00Z", tick=False):
        after = host(tmp_path).state.installation.origin

    assert before == after == "wallet.example/consent/2026"


@pytest.mark.parametrize("name", ["with space", "100%25", "a?b=c", "x#y", "消费"])
def test_a_folder_may_be_called_anything(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    host(folder)

    assert (folder / "consentkit" / "consent.sqlite3").is_file()
    assert [each.name for each in tmp_path.iterdir()] == [name]
