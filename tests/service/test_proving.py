"""What a recipient is shown holds, and nothing near it does."""

from __future__ import annotations

import base64
import json
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.audit import Trust
from consentkit.audit import verify_release
from consentkit.audit.release_proof import Statement
from consentkit.audit.release_proof import sign_statement
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InclusionError
from consentkit.errors import InvalidRequestError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.keys import Ed25519Signer
from consentkit.service.publishing import publish_all
from tests.service.guarded import shared
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

BODY = b'{"amount": 1250}'
ACME = "acme-credit"
YEAR_LATER = NEW_YEAR + 365 * DAY


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    wallet = Wallet(tmp_path)
    wallet.answer("alice", CREDIT_SCORE)
    return wallet


@pytest.fixture
def promise(wallet: Wallet) -> str:
    """As a recipient gets it: the log has not taken it yet."""
    with shared(wallet) as release:
        return release.proof(BODY)


@pytest.fixture
def included(wallet: Wallet) -> str:
    """As it is once the log has it."""
    with shared(wallet) as release:
        publish_all(wallet.installation)
        return release.proof(BODY)


def verify(wallet: Wallet, proof: Any, **given: Any) -> Any:
    return verify_release(
        proof,
        **{"trust": wallet.trust, "recipient": ACME, "at": NEW_YEAR, **given},
    )


def parts(proof: str) -> dict[str, str]:
    text = base64.urlsafe_b64decode(proof + "=" * (-len(proof) % 4))
    found: dict[str, str] = json.loads(text)
    return found


