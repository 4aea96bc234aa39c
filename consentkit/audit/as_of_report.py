"""The answer to an as-of question as JSON, in words, and as files to hand on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.annexed import notice_paths
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.plain_text import plain_text
from consentkit.audit.report import ON_BASIS
from consentkit.audit.report import format_time
from consentkit.audit.report import iso_time
from consentkit.core.legal_basis import RELEASE_ACTIONS
from consentkit.core.registry import CROSS_BORDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.audit.as_of import AsOf
    from consentkit.audit.as_of import Basis
    from consentkit.audit.proven import Entry
    from consentkit.audit.proven import ShownNotice
    from consentkit.core.status import Status

__all__ = ["NOT_CHECKED", "answer_dict", "answer_files", "answer_lines"]

_ANSWER = "answer.json"
NOT_CHECKED = (
    "whether others were shown the same log (for that, see verify --since, --policy)",
    "that the times in the entries are right, beyond their order",
    "who the person behind the handle is: only the operator can say",
)
"""What no answer to this question can claim."""


def answer_dict(answer: AsOf) -> dict[str, Any]:
    """The machine-readable form; its shape does not change."""
    question = answer.question
    return {
        "subject": question.subject,
        "at": iso_time(question.at),
        "questions": [_basis_dict(basis) for basis in answer.bases],
        "known": answer.known,
        "erased": answer.erased and _entry_dict(answer.erased),
        "previous": [_entry_dict(link) for link in answer.links],
        "not_checked": list(NOT_CHECKED),
    }


def answer_files(answer: AsOf) -> Iterator[tuple[str, bytes]]:
    """The files that prove the answer: path and bytes.

    Each ``.tlog-proof`` stands alone: ``consentkit receipt`` checks it, and so does
    any reader of C2SP tlog-proofs.
    """
    yield _ANSWER, (json.dumps(answer_dict(answer), indent=2) + "\n").encode()
    yield CHECKPOINT, answer.checkpoint
    entries = list(answer.entries())
    for back, note in sorted({(each.back, each.checkpoint) for each in entries}):
        if back:
            yield _folder(back) + CHECKPOINT, note
    for entry in entries:
        yield _proof_name(entry), entry.proof()
    shown = {basis.shown.digest: basis.shown for basis in answer.bases if basis.shown}
    for digest, each in shown.items():
        if each.notice is not None:
            manifest, html = notice_paths(digest)
            yield manifest, each.notice.manifest_bytes
            yield html, each.notice.html


def answer_lines(answer: AsOf) -> Iterator[str]:
    """The answer in words."""
    question = answer.question
    yield f"Subject {question.subject}, {format_time(question.at)}:"
    if answer.erased is not None:
        yield f"  was erased by {_name(answer.erased)}; nothing stands since"
    if not answer.known:
        yield "  this handle is not in the log: no entry names it, then or later"
    elif not answer.bases:
        yield "  nothing that was asked about had come up by then"
    for basis in answer.bases:
        yield ""
        yield from _basis_lines(basis)
    yield ""
    for each in NOT_CHECKED:
        yield f"Not checked: {each}."


def _basis_lines(basis: Basis) -> Iterator[str]:
    yield f"{basis.purpose} / {basis.recipient}: {_standing(basis)}"
    yield from _release_lines(basis)
    if _by_law_alone(basis):
        yield from _stop_lines(basis)
        return  # nobody was asked, so that nothing was said, shown or shared on it
    if basis.status is not None:
        yield f"  data:      {', '.join(sorted(basis.status.data)) or 'none'}"
        if basis.status.until:
            yield f"  until:     {format_time(basis.status.until)}"
        yield f"  assurance: {basis.status.assurance}"
    yield from _stop_lines(basis)
    yield "  said by then:"
    for entry in basis.acts:
        yield f"    {_state_in(entry, basis)}: {_entry_line(entry)}"
    yield from _notice_lines(basis.shown)
    yield f"  shared by then: {len(basis.shares) or 'nothing'}"
    for entry in basis.shares:
        body = entry.leaf.body
        data = ", ".join(body["data"])
        yield f"    {data}, on the act {body['record']}: {_entry_line(entry)}"
    for found, line in basis.named:
        data = ", ".join(found.leaf.body["data"])
        yield (
            f"  in a batch of {found.leaf.body['count']} people: {data}, on the act "
            f"{line.record}: {_entry_line(found)}"
        )
    if basis.batches:
        yield (
            f"  batches shared by then: {basis.batches}; whether this person was in "
            "them, the log alone does not tell"
        )


def _standing(basis: Basis) -> str:
    """What stood at that moment, in a few words."""
    if _by_law_alone(basis):
        return "released without consent, as the law has it; nobody was asked"
    state = basis.state or "nothing stands"
    if not basis.in_force:
        return f"{state}, NOT in force"
    if basis.missing is None:
        return f"{state}, in force"
    yes = "sending it abroad" if basis.missing.endswith(CROSS_BORDER) else "the sharing"
    return f"{state}, in force, but not sufficient: the yes to {yes} is missing"


def _by_law_alone(basis: Basis) -> bool:
    """Whether data left on this by law, and nobody was asked or relied on consent."""
    consent = basis.acts or basis.shares or basis.named or basis.batches
    return bool(basis.released and not consent)


def _stop_lines(basis: Basis) -> Iterator[str]:
    if basis.stopped is not None:
        yield f"  stopped by the operator: {_entry_line(basis.stopped)}"


def _release_lines(basis: Basis) -> Iterator[str]:
    for act, own in basis.released:
        on = ON_BASIS[RELEASE_ACTIONS[act.leaf.body["action"]].value]
        yield (
            f"  released without consent, {on} ({basis.purpose}) to {basis.recipient} "
            f"on {format_time(own.leaf.time)}: {', '.join(own.leaf.body['data'])}"
        )
        yield f"    {_entry_line(own)}, by the act in {_name(act)}"


def _notice_lines(shown: ShownNotice | None) -> Iterator[str]:
    if shown is None:
        yield "  no text is on record as shown"
        return
    yield f"  text shown: {shown.digest}, logged by {_name(shown.entry)}"
    if shown.notice is None:
        yield "    the text is not here; ask the operator for an export"
        return
    yield f"    {notice_paths(shown.digest)[1]}, locale {shown.notice.locale}"
    for line in plain_text(shown.notice.html):
        yield f"    | {line}"


def _entry_line(entry: Entry) -> str:
    return f"{_name(entry)}, {format_time(entry.leaf.time)}, id {entry.leaf.id}"


def _name(entry: Entry) -> str:
    """The entry by its index, and by its log if that is not the one asked."""
    return f"entry {entry.index}" + (f" of {entry.leaf.log}" if entry.back else "")


def _state_in(entry: Entry, basis: Basis) -> str:
    """What one act said on this question."""
    return next(
        str(choice["state"])
        for choice in entry.leaf.body["choices"]
        if (choice["purpose"], choice["recipient"]) == (basis.purpose, basis.recipient)
    )


def _basis_dict(basis: Basis) -> dict[str, Any]:
    return {
        "purpose": basis.purpose,
        "recipient": basis.recipient,
        "state": basis.state,
        "in_force": basis.in_force,
        "sufficient": basis.sufficient,
        "missing": basis.missing,
        "standing": None if basis.status is None else _status_dict(basis.status),
        "acts": [
            {**_entry_dict(each), "state": _state_in(each, basis)}
            for each in basis.acts
        ],
        "notice": basis.shown and _notice_dict(basis.shown),
        "shares": [
            {**_shared_dict(each), "record": each.leaf.body["record"]}
            for each in basis.shares
        ],
        "batches": basis.batches,
        "in_batches": [
            {**_shared_dict(found), "entry": line.to_dict(), "record": line.record}
            for found, line in basis.named
        ],
        "released_without_consent": [
            _released_dict(act, line) for act, line in basis.released
        ],
        "stopped": basis.stopped and _entry_dict(basis.stopped),
    }


def _status_dict(status: Status) -> dict[str, Any]:
    return {
        "record": status.record,
        "data": sorted(status.data),
        "scope": status.scope,
        "since": iso_time(status.since),
        "until": iso_time(status.until) if status.until else None,
        "assurance": status.assurance.value,
    }


def _shared_dict(entry: Entry) -> dict[str, Any]:
    return {**_entry_dict(entry), "data": entry.leaf.body["data"]}


def _released_dict(act: Entry, line: Entry) -> dict[str, Any]:
    return {
        **_shared_dict(line),
        "basis": RELEASE_ACTIONS[act.leaf.body["action"]].value,
        "act": _entry_dict(act),
    }


def _notice_dict(shown: ShownNotice) -> dict[str, Any]:
    value = {**_entry_dict(shown.entry), "digest": shown.digest}
    if shown.notice is None:
        return {**value, "files": [], "text": None}
    return {
        **value,
        "locale": shown.notice.locale,
        "version": shown.notice.version,
        "files": list(notice_paths(shown.digest)),
        "text": plain_text(shown.notice.html),
    }


def _entry_dict(entry: Entry) -> dict[str, Any]:
    return {
        "log": entry.leaf.log,
        "entry": entry.index,
        "id": entry.leaf.id,
        "time": iso_time(entry.leaf.time),
        "proof": _proof_name(entry),
    }


def _proof_name(entry: Entry) -> str:
    return f"{_folder(entry.back)}entry-{entry.index}.tlog-proof"


def _folder(back: int) -> str:
    """Where the proofs in an earlier log are written, by how many logs back it is."""
    return f"previous-{back}/" if back else ""
