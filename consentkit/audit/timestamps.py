"""Time stamps over checkpoints: somebody whose trade it is says when (RFC 3161).

An authority signs the hash of a checkpoint's text and the moment, and learns nothing
else. It remembers nothing either: it stamps whatever it is given. So a time stamp

* shows that every entry of that tree existed by then, whoever holds the log's keys;
* does not show that the log was no larger then, nor that others saw the same log.

A file is the authority's whole answer, ``timestamps/<size>/<16 hex>.tsr`` beside the
log, which ``openssl ts -verify`` reads as well. The roots that it has to lead to come
from outside, as keys do. Certificates have to be valid at the time stamped, not today;
whether one was revoked is not looked up.

The library that reads the answers is the extra ``tsa``; without it everything else
in this room works.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING

from consentkit.core.act import Millis
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

__all__ = [
    "MAX_REPLY_BYTES",
    "TIME_STAMP",
    "TimeStamp",
    "check_roots",
    "load_library",
    "open_timestamp",
]

TIME_STAMP = "time stamp"
"""The step that a bad time stamp fails."""

# An answer is 1 to 6 kB; a long chain of RSA certificates may be 20.
MAX_REPLY_BYTES = 64 * 1024

# Qualified authorities promise a second (ETSI EN 319 421, 7.7.2); a clock that is
# minutes off would say less than the ten minutes that every entry is allowed anyway.
_COARSEST = timedelta(minutes=1)

# Which of them it was is the library's to check; their lengths differ.
_HASHES = ("sha256", "sha384", "sha512")

_OPENSSL = re.compile(r'"Verify error: ?([^"]+)"')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TimeStamp:
    """An authority's answer, and the roots (PEM) that it is to be judged by."""

    reply: bytes
    roots: bytes


def open_timestamp(
    reply: bytes, *, text: bytes, roots: bytes, nonce: int | None = None
) -> Millis:
    """The moment by which ``text`` existed, if an authority under ``roots`` says so.

    ``text`` is what the log signed, without the lines of signatures; ``nonce`` the
    number that was asked with, for whoever asked.

    Raises:
        MalformedError: no answer in form, or one that grants nothing.
        VerificationError: it is over another text, or signed by nobody under the
            roots who may stamp (RFC 3161 §2.3), or its clock is too coarse.
        ConfigurationError: the extra ``tsa`` is not installed, or ``roots`` holds no
            certificate.
    """
    library, certificates = load_library(), check_roots(roots)
    # 1. form: an answer in DER, and one that grants
    answer = _parse(library, reply)
    # 2. what: this text
    _check_imprint(answer, text)
    # 3. who: signed over all that by a certificate that may stamp, up to a root
    # The builder shares its lists between copies: it is made anew for each answer.
    verifier = library.VerifierBuilder(roots=certificates, nonce=nonce).build()
    try:
        verifier.verify_message(answer, text)
    except library.VerificationError as error:
        raise VerificationError(f"it does not hold: {_reason(error)}") from error
    except _library_faults() as error:
        raise MalformedError(f"it cannot be read: {type(error).__name__}") from error
    # 4. when: at a moment that is known well enough
    _check_accuracy(answer)
    return Millis((answer.tst_info.gen_time - _EPOCH) // timedelta(milliseconds=1))


def check_roots(roots: bytes) -> list[Certificate]:
    """The certificates in a PEM file.

    Raises:
        ConfigurationError: there is none, or it cannot be read.
    """
    from cryptography import x509  # noqa: PLC0415  verifying logs needs none of it

    try:
        return x509.load_pem_x509_certificates(roots)
    except ValueError as error:
        raise ConfigurationError(
            "expected a PEM file with the root certificate of a time-stamping "
            f"authority, '-----BEGIN CERTIFICATE-----': {error}"
        ) from error


def load_library() -> ModuleType:
    """The library that reads time stamps; loaded only where there is one to read.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import rfc3161_client  # noqa: PLC0415  an extra, and slow to load
    except ImportError as error:
        raise ConfigurationError(
            "time stamps need the extra 'tsa': pip install 'consentkit[tsa]'"
        ) from error
    return rfc3161_client


def _parse(library: ModuleType, reply: bytes) -> TimeStampResponse:
    if len(reply) > MAX_REPLY_BYTES:
        raise MalformedError(
            f"expected an answer of at most {MAX_REPLY_BYTES} bytes, got {len(reply)}"
        )
    try:
        answer: TimeStampResponse = library.decode_timestamp_response(reply)
        status = answer.status
    except ValueError as error:
        raise MalformedError("expected an RFC 3161 answer in DER") from error
    if status:
        raise MalformedError(f"it grants no time stamp as asked for: status {status}")
    return answer


def _check_imprint(answer: TimeStampResponse, text: bytes) -> None:
    try:
        imprint = answer.tst_info.message_imprint.message
    except ValueError as error:
        raise MalformedError("expected an RFC 3161 answer with a token") from error
    if imprint not in {hashlib.new(name, text).digest() for name in _HASHES}:
        raise VerificationError(
            "it is over another text: the log was rewritten since, or the file belongs "
            "to something else"
        )


def _reason(error: Exception) -> str:
    """What OpenSSL says in the middle of its stack of errors, or the whole message."""
    found = _OPENSSL.search(str(error))
    return found[1] if found else str(error)


def _check_accuracy(answer: TimeStampResponse) -> None:
    accuracy = answer.tst_info.accuracy
    if accuracy is None:
        return  # the authority's policy says how good its clock is
    off = timedelta(
        seconds=accuracy.seconds or 0,
        milliseconds=accuracy.millis or 0,
        microseconds=accuracy.micros or 0,
    )
    if off > _COARSEST:
        raise VerificationError(
            f"its clock may be off by {off}, more than {_COARSEST} is not taken"
        )


def _library_faults() -> tuple[type[Exception], ...]:
    """What certificates that are none make the library raise, besides its own."""
    from cryptography import exceptions  # noqa: PLC0415  as above
    from cryptography import x509  # noqa: PLC0415  as above

    return (
        ValueError,
        TypeError,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
        exceptions.UnsupportedAlgorithm,
    )
