"""Batches of the wallet's people, for the tests about them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.act import Assurance
from consentkit.core.act import Choice
from consentkit.core.act import State
from consentkit.service.batch_proving import personal_proof
from consentkit.service.batching import People
from consentkit.service.batching import share_with_many
from consentkit.service.choosing import write_choices
from consentkit.service.judging import Wanted
from consentkit.service.live import live
from consentkit.service.recording import PersonRecorder
from consentkit.service.sharing import Circumstances
from tests.service.wallet import CREDIT_SCORE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.act import SubjectHandle
    from consentkit.service.batch import Batch
    from tests.service.wallet import Wallet

__all__ = ["agreeing", "hand_out", "handle_of", "lines", "proof_of", "share_many"]


def share_many(
    wallet: Wallet,
    ids: Iterable[str | None] | Any,
    key: tuple[str, str] = CREDIT_SCORE,
    **wanted: Any,
) -> Batch:
    """A batch for what a plain yes to the question covers."""
    data = wanted.pop("data", None) or wallet.request("", key).data
    return share_with_many(
        wallet.installation,
        People(ids, is_id=lambda text: "\n" not in text),
        Wanted(*key, data, wanted.pop("min_assurance", Assurance.SESSION), **wanted),
        Circumstances(caller="jobs:export"),
        counted=True,
        lifetime=60,
    )


def agreeing(wallet: Wallet, count: int) -> list[str]:
    """So many people who have said yes to their credit score, in one transaction."""
    first, *others = (f"person-{number}" for number in range(count))
    said = wallet.answer(first, CREDIT_SCORE)
    choices = tuple(map(Choice.from_dict, said.body["choices"]))
    installation = wallet.installation
    with installation.ledger.write() as transaction:
        for subject in others:
            form = wallet.form(
                subject, {CREDIT_SCORE: State.GIVEN}, notice=said.body["notice"]
            )
            recorder = PersonRecorder.lock(installation, transaction, subject)
            write_choices(recorder, form, choices)
    return [first, *others]


def hand_out(batch: Batch) -> list[str]:
    """Everybody whom it hands out, within its block."""
    with live(batch):
        return list(batch)


def lines(wallet: Wallet, subject: str) -> list[tuple[str, str]]:
    """What one person sees: the id of each line, and why it is there."""
    rows, total = wallet.installation.disclosures.page(
        subject, limit=50, now=wallet.clock()
    )
    assert total == len(rows)
    return [(row.id, row.reason) for row in rows]


def handle_of(wallet: Wallet, subject: str) -> SubjectHandle:
    """The number that somebody has in the log."""
    person = wallet.installation.history.person(subject)
    assert person
    return person.handle


def proof_of(wallet: Wallet, subject: str) -> dict[str, Any]:
    """The file by which somebody shows that they were in the only batch there is."""
    (named,) = wallet.installation.batches.naming(handle_of(wallet, subject))
    return personal_proof(wallet.installation, named)
