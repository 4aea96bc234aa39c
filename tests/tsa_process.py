"""A time-stamping authority of our own: real certificates, ``openssl ts`` behind HTTP.

Run as a program it serves the authority in a folder, until it is terminated.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.oid import NameOID
from rfc3161_client import HashAlgorithm
from rfc3161_client import TimestampRequestBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAIL", "TIME", "Tsa", "make_tsa", "serve_tsa"]

TIME = ExtendedKeyUsageOID.TIME_STAMPING
MAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
_DAY = timedelta(days=1)
_GRANTED = bytes.fromhex("3003020100")  # PKIStatusInfo: status 0
_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
tsa_name = yes
"""


@dataclass(frozen=True)
class Tsa:
    """An authority in a folder: ``root.pem``, ``tsa.pem`` and its key."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    @property
    def roots(self) -> bytes:
        return self.root.read_bytes()

    def reply(self, query: bytes) -> bytes:
        """The answer of ``openssl ts`` to a query in DER."""
        with tempfile.TemporaryDirectory() as place:
            asked, answer = Path(place, "query"), Path(place, "answer")
            asked.write_bytes(query)
            _openssl(
                *("ts", "-reply", "-config", self.folder / "config"),
                *("-queryfile", asked, "-out", answer),
                *("-signer", self.folder / "tsa.pem", "-inkey", self.folder / "key"),
            )
            return answer.read_bytes()

    def stamp(
        self,
        text: bytes,
        *,
        hash_algorithm: HashAlgorithm = HashAlgorithm.SHA256,
        certificates: bool = True,
    ) -> bytes:
        """The answer for this text, now."""
        request = (
            TimestampRequestBuilder()
            .data(text)
            .hash_algorithm(hash_algorithm)
            .cert_request(cert_request=certificates)
            .build()
        )
        return self.reply(request.as_bytes())

    def sign_again(self, reply: bytes, *, beside: bytes = b"") -> bytes:
        """What another authority said, signed with this one's key.

        That is how a key that may not stamp can be made to: ``openssl ts`` refuses.
        ``beside`` are certificates (PEM) to put in as well.
        """
        with tempfile.TemporaryDirectory() as place:
            token, info, again = (Path(place, name) for name in ("a", "b", "c"))
            Path(place, "reply").write_bytes(reply)
            Path(place, "beside").write_bytes(beside)
            _openssl(
                *("ts", "-reply", "-in", Path(place, "reply")),
                *("-token_out", "-out", token),
            )
            _openssl(
                *("cms", "-verify", "-noverify", "-binary", "-inform", "DER"),
                *("-in", token, "-out", info),
            )
            _openssl(
                *("cms", "-sign", "-binary", "-nodetach", "-outform", "DER"),
                *("-econtent_type", "1.2.840.113549.1.9.16.1.4", "-in", info),
                *("-signer", self.folder / "tsa.pem", "-inkey", self.folder / "key"),
                *("-out", again),
                *(("-certfile", Path(place, "beside")) if beside else ()),
            )
            body = _GRANTED + again.read_bytes()
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body


def make_tsa(
    folder: Path,
    *,
    usage: x509.ObjectIdentifier = TIME,
    critical: bool = True,
    valid: tuple[int, int] = (-1, 1),
    accuracy: str | None = "secs:1",
) -> Tsa:
    """An authority under a new root; its certificate is ``valid`` in days from now.

    ``accuracy`` is as OpenSSL's configuration spells it.
    """
    folder.mkdir(parents=True)
    root_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("a root", root_key, "a root", root_key, (-9, 9)).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    stamps = _certificate("a TSA", key, "a root", root_key, valid).add_extension(
        x509.ExtendedKeyUsage([usage]), critical=critical
    )
    for name, builder in (("root.pem", root), ("tsa.pem", stamps)):
        certificate = builder.sign(root_key, hashes.SHA256())
        (folder / name).write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
        )
    (folder / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "serial").write_text("01\n")
    precise = "" if accuracy is None else f"accuracy = {accuracy}\n"
    (folder / "config").write_text(_CONFIG.format(folder=folder) + precise)
    return Tsa(folder)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    days: tuple[int, int],
) -> x509.CertificateBuilder:
    first, last = (datetime.now(UTC) + _DAY * each for each in days)
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)])
        for each in (name, issuer)
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(  # noqa: S603  our own arguments
        ["openssl", *map(str, arguments)],  # noqa: S607  wherever it is installed
        check=True,
        capture_output=True,
    )


@contextlib.contextmanager
def serve_tsa(tsa: Tsa) -> Iterator[str]:
    """The address of the authority, which runs in a process until the end."""
    with subprocess.Popen(  # noqa: S603  our own interpreter and program
        [sys.executable, __file__, str(tsa.folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class _Handler(BaseHTTPRequestHandler):
    """RFC 3161 §3.4, and nothing else."""

    def do_POST(self) -> None:
        if self.headers["Content-Type"] != "application/timestamp-query":
            self.send_error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            return
        query = self.rfile.read(int(self.headers["Content-Length"]))
        answer = Tsa(Path(sys.argv[1])).reply(query)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Say nothing."""


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}/tsr\n")
    sys.stdout.flush()
    server.serve_forever()
