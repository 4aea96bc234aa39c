"""A recipient's host is recognised however it is written, and nobody else's is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentkit.service.destinations import Address
from consentkit.service.destinations import Destinations
from consentkit.service.destinations import address_in
from consentkit.service.destinations import spellings
from tests.declared import CREDIT
from tests.declared import SHOP

ACME = frozenset({"acme-credit"})

SAME = {
    "capitals": ("API.Acme.Example", "api.acme.example"),
    "a dot at the end": ("api.acme.example.", "api.acme.example"),
    "letters of another width": (
        "\uff41\uff50\uff49\uff0eacme.example",
        "api.acme.example",
    ),
    "dots of another script": ("api。acme｡example", "api.acme.example"),
    "percent signs": ("api%2Eacme.example", "api.acme.example"),
    "a letter that nobody sees": ("a\u00adpi.acme.example", "api.acme.example"),
    "an umlaut": ("bücher.example", "xn--bcher-kva.example"),
    "an umlaut in two letters": ("bu\u0308cher.example", "xn--bcher-kva.example"),
    "a sharp s of 2003": ("straße.example", "strasse.example"),
    "a sharp s of 2008": ("straße.example", "xn--strae-oqa.example"),
    "one number": ("2130706433", "127.0.0.1"),
    "a hexadecimal number": ("0x7f000001", "127.0.0.1"),
    "octal parts": ("0177.0.0.01", "127.0.0.1"),
    "parts left out": ("127.1", "127.0.0.1"),
    "digits of another width": ("\uff11\uff12\uff17.0.0.1", "127.0.0.1"),
    "a mapped address": ("[::ffff:127.0.0.1]", "127.0.0.1"),
    "a mapped address in hexadecimal": ("::ffff:7f00:1", "127.0.0.1"),
    "a translated address": ("64:ff9b::7f00:1", "127.0.0.1"),
    "an address with a zone": ("[::ffff:7f00:1%25lo]", "127.0.0.1"),
}


@pytest.mark.requirement("R67")
@pytest.mark.parametrize("name", SAME)
def test_a_host_is_the_same_however_it_is_spelled(name: str) -> None:
    written, declared = SAME[name]
    assert declared in spellings(written)

    known = Destinations([replace(CREDIT, hosts=(declared,))])
    assert known.recipients(Address(written, 443)) == ACME


OTHERS = [
    "acme.example",
    "eu.api.acme.example",
    "api.acme.example.evil.example",
    "notapi.acme.example",
    "127.0.0.2",
    "2130706434",
    "::1",
    "",
    ".",
    "xn--",
    "a" * 70 + ".example",
    "ü" * 70 + ".example",
    "999.999.999.999",
]


@pytest.mark.parametrize("host", OTHERS)
def test_another_host_is_nobodys(host: str) -> None:
    known = Destinations([replace(CREDIT, hosts=("api.acme.example", "127.0.0.1"))])
    assert known.recipients(Address(host, 443)) == frozenset()


def test_a_declared_port_is_that_port_and_none_is_every_port() -> None:
    known = Destinations(
        [
            replace(CREDIT, hosts=("api.acme.example:8443",)),
            replace(SHOP, hosts=("api.acme.example", "shops.example")),
        ]
    )

    assert known.recipients(Address("shops.example", 1)) == {"corner-shops"}
    assert known.recipients(Address("api.acme.example", 443)) == {"corner-shops"}
    both = {"acme-credit", "corner-shops"}
    assert known.recipients(Address("api.acme.example", 8443)) == both
    assert known.recipients(Address("api.acme.example")) == both, "it may be any"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.acme.example/x", Address("api.acme.example", 443)),
        ("http://api.acme.example", Address("api.acme.example", 80)),
        ("https://me:pw@api.acme.example:8443/", Address("api.acme.example", 8443)),
        ("https://shop.example@api.acme.example", Address("api.acme.example", 443)),
        ("https://a\\@api.acme.example/", Address("a", 443)),
        ("HTTPS://api.acme.example#@other", Address("api.acme.example", 443)),
        ("//api.acme.example", Address("api.acme.example")),
        ("http://[::1]:8080/", Address("[::1]", 8080)),
        ("/path", None),
        ("", None),
        ("http://x:99999/", None),
    ],
)
def test_the_address_of_a_url_is_the_one_that_would_be_called(
    url: str, address: Address | None
) -> None:
    assert address_in(url) == address
