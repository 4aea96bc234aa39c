"""The receipt: a page to read and print, and the files that prove it without us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import url_for

from consentkit.audit.replay import act_of
from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.errors import InvalidRequestError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.note import split_note
from consentkit.log.proof import parse_proof
from consentkit.service.awaiting import awaited_of
from consentkit.service.receipts import Receipt
from consentkit.service.receipts import find_receipt
from consentkit.store.keys import COLLECTOR
from consentkit.store.keys import LOG
from consentkit.web import frame
from consentkit.web.centre import signed_in
from consentkit.web.pages import CheckingView
from consentkit.web.pages import ReceiptView
from consentkit.web.pages import assurance_text
from consentkit.web.pages import choice_line
from consentkit.web.problems import problem
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from markupsafe import Markup

    from consentkit.log.checkpoint import Checkpoint
    from consentkit.service.installation import Installation
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["add_routes"]

_PROOF_TYPE = "text/plain; charset=utf-8"


def _find(state: AppState, subject: str, receipt_id: str) -> Receipt:
    receipt = find_receipt(state.installation, subject, receipt_id)
    if receipt is None:
        raise InvalidRequestError("there is no such receipt", code="not-found")
    return receipt


@signed_in
def _receipt(state: AppState, subject: str, receipt_id: str) -> Response:
    receipt = _find(state, subject, receipt_id)
    locale = frame.current_locale(state)
    leaf, act = receipt.leaf, act_of(receipt.leaf)
    checkpoint = _checkpoint(receipt)
    registry = state.installation.registry
    waits = {each.key: each for each in awaited_of(receipt.facts, leaf.id)}
    script_url, script_integrity = (
        frame.script(frame.CHECKING) if receipt.proof else ("", "")
    )
    view = ReceiptView(
        id=leaf.id,
        at=locale.moment(Millis(leaf.time)),
        lines=tuple(
            choice_line(each, each.key, registry, locale, awaited=waits.get(each.key))
            for each in act.choices
        ),
        assurance=assurance_text(Assurance(act.assurance), locale),
        handle=str(leaf.subject),
        notice=act.notice,
        notice_url=(
            url_for("consentkit.notice", digest=act.notice) if act.notice else ""
        ),
        log=leaf.log,
        entry=leaf.hash.hex(),
        index=receipt.index if checkpoint else None,
        size=checkpoint.size if checkpoint else None,
        root=checkpoint.root.hex() if checkpoint else "",
        proof_url=(
            url_for("consentkit.receipt_proof", receipt_id=leaf.id)
            if receipt.proof
            else ""
        ),
        json_url=url_for("consentkit.receipt_json", receipt_id=leaf.id),
        correction=_correction(receipt, locale),
        keys=_keys(state, receipt),
        checking_url=url_for("consentkit.checking"),
        script_url=script_url,
        script_integrity=script_integrity,
    )
    return frame.page("receipt.html", view)


def _keys(state: AppState, receipt: Receipt) -> tuple[str, ...]:
    """The log's keys, and those that could sign an entry at the receipt's index."""
    ranges = state.installation.of_log(receipt.leaf.log).keys.ranges()
    index = receipt.index
    return tuple(
        each.vkey
        for each in ranges
        if each.role == LOG or (index is not None and each.covers(index))
    )


def _correction(receipt: Receipt, locale: Locale) -> Markup | None:
    if receipt.correction is None:
        return None
    return locale.text(
        "Something here was a mistake. We corrected it on {date}. "
        "[See what counts now]",
        date=locale.date(Millis(receipt.correction.time)),
        link=url_for("consentkit.receipt", receipt_id=receipt.correction.id),
    )


@signed_in
def _receipt_proof(state: AppState, subject: str, receipt_id: str) -> Response:
    receipt = _find(state, subject, receipt_id)
    if receipt.proof is None:
        return problem("not-published", "ask again in a second")
    response = Response(receipt.proof, content_type=_PROOF_TYPE)
    response.headers["Content-Disposition"] = _file_name(receipt, "tlog-proof")
    return response


@signed_in
def _receipt_json(state: AppState, subject: str, receipt_id: str) -> Response:
    receipt = _find(state, subject, receipt_id)
    data = json.dumps(receipt.to_dict(), indent=2, ensure_ascii=False)
    response = Response(data + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = _file_name(receipt, "json")
    return response


def _checking() -> Response:
    """How to check a receipt without us; for everybody, signed in or not."""
    state = current_state()
    installation = state.installation
    logs = (*installation.earlier, installation.origin)
    view = CheckingView(
        logs=tuple((each, _log_keys(installation, each)) for each in logs),
    )
    return frame.page("checking.html", view)


def _log_keys(installation: Installation, origin: str) -> tuple[str, ...]:
    """The log's own first, then those of every collector that signs its entries."""
    keys = installation.of_log(origin).keys
    ranges = (*keys.ranges(LOG), *keys.ranges(COLLECTOR))
    return tuple(dict.fromkeys(each.vkey for each in ranges))


def _file_name(receipt: Receipt, ending: str) -> str:
    return f'attachment; filename="receipt-{receipt.leaf.id[:8]}.{ending}"'


def _checkpoint(receipt: Receipt) -> Checkpoint | None:
    if receipt.proof is None:
        return None
    note = split_note(parse_proof(receipt.proof).checkpoint)
    return parse_checkpoint_text(note.text)


def add_routes(blueprint: Blueprint) -> None:
    """Put the receipt pages on the blueprint."""
    add = blueprint.add_url_rule
    add("/checking", "checking", _checking)
    add("/receipts/<receipt_id>", "receipt", _receipt)
    add("/receipts/<receipt_id>.tlog-proof", "receipt_proof", _receipt_proof)
    add("/receipts/<receipt_id>.json", "receipt_json", _receipt_json)
