"""Claims from elsewhere: taken as claims, and never against what was said here."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import InvalidRequestError
from consentkit.service.administering import Official
from consentkit.service.administering import administrative_acts
from consentkit.service.checking import check
from consentkit.service.claims import MAX_LINE
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.importing import CLAIMED
from consentkit.service.importing import Imported
from consentkit.service.importing import import_claims
from consentkit.service.importing import preview_claims
from consentkit.service.reasking import Cooldown
from consentkit.service.receipts import find_receipt
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

ENGINES = ("sqlite", "postgresql")
BY = Official("dpo@wallet.example", "moved from the old register")


def claim(subject: str = "ada", **fields: Any) -> dict[str, Any]:
    told = {
        "subject": subject,
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "state": "given",
        "data": ["spending"],
        "time": "2025-11-22T09:30:00Z",
        "source": "old-register",
        **fields,
    }
    return {name: value for name, value in told.items() if value is not None}


def no(subject: str = "ada", **fields: Any) -> dict[str, Any]:
    return claim(subject, state="refused", data=None, **fields)


def file(*claims: dict[str, Any] | bytes) -> io.BytesIO:
    lines = (c if isinstance(c, bytes) else json.dumps(c).encode() for c in claims)
    return io.BytesIO(b"".join(line + b"\n" for line in lines))


def brings(wallet: Wallet, *claims: dict[str, Any] | bytes) -> Imported:
    return import_claims(wallet.installation, file(*claims), by=BY, subject_key=str)


def states(wallet: Wallet, subject: str = "ada") -> dict[tuple[str, str], State]:
    found = wallet.installation.history.statuses(subject)
    return {key: status.state for key, status in found.items()}


@pytest.mark.requirement("R58", "R36")
def test_an_import_is_a_claim_and_opens_no_gate_that_asks_for_the_person(
    wallet: Wallet,
) -> None:
    shops = claim(purpose="shop-offers", recipient="corner-shops", data=["city"])
    done = brings(wallet, claim(), shops, no("eve"))

    assert (done.persons, done.claims, done.written) == (2, 3, 3)
    first, second = wallet.leaves("import")
    assert [each["purpose"] for each in first.body["choices"]] == [
        *("credit-score", "shop-offers"),
    ]
    said = {first.body[name] for name in ("assurance", "actor", "channel", "source")}
    assert said == {"asserted", "controller", "import", "old-register"}
    assert second.body["choices"][0]["state"] == "refused"

    request = wallet.request("ada", CREDIT_SCORE)
    assert check(wallet.installation, request).reason is Reason.NOT_ASKED
    assert check(
        wallet.installation, request._replace(min_assurance=Assurance.ASSERTED)
    )
    receipt = find_receipt(wallet.installation, "ada", first.id)
    assert receipt
    assert receipt.facts[CLAIMED][0]["time"] == "2025-11-22T09:30:00.000Z"  # type: ignore[index]  as it was sealed
    # The person is asked as if nobody had ever claimed anything.
    status = wallet.installation.history.statuses("ada")[CREDIT_SCORE]
    question = wallet.declared.question(*CREDIT_SCORE)
    assert question
    assert Cooldown().reopens(question, status, None, now=wallet.clock())


@pytest.mark.requirement("R58")
def test_an_import_changes_nothing_that_was_answered_here(wallet: Wallet) -> None:
    wallet.answer("ada", CREDIT_SCORE)
    wallet.revoke("ada")
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    wallet.answer("eve", CREDIT_SCORE)
    leaves = len(wallet.leaves("choice"))

    for _ in range(2):  # a sync that comes again
        done = brings(wallet, claim("ada"), claim("bob"), no("eve"))
        assert (done.written, done.left) == (0, 3)

    assert states(wallet, "ada")[CREDIT_SCORE] is State.WITHDRAWN
    assert states(wallet, "bob")[CREDIT_SCORE] is State.REFUSED
    assert wallet.check("eve", CREDIT_SCORE)
    assert (len(wallet.leaves("choice")), wallet.leaves("import")) == (leaves, [])
    attempts = administrative_acts(wallet.installation)
    assert [each.action for each in attempts] == ["import", "import"]
    assert attempts[0].facts == {"claims": 3}
    assert attempts[0].target == done.file


@pytest.mark.requirement("R58")
def test_the_same_file_again_adds_nothing_and_finishes_what_was_cut_short(
    wallet: Wallet,
) -> None:
    brings(wallet, claim("ada"))

    done = brings(wallet, claim("ada"), claim("eve"))

    assert (done.written, done.left) == (1, 1)
    assert len(wallet.leaves("import")) == 2


@pytest.mark.sqlite
def test_who_was_erased_comes_back_as_a_stranger_and_who_said_nothing_not_at_all(
    wallet: Wallet,
) -> None:
    """Nobody knows any more who that was: the operator takes them out of the file."""
    wallet.answer("ada", CREDIT_SCORE)
    erase(wallet.installation, Erasing("ada", "request"))
    over = claim("bob", time="2020-01-01T00:00:00Z")

    done = brings(wallet, claim("ada"), over)

    assert (done.written, done.over) == (1, 1)
    assert wallet.installation.history.person("bob") is None
    (before,), (after,) = wallet.leaves("choice"), wallet.leaves("import")
    assert before.subject != after.subject


@pytest.mark.sqlite
def test_a_yes_ends_no_later_than_one_that_was_given_here(wallet: Wallet) -> None:
    brings(
        wallet,
        claim("ada", until="2999-01-01T00:00:00Z"),
        claim("eve", until="2026-02-01T00:00:00+00:00"),
    )

    ends = {
        who: wallet.installation.history.statuses(who)[CREDIT_SCORE].until
        for who in ("ada", "eve")
    }
    assert ends["ada"] == 1_763_803_800_000 + 365 * DAY
    assert ends["eve"] == 1_769_904_000_000


@pytest.mark.sqlite
def test_a_preview_counts_and_writes_nothing(wallet: Wallet) -> None:
    wallet.answer("eve", CREDIT_SCORE)
    before = wallet.sql("SELECT count(*) FROM consent_leaf")

    done = preview_claims(
        wallet.installation, file(claim("ada"), claim("eve")), subject_key=str
    )

    assert (done.act, done.written, done.left) == ("", 1, 1)
    assert wallet.sql("SELECT count(*) FROM consent_leaf") == before


WRONG: dict[str, tuple[bytes | dict[str, Any], str]] = {
    "no JSON": (b"given", "a JSON object"),
    "an empty line": (b"", "a JSON object"),
    "no object": (b"[]", "a JSON object"),
    "a name twice": (b'{"subject": "a", "subject": "b"}', "each name once"),
    "another field": (claim(assurance="session"), "nothing else"),
    "no state": (claim(state=None), "a JSON object with"),
    "a state of the log": (claim(state="renewed"), "given, refused"),
    "a withdrawal": (no(purpose="credit-score") | {"state": "withdrawn"}, "refused"),
    "another purpose": (claim(purpose="anything"), "a declared purpose"),
    "another recipient": (claim(recipient="corner-shops"), "a declared purpose"),
    "every recipient": (claim(recipient=["acme-credit"]), "a declared purpose"),
    "data of another": (claim(data=["messages"]), "some of what the question asks"),
    "no data": (claim(data=[]), "some of what the question asks"),
    "data of a no": (claim(state="refused"), "no data with what is no yes"),
    "an end of a no": (no(until="2026-02-01T00:00:00Z"), "no until"),
    "a time to come": (claim(time="2026-06-01T00:00:00Z"), "one that is over"),
    "a time without a zone": (claim(time="2025-11-22T09:30:00"), "with its zone"),
    "a day that is none": (claim(time="2025-02-30T00:00:00Z"), "with its zone"),
    "a source of words": (claim(source="the old register"), "as source a word"),
    "a long line": (b"[" * (MAX_LINE + 10), "bytes at most"),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("name", WRONG)
def test_a_line_that_is_wrong_is_named_and_nothing_is_written(
    wallet: Wallet, name: str
) -> None:
    line, expected = WRONG[name]
    with pytest.raises(InvalidRequestError, match="line 2: expected") as caught:
        brings(wallet, claim("secret-person"), line)
    assert caught.value.code == "claim"
    assert expected in str(caught.value)
    assert "secret-person" not in str(caught.value)
    assert wallet.leaves("import") == wallet.leaves("admin") == []


@pytest.mark.sqlite
def test_lines_about_one_person_agree_and_stand_together(wallet: Wallet) -> None:
    offers = {"purpose": SHOPS[0], "recipient": SHOPS[1], "data": ["city"]}
    for claims, expected in (
        ((claim(), claim("eve"), claim(**offers)), "line 3: .* sort the file"),
        ((claim(), no()), "line 2: .* another came before"),
        ((claim(), claim(**offers, source="another")), "line 2: .* the same source"),
    ):
        with pytest.raises(InvalidRequestError, match=expected):
            brings(wallet, *claims)
    assert wallet.leaves("import") == []


@pytest.mark.sqlite
def test_many_persons_take_many_transactions(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consentkit.service.importing._AT_A_TIME", 3)
    told: list[tuple[int, int]] = []
    sent = file(*(claim(f"u-{number}") for number in range(7)))

    done = import_claims(
        wallet.installation,
        sent,
        by=BY,
        subject_key=str,
        progress=lambda *at: told.append(at),
    )

    assert (done.written, told) == (7, [(3, 7), (6, 7), (7, 7)])
