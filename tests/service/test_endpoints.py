"""What is told is signed and fresh, and goes nowhere but where it was meant to."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.service.endpoints import Endpoint
from consentkit.service.endpoints import send
from tests.recipient_server import RecipientServer
from tests.recipient_server import serve_recipient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNER = Ed25519Signer.generate("wallet.example/consent/2026/collector/a1")
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = b'{"type":"consent.ended"}'


@pytest.fixture
def recipient() -> Iterator[RecipientServer]:
    with serve_recipient() as served:
        yield served


def tell(endpoint: Endpoint, *, at: int = 0) -> None:
    moment = at or time.time_ns() // 1_000_000
    send(endpoint, message="msg_1", body=BODY, at=moment, signer=SIGNER)


@pytest.mark.requirement("R120")
def test_a_message_carries_a_signature_by_the_key_in_the_log(
    recipient: RecipientServer,
) -> None:
    tell(Endpoint(recipient.url, internal=True), at=1_767_225_600_123)

    (got,) = recipient.got
    version, _, signature = got.headers["webhook-signature"].partition(",")
    assert version == "v1a"
    signed = b"msg_1.1767225600." + BODY
    Verifier.parse(SIGNER.vkey).verify(signed, base64.b64decode(signature))
    assert got.path == "/hooks/consent"


@pytest.mark.requirement("R120")
def test_a_shared_secret_adds_the_signature_that_every_library_checks(
    recipient: RecipientServer,
) -> None:
    tell(Endpoint(recipient.url, SECRET, internal=True))

    (got,) = recipient.got
    assert Webhook(SECRET).verify(got.body, got.headers) == {"type": "consent.ended"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(got.body + b" ", got.headers)


@pytest.mark.requirement("R120")
def test_an_old_copy_is_refused_by_every_library(recipient: RecipientServer) -> None:
    an_hour_ago = time.time_ns() // 1_000_000 - 3_600_000
    tell(Endpoint(recipient.url, SECRET, internal=True), at=an_hour_ago)

    (got,) = recipient.got
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(got.body, got.headers)


@pytest.mark.requirement("R120")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "169.254.169.254",
        "10.1.2.3",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a00:1]",
        "[fd00::1]",
        "0.0.0.0",  # noqa: S104  this machine, by another name
        "224.0.0.1",
        "localhost",
        "2130706433",
    ],
)
def test_an_address_inside_our_own_network_is_refused(host: str) -> None:
    with pytest.raises(LogUnavailableError, match=r"our own network|no answer"):
        tell(Endpoint(f"https://{host}/hooks"))


@pytest.mark.requirement("R120")
def test_one_address_inside_among_others_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (each, 443)) for each in ("198.51.100.7", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(LogUnavailableError, match="our own network"):
        tell(Endpoint("https://acme.example/hooks"))


@pytest.mark.requirement("R120")
def test_a_redirect_is_not_followed(recipient: RecipientServer) -> None:
    with serve_recipient() as elsewhere:
        recipient.statuses = [307]
        recipient.location = elsewhere.url
        with pytest.raises(LogUnavailableError, match="status 307"):
            tell(Endpoint(recipient.url, internal=True))
        assert elsewhere.got == []


def test_an_answer_without_end_is_cut_off(recipient: RecipientServer) -> None:
    recipient.statuses, recipient.chatter = [200], bytes(10_000_000)
    with pytest.raises(LogUnavailableError, match="no answer"):
        tell(Endpoint(recipient.url, internal=True))


def test_nobody_listening_is_told_as_such() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LogUnavailableError, match="no answer"):
        tell(Endpoint(f"http://127.0.0.1:{port}/", internal=True))


@pytest.mark.parametrize(
    "value",
    [
        "ftp://acme.example/hooks",
        "acme.example/hooks",
        "https://me:secret@acme.example/hooks",
        "http://acme.example/hooks",
        {"url": "https://acme.example", "secret": "whsec_dGlueQ=="},
        {"url": "https://acme.example", "secret": "no base64 at all!"},
        {"address": "https://acme.example"},
        {"url": 7},
        7,
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused_at_the_start(value: object) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        Endpoint.of(value, internal=False)


def test_a_secret_stands_in_no_message() -> None:
    endpoint = Endpoint.of(
        {"url": "https://acme.example", "secret": SECRET}, internal=False
    )
    assert SECRET not in repr(endpoint)


@pytest.mark.requirement("R120")
@pytest.mark.parametrize(("named", "taken"), [("localhost", True), ("other", False)])
def test_the_connection_is_to_the_name_and_to_the_address_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, *, taken: bool
) -> None:
    certificate = make_certificate(tmp_path, named)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.headers["Host"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    endpoint = Endpoint(f"https://localhost:{server.server_port}/", internal=True)
    monkeypatch.setattr(socket, "getaddrinfo", only_the_first_look_up())
    try:
        if taken:
            tell(endpoint)
        else:
            with pytest.raises(LogUnavailableError, match="no answer"):
                tell(endpoint)
    finally:
        thread.join()
        server.server_close()
    assert got == ([f"localhost:{server.server_port}"] if taken else [])


def only_the_first_look_up() -> object:
    """A name server that says something else the second time (DNS rebinding)."""
    answers = iter(["127.0.0.1"])

    def look_up(host: str, port: int, *_: object, **__: object) -> object:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            address = next(answers, "192.0.2.1")
        else:
            address = host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return look_up


def make_certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
