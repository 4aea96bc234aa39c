"""Changing the keys of a log: the old and the new one overlap, then the old one ends.

Each step is a ``key`` leaf, signed by a collector key in force, and an ``admin`` leaf
that commits to who did it and why. A key is valid by index: what the old one signed
stays good for ever, and what it signs after its last index never is (EVIDENCE-LOG 2.5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import MalformedError
from consentkit.service import key_texts
from consentkit.service.administering import record_admin_act
from consentkit.service.keyring import FIRST_COLLECTOR
from consentkit.service.keyring import LOG_FILE
from consentkit.service.keyring import SECRET
from consentkit.service.keyring import folder_of
from consentkit.service.log_names import check_log_name
from consentkit.service.recording import sign_plain_leaf
from consentkit.service.signers import NamedSigner
from consentkit.store.keys import COLLECTOR
from consentkit.store.keys import LOG
from consentkit.store.keys import KeyRange
from consentkit.store.keys import public_half

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consentkit.core.canonical import JSON
    from consentkit.log.keys import Signer
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.service.signers import KeySource
    from consentkit.store.ledger import Transaction

__all__ = ["KeyReport", "list_keys", "make_key_files", "retire_key", "rotate_key"]

_NUMBERED = re.compile(r"a([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class KeyReport:
    """A key that the log registered, and whether its private half is here."""

    range: KeyRange
    is_here: bool


def make_key_files(folder: Path, *, successor: str = "") -> list[Path]:
    """Make the three keys of a new log, fit for production; the files made.

    The ``successor`` of a log gets two, in a folder of its own: the secret stays. What
    is there already is left as it is.

    Raises:
        ConfigurationError: the folder cannot be made or written, or no log may be
            called so.
    """
    makers = {
        f"collector-{FIRST_COLLECTOR}.pem": key_texts.new_pem,
        LOG_FILE: key_texts.new_pem,
    }
    if successor:
        _check_successor(successor)
        folder = folder_of(folder, successor)
    else:
        makers[SECRET] = key_texts.new_secret
    return [
        folder / name
        for name, make in makers.items()
        if key_texts.create_file(folder / name, make())
    ]


def _check_successor(successor: str) -> None:
    try:
        check_log_name(successor)
    except MalformedError as error:
        raise ConfigurationError(
            f"--successor cannot be the name of a log ({error}); got {successor!r:.80}"
        ) from error


def list_keys(installation: Installation) -> list[KeyReport]:
    """Every key of the log, retired ones too: log keys first, oldest first.

    Raises:
        ConfigurationError: a key file is open to others, or holds no key.
        LogUnavailableError: the database cannot be reached.
    """
    ranges = installation.keys.ranges()
    return [
        KeyReport(each, is_here=installation.keyring.holds(each))
        for role in (LOG, COLLECTOR)
        for each in ranges
        if each.role == role
    ]


def rotate_key(
    installation: Installation,
    role: str,
    *,
    by: Official,
    source: KeySource | None = None,
) -> KeyRange:
    """Register a further key in that role, valid from the next entry on.

    The key is the one at ``source``, or else a new file in the key folder. Processes
    that hold the old key go on with it until it is retired.

    Raises:
        ConfigurationError: the key cannot be opened or made, or the log has it already.
        LogConflictError: this process's own collector key may not sign any more.
        LogUnavailableError: the database cannot be written.
    """
    with installation.ledger.write_alone() as transaction:
        known = transaction.key_ranges()
        signer = _new_signer(installation, role, known, source)
        if public_half(signer.vkey) in {public_half(each.vkey) for each in known}:
            raise ConfigurationError(
                "expected a new key; the one given is registered already, and a key "
                "is never used twice"
            )
        new = KeyRange(signer.vkey, role, transaction.next_index() + 1)
        _register(installation, transaction, new, action="rotate-key", by=by)
    return new


def retire_key(installation: Installation, name: str, *, by: Official) -> KeyRange:
    """End a key: it signs nothing from the entry on that says so.

    ``name`` is a collector's (``a1``), or the key's id, eight hex digits.

    Raises:
        InvalidRequestError: no key in use has that name, or it is the last in its role.
        ConfigurationError: this process itself signs with it.
        LogUnavailableError: the database cannot be written.
    """
    with installation.ledger.write_alone() as transaction:
        in_use = [each for each in transaction.key_ranges() if each.signs_on]
        key = _find(in_use, name)
        if sum(each.role == key.role for each in in_use) == 1:
            raise InvalidRequestError(
                f"{name} is the only {key.role} key in use: rotate first, and a log "
                "never is without one",
                code="last-key",
            )
        if installation.keyring.collector.vkey == key.vkey:
            raise ConfigurationError(
                f"this process signs with {name} itself: expected the new key in "
                "CONSENTKIT_KEY_FOLDER, or named by CONSENTKIT_COLLECTOR_KEY"
            )
        ended = replace(key, until=transaction.next_index())
        _register(installation, transaction, ended, action="retire-key", by=by)
    return ended


def _register(
    installation: Installation,
    transaction: Transaction,
    key: KeyRange,
    *,
    action: str,
    by: Official,
) -> None:
    """The leaf that says from and until when a key signs, and who answers for it."""
    now = installation.clock()
    fields: dict[str, JSON] = {"role": key.role, "vkey": key.vkey, "from": key.first}
    if key.until is not None:
        fields["until"] = key.until
    transaction.append(sign_plain_leaf(installation, Kind.KEY, fields, now=now))
    record_admin_act(
        installation,
        transaction,
        action=action,
        target=f"{key.name}+{key.id}",
        by=by,
        now=now,
    )
    transaction.take_places()


def _new_signer(
    installation: Installation,
    role: str,
    known: Sequence[KeyRange],
    source: KeySource | None,
) -> Signer:
    origin, folder = installation.origin, installation.keyring.own_folder
    name = origin if role == LOG else f"{origin}/collector/{_next_name(known)}"
    if source is not None:
        return NamedSigner(name, source.key)
    if role == COLLECTOR:
        path = folder / f"collector-{_next_name(known)}.pem"
        key_texts.create_file(path, key_texts.new_pem())  # or one never registered
        text = key_texts.KeyFile(path, str(path)).read()
        return NamedSigner(name, key_texts.open_key(text, label=str(path)))
    pem = key_texts.new_pem()
    signer = NamedSigner(name, key_texts.open_key(pem, label="a new key"))
    key_texts.create_file(folder / f"log-{signer.key_id.hex()}.pem", pem)
    return signer


def _next_name(known: Sequence[KeyRange]) -> str:
    """The name after the highest that any collector ever had."""
    names = (each.name.rpartition("/")[2] for each in known if each.role == COLLECTOR)
    numbers = [int(found[1]) for found in map(_NUMBERED.fullmatch, names) if found]
    return f"a{max(numbers, default=0) + 1}"


def _find(keys: Sequence[KeyRange], name: str) -> KeyRange:
    """The key of that name or id; more than one is as good as none."""
    prefix = f"/collector/{name}"
    found = [each for each in keys if name == each.id or each.name.endswith(prefix)]
    if len(found) != 1:
        names = ", ".join(f"{each.role} {_short(each)}" for each in keys)
        raise InvalidRequestError(
            f"expected the name or id of a key in use: {names}; got {name!r:.80}",
            code="unknown-key",
        )
    return found[0]


def _short(key: KeyRange) -> str:
    return key.id if key.role == LOG else key.name.rpartition("/")[2]
