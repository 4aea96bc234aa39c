"""The instance folder: who may sign in, and what each process has to know.

Each process has a folder of its own with a ``config.json`` that only its owner can
read. Keys are drawn once and kept; passwords are drawn at each start and kept nowhere
but as hashes.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

from sqlalchemy import create_engine

from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.seeding import seed
from example_app.wallet.seeding import set_passwords
from example_app.wallet.signing_in import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Addresses", "SignIns", "earlier_logs", "give_keys", "prepare"]

_KEYS = ("SECRET_KEY", "WALLET_REFERENCE_KEY")
_TOKENS = {"affiliate": "WALLET_SCORES_TOKEN", "partner": "WALLET_OFFERS_TOKEN"}
_RECIPIENTS = {"affiliate": "acme-credit", "partner": "corner-shops"}
_WORDS = (
    *("amber", "birch", "cedar", "coral", "ember", "fjord", "harbour", "heron"),
    *("indigo", "juniper", "lantern", "linen", "maple", "meadow", "opal", "otter"),
    *("pepper", "pine", "quartz", "river", "saffron", "slate", "tide", "willow"),
)


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the three processes listen."""

    wallet: str
    affiliate: str
    partner: str


@dataclass(frozen=True)
class SignIns:
    """The passwords of this start: people by their address, and the auditor."""

    people: Mapping[str, str]
    auditor: str


def prepare(instance: Path, addresses: Addresses) -> SignIns:
    """Write the three configurations, seed people and payments, set new passwords."""
    people = {each.email: _passphrase() for each in PEOPLE}
    signs = SignIns(people, secrets.token_hex(16))
    folder = instance / "wallet"
    known = _read(folder)
    wallet: dict[str, Any] = {
        **{name: known.get(name) or secrets.token_hex() for name in _KEYS},
        **{name: known.get(name) or secrets.token_hex() for name in _TOKENS.values()},
        "WALLET_AUDITOR_DIGEST": digest_of(signs.auditor),
        "WALLET_SCORES_URL": f"{addresses.affiliate}/scores",
        "WALLET_OFFERS_URL": f"{addresses.partner}/offers/audience",
        "CONSENTKIT_NOTIFY": _notify(known, addresses),
        "CONSENTKIT_NOTIFY_INTERNAL": True,  # all three live on this machine
    }
    _write(folder, wallet)
    for name, token in _TOKENS.items():
        secret = wallet["CONSENTKIT_NOTIFY"][_RECIPIENTS[name]]["secret"]
        _write(
            instance / name,
            {"RECIPIENT_TOKEN": wallet[token], "RECIPIENT_SECRET": secret},
        )
    engine = create_engine(f"sqlite:///{folder / 'wallet.db'}")
    seed(engine, until=datetime.now(UTC).date())
    set_passwords(engine, signs.people)
    engine.dispose()
    return signs


def give_keys(instance: Path, vkeys: Sequence[str]) -> None:
    """Tell the affiliate the keys of the wallet's log, as a contract would."""
    folder = instance / "affiliate"
    _write(folder, {**_read(folder), "RECIPIENT_LOG_KEYS": list(vkeys)})


def earlier_logs(folder: Path) -> list[Path]:
    """The files of the logs that the one in ``folder`` continues, the newest first."""
    ended = [each for each in folder.parent.glob("*/checkpoint") if each.is_file()]
    ended.sort(key=lambda each: each.stat().st_mtime_ns, reverse=True)
    return [each.parent for each in ended if each.parent != folder]


def _notify(
    known: Mapping[str, Any], addresses: Addresses
) -> dict[str, dict[str, str]]:
    """Where each recipient is told that a consent has ended, and the shared secret."""
    before = known.get("CONSENTKIT_NOTIFY", {})
    return {
        recipient: {
            "url": f"{getattr(addresses, name)}/consent-events",
            "secret": before.get(recipient, {}).get("secret") or _secret(),
        }
        for name, recipient in _RECIPIENTS.items()
    }


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _passphrase() -> str:
    """Easy to type, hard to guess: 24 * 23 * 22 * 9000 are about 2**26 phrases."""
    words = secrets.SystemRandom().sample(_WORDS, 3)
    return f"{'-'.join(words)}-{1000 + secrets.randbelow(9000)}"


def _read(folder: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError:
        return {}
    return known


def _write(folder: Path, config: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps(config, indent=2, sort_keys=True)
    # Made unreadable to others before the first byte of a key is in it.
    new = folder / "config.json.new"
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    new.replace(folder / "config.json")
