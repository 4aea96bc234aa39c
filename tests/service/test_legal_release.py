"""A court's order is obeyed, written down, and never called a share; an ad is not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest
from marshmallow import Schema
from marshmallow import fields

from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.as_of_report import answer_dict
from consentkit.audit.as_of_report import answer_lines
from consentkit.audit.bundle import FolderSource
from consentkit.audit.report import format_time
from consentkit.audit.verify import Examination
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.decision import Reason
from consentkit.core.legal_basis import LegalBasis
from consentkit.core.registry import Registry
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.service.administering import Official
from consentkit.service.administering import administrative_acts
from consentkit.service.administering import record_admin_act
from consentkit.service.destinations import Address
from consentkit.service.guarding import Guard
from consentkit.service.legal_release import LegalRequest
from consentkit.service.legal_release import release_without_consent
from consentkit.service.live import live
from consentkit.service.personal import personal_records
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.sharing import Circumstances
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from tests import declared
from tests import legal
from tests.service.log_files import on_disk
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.service.legal_release import LegalRelease

DPO = Official("dpo@wallet.example", "Order 17/2026 of the Crown Court")
ORDER = b"%PDF-1.7 the order of the court"
REQUEST = LegalRequest(
    subject="alice",
    purpose="court-order",
    recipient="leeds-court",
    data=frozenset({"spending"}),
    basis="legal-obligation",
    by=DPO,
    evidence=ORDER,
)


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    found = Wallet(tmp_path, declared=legal.registry())
    found.answer("alice", CREDIT_SCORE)
    found.revoke("alice")
    return found


def release(wallet: Wallet, **changes: Any) -> LegalRelease:
    return release_without_consent(
        wallet.installation,
        replace(REQUEST, **changes),
        Circumstances(caller="jobs:orders", amount=12),
    )


class Payments(Schema):
    spent = fields.Int(metadata={"category": "spending"})
    city = fields.Str(metadata={"category": "city"})


@pytest.mark.requirement("R72")
def test_an_order_is_obeyed_and_stands_in_the_same_log_with_basis_reason_and_actor(
    wallet: Wallet,
) -> None:
    found = release(wallet)

    act, line = wallet.leaves()[-2:]
    assert (found.act, found.disclosure) == (act.id, line.id)
    assert (act.kind, line.kind) == (Kind.ADMIN, Kind.DENIAL)
    assert act.body["action"] == "release-without-consent:legal-obligation"
    assert act.body["target"] == line.id
    assert line.body["reason"] == "not_asked"
    assert (line.body["purpose"], line.body["recipient"]) == (
        "court-order",
        "leeds-court",
    )
    assert (line.body["data"], line.body["amount"]) == (["spending"], 12)
    assert found.only(Payments(many=True), [{"spent": 3, "city": "Leeds"}]) == [
        {"spent": 3}
    ]
    (told,) = administrative_acts(wallet.installation)
    assert (told.person, told.reason) == (DPO.person, DPO.reason)
    assert told.facts == {
        "document_sha256": hashlib.sha256(ORDER).hexdigest(),
        "law": "Proceeds of Crime Act 2002, s. 345",
    }
    wallet.prove()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "marketing": (
        {"purpose": "shop-offers", "recipient": "corner-shops", "data": {"city"}},
        "people are asked about 'shop-offers'",
    ),
    "affiliate": (
        {"purpose": "credit-score", "recipient": "acme-credit"},
        "people are asked about 'credit-score'",
    ),
    "affiliate for an order": ({"recipient": "acme-credit"}, "an active recipient"),
    "undeclared": ({"purpose": "tax"}, "a declared LegalPurpose"),
    "another basis": ({"basis": "vital-interest"}, "declares, legal-obligation"),
    "more data": ({"data": frozenset({"spending", "city"})}, "got none or more"),
    "no data": ({"data": frozenset()}, "got none or more"),
    "nothing to show": ({"evidence": b""}, "the document that obliges you"),
    "a blank to show": ({"evidence": " "}, "nothing that could be looked up"),
    "a letter to show": ({"evidence": "x."}, "nothing that could be looked up"),
    "None to show": ({"evidence": None}, "got NoneType"),
    "a letter for a reason": ({"by": Official("dpo", "q")}, "the reason for this"),
    "a book for a reference": ({"evidence": "x" * 1001}, "a reference of at most"),
    "a bar that is over": ({"barred_until": Millis(NEW_YEAR)}, "in the future"),
}


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(("changes", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_declared_to_rest_on_law_is_not_released(
    wallet: Wallet, changes: dict[str, Any], told: str
) -> None:
    before = wallet.contents()
    with pytest.raises(InvalidRequestError, match=told) as caught:
        release(wallet, **changes)
    assert caught.value.code == "legal-release"
    assert wallet.contents() == before


@pytest.mark.requirement("R72")
def test_a_purpose_that_was_once_refused_is_not_done_without_consent_later(
    tmp_path: Path,
) -> None:
    """Nobody can move what people said no to among what rests on law."""
    asking = Wallet(tmp_path, declared=declared.registry())
    asking.answer("alice", CREDIT_SCORE)
    asking.revoke("alice")
    moved = replace(legal.ORDERS, id="credit-score")
    renamed = Registry(
        declared.WALLET, [declared.OFFERS], legal_purposes=[moved, legal.RESCUE]
    )
    later = Wallet(tmp_path, declared=renamed)
    with pytest.raises(InvalidRequestError, match="their answer stands"):
        release(later, purpose="credit-score")
    assert release(later, subject="bob", purpose="credit-score").data == {"spending"}


@pytest.mark.requirement("R72", "R66")
@pytest.mark.parametrize(
    "stopped",
    [("court-order", None), (None, "leeds-court"), (None, None)],
    ids=["purpose", "recipient", "all"],
)
def test_the_kill_switch_stops_a_release_by_law_too(
    wallet: Wallet, stopped: tuple[str | None, str | None]
) -> None:
    begun = release(wallet)
    suspend(wallet.installation, *stopped, by=DPO)
    before = wallet.contents()
    with pytest.raises(ConsentDeniedError) as caught:
        release(wallet)
    assert caught.value.decision.reason is Reason.SUSPENDED
    assert wallet.contents() == before
    with pytest.raises(ConsentDeniedError):
        begun.only(Payments(), {"spent": 3})
    resume(wallet.installation, *stopped, by=DPO)
    assert release(wallet).basis is LegalBasis.LEGAL_OBLIGATION


def test_nothing_is_released_that_cannot_be_written_down(wallet: Wallet) -> None:
    wallet.break_writes("INSERT ON consent_disclosure")
    before = wallet.contents()
    with pytest.raises(LogError):
        release(wallet)
    assert wallet.contents() == before


def test_a_guarded_request_reaches_the_court_inside_of_a_release_and_nobody_else(
    wallet: Wallet,
) -> None:
    guard = Guard(wallet.declared)
    address = Address("orders.leeds-court.example", 443)
    with live(release(wallet)) as found:
        assert guard.spend([address]) == (found,)
    with live(release(wallet)) as found, found.sending():
        pass
    with pytest.raises(InvalidRequestError, match="no consent that could be proven"):
        release(wallet).proof()


# What the person sees


@pytest.mark.requirement("R72", "R77")
def test_the_person_sees_it_unless_barred_and_then_when_the_bar_has_ended(
    wallet: Wallet,
) -> None:
    release(wallet)
    release(wallet, barred_until=Millis(NEW_YEAR + 90 * DAY))
    installation = wallet.installation

    def seen() -> tuple[int, int, list[str]]:
        """In the list, in its filter, and in the file to take along."""
        now = wallet.clock()
        _, total = installation.disclosures.page("alice", now=now, limit=9)
        taken = personal_records(installation, "alice").to_dict()["disclosures"]
        assert [each["shared"] for each in taken] == [True] * total
        _, listed = installation.history.disclosures("alice", limit=9, now=now)
        assert listed == total
        names = installation.disclosures.recipients("alice", now=now)
        return total, len(taken), names

    assert seen() == (1, 1, ["leeds-court"])
    wallet.clock.now += 90 * DAY
    assert seen() == (2, 2, ["leeds-court"])
    assert installation.history.disclosures("alice", limit=9)[1] == 1


def test_a_bar_that_somebody_sets_or_lifts_by_sql_is_found(wallet: Wallet) -> None:
    shown = release(wallet)
    release(wallet, barred_until=Millis(NEW_YEAR + DAY))
    assert list(differences(wallet.installation)) == []
    wallet.sql("INSERT INTO consent_bar VALUES (?, ?)", shown.disclosure, NEW_YEAR * 9)
    (told,) = differences(wallet.installation)
    assert told.startswith(f"leaf {shown.disclosure}: the bar table")
    wallet.sql("DELETE FROM consent_bar")
    (told,) = differences(wallet.installation)
    assert "otherwise than the act of an official says" in told


# What auditors see


@pytest.mark.requirement("R72", "R99")
def test_the_verifier_tells_it_apart_from_every_share(wallet: Wallet) -> None:
    release(wallet)
    release(
        wallet,
        subject="bob",
        purpose="rescue",
        recipient="ambulance",
        data=frozenset({"city"}),
        basis="vital-interest",
        evidence="call 4711",
    )
    publish_all(wallet.installation)
    examination = Examination(FolderSource(wallet.logs), trust=wallet.trust)
    assert list(examination.find_faults()) == []
    report = examination.report()
    lines = "\n".join(report.lines())
    assert "released without consent: 2" in lines
    assert (
        "released without consent, on legal duty: spending, court-order for leeds-court"
    ) in lines
    assert "released without consent, to protect a life: city, rescue" in lines
    assert "disclosure" not in dict(report.log.kinds if report.log else {})
    first, _ = json.loads(json.dumps(report.to_dict()))["released_without_consent"]
    assert (first["basis"], first["data"]) == ("legal-obligation", ["spending"])
    assert first["line"] == first["entry"] + 1


@pytest.mark.requirement("R72", "R101")
def test_an_as_of_question_names_the_basis_and_the_act_of_the_official(
    wallet: Wallet,
) -> None:
    found = release(wallet)
    publish_all(wallet.installation)
    note, person = on_disk(wallet), wallet.installation.history.person("alice")
    assert person is not None
    answer = as_of(
        FolderSource(wallet.logs),
        note,
        open_checkpoint(note, wallet.trust.log),
        Question(person.handle, Millis(wallet.clock.now), "court-order"),
    )
    (basis,) = answer_dict(answer)["questions"]
    assert (basis["state"], basis["in_force"], basis["shares"]) == (None, False, [])
    (released,) = basis["released_without_consent"]
    assert released["basis"] == "legal-obligation"
    assert (released["id"], released["act"]["id"]) == (found.disclosure, found.act)
    told = "\n".join(answer_lines(answer))
    day = format_time(wallet.clock.now)
    assert (
        "court-order / leeds-court: released without consent, as the law has it; "
        "nobody was asked\n"
        "  released without consent, on legal duty (court-order) to leeds-court on "
        f"{day}: spending\n    entry "
    ) in told
    for word in ("in force", "nothing stands", "release-without-consent", "said by"):
        assert word not in told


def _invent(wallet: Wallet, *, action: str, target: str) -> None:
    with wallet.installation.ledger.write_alone() as transaction:
        record_admin_act(
            wallet.installation,
            transaction,
            action=action,
            target=target,
            by=DPO,
            now=wallet.clock(),
        )


INVENTED = {
    "no basis": ("release-without-consent:business", "0" * 32, "names no basis"),
    "no entry": ("release-without-consent:vital-interest", "alice", "name one entry"),
    "never followed": (
        "release-without-consent:vital-interest",
        "0" * 32,
        "did not follow",
    ),
}


@pytest.mark.parametrize(("action", "target", "told"), INVENTED.values(), ids=INVENTED)
def test_a_release_that_names_no_entry_of_a_person_does_not_hold(
    wallet: Wallet, action: str, target: str, told: str
) -> None:
    _invent(wallet, action=action, target=target)
    wallet.clock.now += DAY
    wallet.answer("bob", CREDIT_SCORE)
    publish_all(wallet.installation)
    with pytest.raises(VerificationError, match=told) as caught:
        verify_log(FolderSource(wallet.logs), trust=wallet.trust)
    assert caught.value.step == "release"
