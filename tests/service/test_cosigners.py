"""A witness as the operator configures it: a key and an address."""

from __future__ import annotations

import pytest

from consentkit.errors import ConfigurationError
from consentkit.log.keys import Ed25519Signer
from consentkit.service.cosigners import Cosigner
from tests.service.witnessed import KEY

BAD_LINES = {
    "nothing": "",
    "a key alone": KEY.vkey,
    "an address alone": "https://witness.example",
    "the other way round": f"https://witness.example {KEY.vkey}",
    "a log's key": f"{Ed25519Signer.generate('log').vkey} https://witness.example",
    "another protocol": f"{KEY.vkey} ftp://witness.example",
    "a password": f"{KEY.vkey} https://me:secret@witness.example",
    "a query": f"{KEY.vkey} https://witness.example/?secret",
    "a fragment": f"{KEY.vkey} https://witness.example/#secret",
    "two addresses": f"{KEY.vkey} https://one.example https://two.example",
    "two spaces": f"{KEY.vkey}  https://witness.example",
    "two lines": f"{KEY.vkey} https://witness.example\n",
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_line_that_names_no_witness_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Cosigner.parse(BAD_LINES[name])

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://witness.example",
        "https://witness.example/prefix/",
        "http://127.0.0.1:8792",
        "http://[::1]:8792/w",
        "http://witness.internal",
    ],
)
def test_an_address_may_be_internal(url: str) -> None:
    cosigner = Cosigner.parse(f"{KEY.vkey} {url}")

    assert (cosigner.url, cosigner.name) == (url, "w1")
    assert cosigner.key == f"w1+{KEY.key_id.hex()}"
