"""Everything that is held about one person, for them to take along (GDPR Art. 15, 20).

What is short is read at once, so that a database that is down is told before the first
byte; the long lists are read while they are handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from markupsafe import Markup

from consentkit.core.act import State
from consentkit.core.legal_basis import has_left
from consentkit.core.record import rfc3339
from consentkit.service.awaiting import awaited_in
from consentkit.service.batch_proving import personal_proof
from consentkit.service.corrected import disclosures_of
from consentkit.service.receipts import list_receipts
from consentkit.service.receipts import prove_leaf
from consentkit.store.keys import LOG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.core.act import Millis
    from consentkit.core.notice import Notice
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.awaiting import Awaited
    from consentkit.service.installation import Installation
    from consentkit.service.receipts import Receipt
    from consentkit.store.batches import Named
    from consentkit.store.deliveries import Delivery
    from consentkit.store.history import DisclosureRow
    from consentkit.store.reminders import Reminder
    from consentkit.store.representing import Delegation
    from consentkit.store.subjects import Person

    Part: TypeAlias = "tuple[str, dict[str, Any] | str | Iterator[dict[str, Any]]]"

__all__ = [
    "EXPORT_SCHEMA",
    "PersonalRecords",
    "disclosure_entry",
    "notice_entry",
    "personal_records",
    "receipt_entry",
]

EXPORT_SCHEMA = "consentkit/personal-export@v1"
"""The first member of the file: its form and version."""


@dataclass(frozen=True)
class PersonalRecords:
    """What is held about one person; ``person`` is None if the log never heard of them.

    ``answers`` are what stands, by (purpose, recipient), ``acts`` everything they ever
    answered, newest first, ``told`` the messages that went out about them, and
    ``reminders`` which yes they were reminded of before its end.
    """

    installation: Installation
    subject: str
    made: Millis
    person: Person | None
    answers: dict[tuple[str, str], Status]
    acts: tuple[Receipt, ...]
    told: tuple[Delivery, ...]
    delegations: tuple[Delegation, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    of_age: Millis | None = None

    def receipts(self) -> Iterator[Receipt]:
        """Every act with its notice, its private facts and its proof, newest first.

        Raises (on iterating):
            VerificationError: what is stored is no longer what was stored.
            LogUnavailableError: the database cannot be reached.
        """
        if self.person is None:
            return
        for act in self.acts:
            yield replace(
                act,
                notice=self._notice(str(act.leaf.body.get("notice", ""))),
                proof=prove_leaf(
                    self.installation.of_log(act.leaf.log), act.leaf.data, act.index
                ),
                disclosures=disclosures_of(self.installation, self.person, act.leaf),
            )

    def awaited(self, leaf: Leaf) -> tuple[Awaited, ...]:
        """What was said yes to in one of the acts, to be confirmed later.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        asked = any(each["state"] == State.REQUESTED for each in leaf.body["choices"])
        if self.person is None or not asked:
            return ()
        return awaited_in(self.installation, self.person, leaf)

    def notices(self) -> Iterator[Notice]:
        """Every notice that the person answered, each once, the newest first.

        Raises (on iterating):
            MalformedError: what is stored is no longer what was stored.
        """
        for digest in dict.fromkeys(
            str(act.leaf.body.get("notice", "")) for act in self.acts
        ):
            notice = self._notice(digest)
            if notice is not None:
                yield notice

    def disclosures(self) -> Iterator[DisclosureRow]:
        """Who received the person's data, refused attempts included, newest first.

        Raises (on iterating):
            LogUnavailableError: the database cannot be reached.
        """
        return self.installation.disclosures.all(self.subject, now=self.made)

    def batches(self) -> list[Named]:
        """The batches that named the person, the newest first.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        if self.person is None:
            return []
        return self.installation.batches.naming(self.person.handle)

    def parts(self) -> Iterator[Part]:
        """The file, member by member; a list is an iterator that is read as it goes."""
        yield "schema_version", EXPORT_SCHEMA
        yield "made", rfc3339(self.made)
        yield "pii_principal_id", str(self.person.handle) if self.person else ""
        yield "controller", _controller(self.installation)
        yield "logs", map(self._log, dict.fromkeys(act.leaf.log for act in self.acts))
        yield "answers", (self._answer(*each) for each in sorted(self.answers.items()))
        yield "receipts", map(receipt_entry, self.receipts())
        yield "notices", map(notice_entry, self.notices())
        yield (
            "disclosures",
            (disclosure_entry(self.installation, each) for each in self.disclosures()),
        )
        yield "batches", map(self._batch, self.batches())
        yield "notifications", map(self._notification, self.told)
        yield "delegations", map(_delegation, self.delegations)
        yield "reminders", map(self._reminder, self.reminders)
        yield "of_age", rfc3339(self.of_age) if self.of_age is not None else ""

    def to_dict(self) -> dict[str, Any]:
        """The file as one value, with all of its lists in memory."""
        return {
            name: value if isinstance(value, str | dict) else list(value)
            for name, value in self.parts()
        }

    def _notice(self, digest: str) -> Notice | None:
        return self.installation.history.notice(digest) if digest else None

    def _log(self, origin: str) -> dict[str, Any]:
        keys = self.installation.of_log(origin).keys.ranges(LOG)
        return {"origin": origin, "vkeys": [each.vkey for each in keys]}

    def _answer(self, key: tuple[str, str], status: Status) -> dict[str, Any]:
        status = status.by_age(self.of_age)  # as the gate has it
        return {
            "purpose": key[0],
            **_named(self.installation, key[1]),
            "event_state": status.at(self.made).value,
            "event_time": rfc3339(status.since),
            "validity_duration": rfc3339(status.until),
            "pii_covered": sorted(status.data),
            "assurance": status.assurance.value,
            "record_id": status.record,
            "scope": status.scope,
        }

    def _batch(self, named: Named) -> dict[str, Any]:
        """What proves that the person was in it, to whoever they show it to."""
        return {
            "id": named.batch.leaf,
            "handed_over": named.was_handed_over,
            "reason": named.reason,
            "proof": personal_proof(self.installation, named),
        }

    def _notification(self, delivery: Delivery) -> dict[str, Any]:
        return {
            "id": delivery.id,
            **_named(self.installation, delivery.recipient),
            "event": delivery.event,
            "record_id": delivery.record,
            "created": rfc3339(delivery.created),
            "due": rfc3339(delivery.due),
            "attempts": delivery.attempts,
            "status": delivery.status.value,
            "message": delivery.body.decode("utf-8", "replace"),
        }

    def _reminder(self, reminder: Reminder) -> dict[str, Any]:
        return {
            "purpose": reminder.purpose,
            **_named(self.installation, reminder.recipient),
            "record_id": reminder.record,
        }


def personal_records(installation: Installation, subject: str) -> PersonalRecords:
    """What is held about one person, as of now; of nobody else.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    person = installation.history.person(subject)
    told = installation.deliveries.about(person.handle) if person else []
    return PersonalRecords(
        installation=installation,
        subject=subject,
        made=installation.clock(),
        person=person,
        answers=installation.history.statuses(subject),
        acts=tuple(list_receipts(installation, subject)),
        told=tuple(told),
        delegations=tuple(installation.representations.delegations(subject)),
        reminders=tuple(installation.history.reminders(subject)),
        of_age=installation.representations.of_age(subject),
    )


