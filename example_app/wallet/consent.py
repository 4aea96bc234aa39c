"""All the wiring that consentkit asks of an app: declarations, and who is here."""

from __future__ import annotations

from pathlib import Path

from consentkit import ConsentKit
from consentkit import ErasureTask
from consentkit import Registry
from example_app.wallet import book
from example_app.wallet.signing_in import current_account
from example_app.wallet.signing_in import is_auditor

__all__ = ["consent"]

consent = ConsentKit(Registry.from_file(Path(__file__).with_name("consent.toml")))


@consent.subject_loader
def current_subject() -> str | None:
    """The id of whoever is signed in."""
    account = current_account()
    return account.id if account else None


@consent.account_label_loader
def account_label(subject: str) -> str:
    """How a question names the account that is answered for, without giving it away."""
    account = book.find_account(subject)
    return account.masked_email if account else ""


@consent.erasure_handler
def erase_what_came_back(task: ErasureTask) -> None:
    """Delete what recipients sent back: no consent covers it any more.

    The payments themselves stay: the wallet keeps them to run the account, not on the
    strength of a consent.
    """
    if task.purpose == "credit-score":
        book.forget_score(task.subject)
    elif task.purpose == "shop-offers":
        book.forget_offers(task.subject)


@consent.role_loader
def roles() -> set[str]:
    """What else this request may see: the signed log, with the auditor's password."""
    return {"auditor"} if is_auditor() else set()