def line(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.requirement("R75")
def test_a_promise_says_what_may_be_held_for_what_and_until_when(
    wallet: Wallet, promise: str
) -> None:
    (leaf,) = wallet.leaves("disclosure")
    (grant,) = wallet.leaves("choice")

    found = verify(wallet, promise, purpose="credit-score", body=BODY)

    assert found.to_dict() == {
        "bound": True,
        "collector": wallet.installation.keyring.collector.name,
        "data": ["spending"],
        "disclosure": leaf.id,
        "index": "promised",
        "log": wallet.installation.origin,
        "purpose": "credit-score",
        "recipient": ACME,
        "record": grant.id,
        "time": NEW_YEAR,
        "until": YEAR_LATER,
    }


def test_a_proof_is_taken_as_bytes_and_none_is_refused_like_a_wrong_one(
    wallet: Wallet, promise: str
) -> None:
    """As servers hand headers over; ``headers.get`` says None."""
    assert verify(wallet, promise.encode(), body=bytearray(BODY)).bound
    for absent in (None, "", b"", 7, b"\xff"):
        with pytest.raises(VerificationError) as caught:
            verify(wallet, absent)
        assert caught.value.step == "form"
    with pytest.raises(VerificationError, match="no proof came"):
        verify(wallet, None)


@pytest.mark.parametrize(
    "given",
    [
        {"body": BODY.decode()},
        {"at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"at": float("nan")},  # no time is later than this: it would never expire
        {"at": True},
    ],
)
def test_a_call_that_can_judge_nothing_says_what_it_needs(
    wallet: Wallet, promise: str, given: dict[str, Any]
) -> None:
    (name,) = given
    with pytest.raises(TypeError, match=f"expected '{name}' as"):
        verify(wallet, promise, **given)


def test_once_the_log_has_it_a_proof_holds_for_as_long_as_the_consent(
    wallet: Wallet, included: str
) -> None:
    index = verify(wallet, included).index
    assert index == len(wallet.leaves()) - 1
    assert verify(wallet, included, at=YEAR_LATER - 1).index == index

    with pytest.raises(VerificationError, match="held until 1 January 2027") as told:
        verify(wallet, included, at=YEAR_LATER)
    assert told.value.step == "time"


def test_a_promise_that_is_overdue_is_none(wallet: Wallet, promise: str) -> None:
    assert verify(wallet, promise, at=NEW_YEAR + MAX_DELAY_MS).index is None

    with pytest.raises(InclusionError, match="was due") as told:
        verify(wallet, promise, at=NEW_YEAR + MAX_DELAY_MS + 1)
    assert told.value.step == "inclusion"


def test_a_proof_from_the_future_is_none(wallet: Wallet, promise: str) -> None:
    assert verify(wallet, promise, at=NEW_YEAR - MAX_SKEW_MS)
    with pytest.raises(VerificationError, match="which is to come"):
        verify(wallet, promise, at=NEW_YEAR - MAX_SKEW_MS - 1)


@pytest.mark.parametrize(
    ("step", "given"),
    [
        ("recipient", {"recipient": "corner-shops"}),
        ("purpose", {"purpose": "shop-offers"}),
        ("body", {"body": BODY + b" "}),
        ("body", {"body": b""}),
    ],
)
def test_a_proof_for_something_else_is_none(
    wallet: Wallet, promise: str, step: str, given: dict[str, Any]
) -> None:
    with pytest.raises(VerificationError, match="expected a") as told:
        verify(wallet, promise, **given)
    assert told.value.step == step


def test_a_proof_that_speaks_of_no_bytes_is_none_of_any(wallet: Wallet) -> None:
    with shared(wallet) as release:
        proof = release.proof()

    assert not verify(wallet, proof).bound
    with pytest.raises(VerificationError, match="or of none"):
        verify(wallet, proof, body=b"")


def test_whose_key_is_not_held_has_said_nothing(
    wallet: Wallet, promise: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="a collector, whose key is needed"):
        verify(wallet, promise, trust=Trust(wallet.trust.log))
    other = Wallet(tmp_path / "other")
    with pytest.raises(VerificationError) as told:
        verify(wallet, promise, trust=other.trust)
    assert told.value.step == "collector"


def forged(wallet: Wallet, proof: str, **said: Any) -> str:
    """The same with another statement, by somebody with a key of the same name."""
    (leaf,) = wallet.leaves("disclosure")
    signer = Ed25519Signer.generate(wallet.installation.keyring.collector.name)
    statement = Statement(**{"leaf": leaf.hash.hex(), "until": YEAR_LATER, **said})
    note = sign_statement(statement, signer).decode()
    return line({**parts(proof), "statement": note})


def test_a_statement_of_somebody_else_is_none(wallet: Wallet, promise: str) -> None:
    with pytest.raises((UnknownKeyError, InvalidSignatureError)):
        verify(wallet, forged(wallet, promise, until=YEAR_LATER * 2))


def test_parts_of_two_proofs_do_not_make_one(wallet: Wallet, promise: str) -> None:
    with shared(wallet) as release:
        second = parts(release.proof())

    for mixed in (
        {**parts(promise), "statement": second["statement"]},
        {**parts(promise), "leaf": second["leaf"]},
    ):
        with pytest.raises(VerificationError, match="about another leaf") as told:
            verify(wallet, line(mixed))
        assert told.value.step == "binding"


def test_an_entry_of_another_kind_releases_nothing(wallet: Wallet) -> None:
    (grant,) = wallet.leaves("choice")
    signer = wallet.installation.keyring.collector
    note = sign_statement(Statement(grant.hash.hex(), YEAR_LATER), signer).decode()

    with pytest.raises(VerificationError, match="expected a disclosure"):
        verify(wallet, line({"leaf": grant.data.decode(), "statement": note}))


def test_a_proof_of_inclusion_in_another_tree_is_none(
    wallet: Wallet, included: str
) -> None:
    text = parts(included)
    index = f"index {verify(wallet, included).index}\n"
    assert index in text["proof"]
    moved = {**text, "proof": text["proof"].replace(index, "index 1\n")}

    with pytest.raises(InclusionError) as told:
        verify(wallet, line(moved))
    assert told.value.step == "inclusion"


BAD = {
    "nothing": "",
    "no base64": "a proof",
    "padding": "e30=",
    "no JSON": base64.urlsafe_b64encode(b"{").decode().rstrip("="),
    "a list": line([]),
    "empty": line({}),
    "no statement": line({"leaf": "x"}),
    "both": line({"leaf": "x", "proof": "y", "statement": "z"}),
    "neither": line({"statement": "z"}),
    "a number": line({"leaf": 1, "statement": "z"}),
    "another field": line({"leaf": "x", "name": "Maya", "statement": "z"}),
    "no leaf": line({"leaf": "x", "statement": "z"}),
    "no proof": line({"proof": "x", "statement": "z"}),
    "spaces": base64.urlsafe_b64encode(b'{"leaf": "x", "statement": "z"}').decode(),
    "too long": "A" * 40_000,
    "another alphabet": "+/+/",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_of_the_form_is_malformed(wallet: Wallet, name: str) -> None:
    with pytest.raises(VerificationError) as told:
        verify(wallet, BAD[name])
    assert told.value.step == "form" or name == "no leaf"


def test_no_character_of_it_can_be_another(wallet: Wallet, included: str) -> None:
    for at in range(0, len(included), 7):
        for other in "A_":
            changed = included[:at] + other + included[at + 1 :]
            if changed != included:
                with pytest.raises(VerificationError):
                    verify(wallet, changed, body=BODY)


@pytest.mark.requirement("R96")
def test_nothing_in_it_is_about_the_person(included: str) -> None:
    text = json.dumps(parts(included))
    assert "alice" not in text
    assert BODY.decode() not in text
    assert len(included) < 4_000, "a header has room for it"


@pytest.mark.requirement("R68")
def test_nothing_is_proven_of_what_has_ended(wallet: Wallet) -> None:
    with shared(wallet) as release:
        wallet.revoke("alice")
        with pytest.raises(ConsentDeniedError):
            release.proof()
    with pytest.raises(InvalidRequestError, match="ends with its block"):
        release.proof()
