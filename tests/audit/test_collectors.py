"""Keys are valid by index: what the log says of them decides, and only once."""

from __future__ import annotations

import pytest

from consentkit.audit.collectors import Collectors
from consentkit.audit.trust import Trust
from consentkit.errors import UnknownKeyError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.note import sign_note
from consentkit.log.note import split_note

ORIGIN = "wallet.example/consent/2026"
LOG = Ed25519Signer.generate(ORIGIN)
A1, A2, IMPOSTOR = (
    Ed25519Signer.generate(f"{ORIGIN}/collector/{name}") for name in ("a1", "a2", "a1")
)


def said(
    signer: Ed25519Signer, first: int, until: int | None = None, role: str = "collector"
) -> dict[str, object]:
    end = {} if until is None else {"until": until}
    return {"role": role, "vkey": signer.vkey, "from": first, **end}


@pytest.fixture
def collectors() -> Collectors:
    """A log whose first key is a1, and which registered a2 at entry 5."""
    found = Collectors(Trust.of([LOG.vkey]))
    common = {"id": "0" * 32, "kind": "key", "log": ORIGIN, "time": 1}
    found.register_first(read_leaf(sign_leaf({**common, **said(A1, 0)}, A1)))
    assert list(found.register(5, said(A2, 6))) == []
    return found


def names(collectors: Collectors, index: int) -> list[str]:
    return [each.name.rpartition("/")[2] for each in collectors.at(index)]


@pytest.mark.requirement("R97")
def test_both_keys_sign_until_the_old_one_ends(collectors: Collectors) -> None:
    assert names(collectors, 5) == ["a1"]
    assert names(collectors, 6) == ["a1", "a2"]
    assert list(collectors.register(9, said(A1, 0, until=9))) == []
    assert names(collectors, 8) == ["a1", "a2"]
    assert names(collectors, 9) == ["a2"]


@pytest.mark.requirement("R97")
def test_a_key_that_has_ended_never_comes_back(collectors: Collectors) -> None:
    assert list(collectors.register(9, said(A1, 0, until=9))) == []
    for again in (said(A1, 0), said(A1, 0, until=99), said(IMPOSTOR, 10)):
        (what,) = collectors.register(10, again)
        assert "never comes back" in what or "a new key needs a new name" in what
        assert names(collectors, 10) == ["a2"]


def test_an_end_still_ahead_may_be_moved(collectors: Collectors) -> None:
    assert list(collectors.register(7, said(A1, 0, until=20))) == []
    assert list(collectors.register(8, said(A1, 0, until=12))) == []
    assert names(collectors, 11) == ["a1", "a2"]
    assert names(collectors, 12) == ["a2"]


@pytest.mark.requirement("R97")
def test_no_key_is_made_valid_for_entries_that_are_there(
    collectors: Collectors,
) -> None:
    (what,) = collectors.register(
        9, said(Ed25519Signer.generate(f"{ORIGIN}/collector/a3"), 2)
    )
    assert "before the entry that says so" in what
    assert "a3" not in names(collectors, 8)


def test_a_range_that_ends_before_what_it_signed_is_told(
    collectors: Collectors,
) -> None:
    collectors.used([(A1.verifier, b"")], 8)
    (what,) = collectors.register(9, said(A1, 0, until=8))
    assert "signed entries up to 8" in what


def test_the_keys_of_a_log_and_of_partners_sign_no_entry(
    collectors: Collectors,
) -> None:
    partner = Ed25519Signer.generate("partner.example")
    assert list(collectors.register(7, said(LOG, 8, role="log"))) == []
    assert list(collectors.register(8, said(partner, 9, role="partner"))) == []
    assert names(collectors, 20) == ["a1", "a2"]


@pytest.mark.requirement("R97")
def test_a_key_registered_with_an_end_signs_up_to_it(collectors: Collectors) -> None:
    third = Ed25519Signer.generate(f"{ORIGIN}/collector/a3")
    assert list(collectors.register(7, said(third, 8, until=10))) == []
    assert names(collectors, 9) == ["a1", "a2", "a3"]
    assert names(collectors, 10) == ["a1", "a2"]


@pytest.mark.requirement("R97")
def test_another_key_of_the_same_name_and_beginning_takes_nothing_over(
    collectors: Collectors,
) -> None:
    for claim in (said(IMPOSTOR, 0, until=7), said(A1, 6, until=7)):
        (what,) = collectors.register(7, claim)
        assert "a new key needs a new name" in what
        assert names(collectors, 8) == ["a1", "a2"]


@pytest.mark.requirement("R97")
def test_an_end_cannot_be_moved_by_the_entry_at_which_the_key_ended(
    collectors: Collectors,
) -> None:
    assert list(collectors.register(8, said(A1, 0, until=9))) == []
    (what,) = collectors.register(9, said(A1, 0, until=99))
    assert "never comes back" in what
    assert names(collectors, 9) == ["a2"]


def test_of_very_many_keys_few_are_named(collectors: Collectors) -> None:
    for number in range(30):
        key = Ed25519Signer.generate(f"{ORIGIN}/collector/b{number}")
        assert list(collectors.register(7, said(key, 8))) == []
    note = split_note(sign_note(b"text\n", Ed25519Signer.generate("nobody.example")))

    with pytest.raises(UnknownKeyError) as caught:
        collectors.lines(9, note)

    assert str(caught.value).count("/collector/") == 16
    assert "nobody.example" in str(caught.value)
