"""The instance folder: keys stay, passwords change, and nobody else can read either."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING
from typing import Any

from example_app.instance import Addresses
from example_app.instance import prepare
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.signing_in import digest_of

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = Addresses(
    wallet="http://127.0.0.1:1",
    affiliate="http://127.0.0.1:2",
    partner="http://127.0.0.1:3",
)


def config_of(instance: Path, name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((instance / name / "config.json").read_bytes())
    return config


def test_each_process_knows_what_it_needs_and_no_more(tmp_path: Path) -> None:
    prepare(tmp_path, ADDRESSES)
    wallet = config_of(tmp_path, "wallet")
    assert wallet["WALLET_SCORES_URL"] == "http://127.0.0.1:2/scores"
    assert wallet["WALLET_OFFERS_URL"] == "http://127.0.0.1:3/offers/audience"
    scorer, shops = config_of(tmp_path, "affiliate"), config_of(tmp_path, "partner")
    told = wallet["CONSENTKIT_NOTIFY"]
    assert told["acme-credit"]["url"] == "http://127.0.0.1:2/consent-events"
    assert scorer == {
        "RECIPIENT_TOKEN": wallet["WALLET_SCORES_TOKEN"],
        "RECIPIENT_SECRET": told["acme-credit"]["secret"],
    }
    assert shops == {
        "RECIPIENT_TOKEN": wallet["WALLET_OFFERS_TOKEN"],
        "RECIPIENT_SECRET": told["corner-shops"]["secret"],
    }
    assert not scorer.items() & shops.items()


def test_only_the_owner_can_read_the_configurations(tmp_path: Path) -> None:
    prepare(tmp_path, ADDRESSES)
    for name in ("wallet", "affiliate", "partner"):
        file = tmp_path / name / "config.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_start_keeps_the_keys_and_draws_new_passwords(tmp_path: Path) -> None:
    first = prepare(tmp_path, ADDRESSES)
    before = config_of(tmp_path, "wallet")
    second = prepare(tmp_path, ADDRESSES)
    after = config_of(tmp_path, "wallet")
    kept = (
        *("SECRET_KEY", "WALLET_REFERENCE_KEY", "WALLET_SCORES_TOKEN"),
        "CONSENTKIT_NOTIFY",
    )
    assert [before[name] for name in kept] == [after[name] for name in kept]
    assert before["WALLET_AUDITOR_DIGEST"] != after["WALLET_AUDITOR_DIGEST"]
    assert set(first.people) == set(second.people) == {each.email for each in PEOPLE}
    assert first.people != second.people


def test_no_password_is_written_down(tmp_path: Path) -> None:
    signs = prepare(tmp_path, ADDRESSES)
    written = b"".join(
        file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()
    )
    for password in (*signs.people.values(), signs.auditor):
        assert password.encode() not in written
    assert digest_of(signs.auditor).encode() in written