def _named(installation: Installation, recipient: str) -> dict[str, str]:
    known = installation.registry.recipients.get(recipient)
    return {"recipient": recipient, "recipient_name": known.name if known else ""}


def _delegation(delegation: Delegation) -> dict[str, Any]:
    """Without the id of the delegate, who is somebody else."""
    ended = delegation.ended
    return {
        "id": delegation.id,
        "label": delegation.label,
        "purposes": list(delegation.purposes),
        "since": rfc3339(delegation.since),
        "until": rfc3339(delegation.until),
        "ended": "" if ended is None else rfc3339(ended),
    }


def _controller(installation: Installation) -> dict[str, str]:
    controller = installation.registry.controller
    return {
        "id": controller.id,
        "name": controller.name,
        "contact": controller.contact,
        "address": controller.address,
        "country": controller.country,
    }


def receipt_entry(receipt: Receipt) -> dict[str, Any]:
    """The receipt as its own file has it, and its private facts in clear."""
    corrected = receipt.correction.id if receipt.correction else ""
    facts = dict(receipt.facts)
    return {**receipt.to_dict(), "facts": facts, "corrected_by": corrected}


def disclosure_entry(installation: Installation, row: DisclosureRow) -> dict[str, Any]:
    """One share, or one that was refused, as the person takes it along."""
    return {
        "id": row.id,
        "time": rfc3339(row.time),
        **_named(installation, row.recipient),
        "purpose": row.purpose,
        "data": list(row.data),
        "shared": has_left(row.reason),
        "reason": row.reason,
        "record_id": row.record,
    }


def notice_entry(notice: Notice) -> dict[str, Any]:
    """What was shown, word for word."""
    html = notice.html.decode()
    return {
        "sha256": notice.digest,
        "language": notice.locale,
        "version": notice.version,
        "html_sha256": notice.html_sha256,
        "html": html,
        # As it was when its own hash was taken, see ``web.visit``.
        "text": Markup(html).striptags(),  # noqa: S704  no page gets this as markup
        "manifest": dict(notice.manifest),
    }
