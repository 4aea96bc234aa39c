"""What a time stamp has to be before it is believed, and what is refused as one."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import HashAlgorithm
from rfc3161_client import TimestampRequestBuilder

from consentkit.audit import timestamps
from consentkit.audit.timestamps import open_timestamp
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from tests.tsa_process import MAIL
from tests.tsa_process import Tsa
from tests.tsa_process import make_tsa

TEXT = b"wallet.example/consent/2026\n3\nO2QKzkDk5sVRFEtVo0wQ2pUy6kiE7T2Dp7U0u3ukMRs=\n"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return make_tsa(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.fixture(scope="module")
def reply(tsa: Tsa) -> bytes:
    return tsa.stamp(TEXT)


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("hash_algorithm", HashAlgorithm)
def test_a_time_stamp_says_when_the_text_was_there(
    tsa: Tsa, hash_algorithm: HashAlgorithm
) -> None:
    reply = tsa.stamp(TEXT, hash_algorithm=hash_algorithm)

    assert (
        abs(open_timestamp(reply, text=TEXT, roots=tsa.roots) / 1000 - time.time()) < 60
    )


@pytest.mark.requirement("R98")
def test_openssl_is_of_the_same_opinion(tsa: Tsa, reply: bytes, tmp_path: Path) -> None:
    """What lies beside a log can be checked without us."""
    (tmp_path / "text").write_bytes(TEXT)
    (tmp_path / "reply.tsr").write_bytes(reply)

    done = subprocess.run(  # noqa: S603  our own arguments
        [
            *("openssl", "ts", "-verify", "-in", tmp_path / "reply.tsr"),
            *("-data", tmp_path / "text", "-CAfile", tsa.root),
        ],
        check=True,
        capture_output=True,
    )

    assert b"Verification: OK" in done.stdout


@pytest.mark.requirement("R98")
def test_a_time_stamp_is_of_one_text_only(tsa: Tsa, reply: bytes) -> None:
    for other in (TEXT + b"\n", TEXT[:-1], TEXT.replace(b"\n3\n", b"\n4\n"), b"x"):
        with pytest.raises(VerificationError, match="over another text"):
            open_timestamp(reply, text=other, roots=tsa.roots)


def test_whoever_asked_gets_an_answer_to_his_own_question_or_none(tsa: Tsa) -> None:
    request = TimestampRequestBuilder().data(TEXT)
    request = request.hash_algorithm(HashAlgorithm.SHA256)
    mine, other = request.build(), request.build()
    replayed = tsa.reply(other.as_bytes())

    assert open_timestamp(replayed, text=TEXT, roots=tsa.roots, nonce=other.nonce)
    with pytest.raises(VerificationError, match="Nonce"):
        open_timestamp(replayed, text=TEXT, roots=tsa.roots, nonce=mine.nonce)
    without = tsa.reply(request.nonce(nonce=False).build().as_bytes())
    with pytest.raises(VerificationError, match="Nonce"):
        open_timestamp(without, text=TEXT, roots=tsa.roots, nonce=mine.nonce)


# Whose word it is


@pytest.mark.requirement("R98")
def test_the_word_of_an_authority_under_another_root_does_not_count(
    reply: bytes, tmp_path: Path
) -> None:
    other = make_tsa(tmp_path / "other")

    with pytest.raises(VerificationError, match="certificate"):
        open_timestamp(reply, text=TEXT, roots=other.roots)


def test_of_several_roots_one_is_enough(tsa: Tsa, reply: bytes, tmp_path: Path) -> None:
    other = make_tsa(tmp_path / "other")

    assert open_timestamp(reply, text=TEXT, roots=other.roots + tsa.roots)


@pytest.mark.parametrize("valid", [(-8, -1), (1, 8)])
def test_a_certificate_has_to_be_valid_at_the_moment_stamped(
    valid: tuple[int, int], tmp_path: Path
) -> None:
    tsa = make_tsa(tmp_path / "tsa", valid=valid)

    with pytest.raises(VerificationError, match=r"expired|not yet valid"):
        open_timestamp(tsa.stamp(TEXT), text=TEXT, roots=tsa.roots)


@pytest.mark.requirement("R98")
def test_a_certificate_that_is_for_mail_cannot_stamp(
    reply: bytes, tmp_path: Path
) -> None:
    mail = make_tsa(tmp_path / "mail", usage=MAIL)

    with pytest.raises(VerificationError, match="unsuitable certificate purpose"):
        open_timestamp(mail.sign_again(reply), text=TEXT, roots=mail.roots)


def test_the_purpose_of_a_certificate_has_to_be_critical(
    reply: bytes, tmp_path: Path
) -> None:
    """RFC 3161 §2.3."""
    lax = make_tsa(tmp_path / "lax", critical=False)

    with pytest.raises(VerificationError, match=r"purpose|critical"):
        open_timestamp(lax.sign_again(reply), text=TEXT, roots=lax.roots)


def test_what_was_signed_again_is_good_if_its_signer_may_stamp(
    reply: bytes, tmp_path: Path
) -> None:
    """Else the two tests before this one would show nothing."""
    other = make_tsa(tmp_path / "other")

    assert open_timestamp(other.sign_again(reply), text=TEXT, roots=other.roots)


def test_an_answer_without_certificates_cannot_be_judged(tsa: Tsa) -> None:
    reply = tsa.stamp(TEXT, certificates=False)

    with pytest.raises(VerificationError):
        open_timestamp(reply, text=TEXT, roots=tsa.roots)


@pytest.mark.parametrize(
    ("accuracy", "off"),
    [
        ("secs:61", "0:01:01"),
        ("secs:60, millisecs:1", "0:01:00.001000"),
        ("secs:60, microsecs:1", "0:01:00.000001"),
        ("secs:59, millisecs:999, microsecs:999", ""),
        ("secs:60", ""),
        ("millisecs:1", ""),
    ],
)
def test_a_clock_that_may_be_more_than_a_minute_off_is_not_believed(
    tmp_path: Path, accuracy: str, off: str
) -> None:
    tsa = make_tsa(tmp_path / "tsa", accuracy=accuracy)
    reply = tsa.stamp(TEXT)

    if not off:
        assert open_timestamp(reply, text=TEXT, roots=tsa.roots)
        return
    with pytest.raises(VerificationError, match=rf"may be off by {re.escape(off)},"):
        open_timestamp(reply, text=TEXT, roots=tsa.roots)


def test_why_a_signature_does_not_hold_is_said_in_openssls_one_line(
    reply: bytes, tmp_path: Path
) -> None:
    roots = make_tsa(tmp_path / "other").roots

    with pytest.raises(VerificationError) as caught:
        open_timestamp(reply, text=TEXT, roots=roots)

    assert "unable to get local issuer certificate" in str(caught.value)
    assert "Verify error" not in str(caught.value)


def test_an_authority_need_not_say_how_good_its_clock_is(tmp_path: Path) -> None:
    tsa = make_tsa(tmp_path / "tsa", accuracy=None)

    assert open_timestamp(tsa.stamp(TEXT), text=TEXT, roots=tsa.roots)


# What is no answer


@pytest.mark.requirement("R98")
def test_every_changed_byte_is_found_or_changes_nothing(tsa: Tsa, reply: bytes) -> None:
    when = open_timestamp(reply, text=TEXT, roots=tsa.roots)
    survivors = 0
    for place in range(len(reply)):
        changed = bytearray(reply)
        changed[place] ^= 0x01
        try:
            assert open_timestamp(bytes(changed), text=TEXT, roots=tsa.roots) == when
        except VerificationError:
            continue
        survivors += 1
    # Names of algorithms, and a copy of the signer's name, that nothing rests on.
    assert survivors < 20


NO_ANSWER: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "text": lambda _: b"<html>It works!</html>",
    "cut": lambda reply: reply[:-1],
    "a byte more": lambda reply: reply + b"\0",
    "granted, but nothing in it": lambda _: bytes.fromhex("30053003020100"),
    "rejected": lambda _: bytes.fromhex("30053003020102"),
    "another status": lambda _: bytes.fromhex("30053003020163"),
    "a token alone": lambda reply: reply[9:],
}


@pytest.mark.parametrize("name", NO_ANSWER)
def test_what_is_no_answer_is_malformed(tsa: Tsa, reply: bytes, name: str) -> None:
    with pytest.raises(MalformedError):
        open_timestamp(NO_ANSWER[name](reply), text=TEXT, roots=tsa.roots)


def test_an_answer_is_read_up_to_the_limit_and_no_further(
    tsa: Tsa, reply: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timestamps, "MAX_REPLY_BYTES", len(reply))
    assert open_timestamp(reply, text=TEXT, roots=tsa.roots)

    monkeypatch.setattr(timestamps, "MAX_REPLY_BYTES", len(reply) - 1)
    with pytest.raises(MalformedError, match=f"at most {len(reply) - 1} bytes"):
        open_timestamp(reply, text=TEXT, roots=tsa.roots)


def test_a_token_with_something_else_for_a_certificate_is_refused(
    tsa: Tsa, reply: bytes, tmp_path: Path
) -> None:
    """Nothing is signed over the certificates that lie beside the signer's."""
    other = make_tsa(tmp_path / "other").folder / "tsa.pem"
    der = x509.load_pem_x509_certificate(other.read_bytes()).public_bytes(Encoding.DER)
    version_3, version_9 = bytes.fromhex("a003020102"), bytes.fromhex("a003020108")
    broken = base64.encodebytes(der.replace(version_3, version_9, 1)).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{broken}-----END CERTIFICATE-----\n"

    with pytest.raises(MalformedError, match="InvalidVersion"):
        open_timestamp(
            tsa.sign_again(reply, beside=pem.encode()), text=TEXT, roots=tsa.roots
        )
    assert open_timestamp(
        tsa.sign_again(reply, beside=other.read_bytes()), text=TEXT, roots=tsa.roots
    )


# Roots and the library


@pytest.mark.parametrize(
    "roots", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----"]
)
def test_roots_that_are_none_are_the_auditors_mistake(
    reply: bytes, roots: bytes
) -> None:
    with pytest.raises(ConfigurationError, match="BEGIN CERTIFICATE"):
        open_timestamp(reply, text=TEXT, roots=roots)


def test_without_the_extra_the_error_names_it(
    tsa: Tsa, reply: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)

    with pytest.raises(ConfigurationError, match=r"consentkit\[tsa\]"):
        open_timestamp(reply, text=TEXT, roots=tsa.roots)


def test_the_audit_loads_no_library_for_stamps_that_nobody_reads() -> None:
    program = (
        "import sys, consentkit.audit, consentkit.cli; "
        "sys.exit(bool({'rfc3161_client', 'cryptography.x509'} & sys.modules.keys()))"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603  our own

    assert done.returncode == 0
