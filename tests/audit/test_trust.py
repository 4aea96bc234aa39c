"""Keys come from outside, and their names say what they may sign."""

from __future__ import annotations

import pytest

from consentkit.audit.trust import Trust
from consentkit.audit.trust import is_collector_name
from consentkit.audit.verify import verify_log
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer

from .builder import MemorySource
from .builder import published

LOG = Ed25519Signer.from_seed("logs.example/one", b"1" * 32)
NEXT = Ed25519Signer.from_seed("logs.example/one", b"2" * 32)
COLLECTOR = Ed25519Signer.from_seed("logs.example/one/collector/a", b"3" * 32)
OTHER = Ed25519Signer.from_seed("logs.example/two", b"4" * 32)
STRANGER = Ed25519Signer.from_seed("logs.example/two/collector/a", b"5" * 32)
WITNESS = Ed25519Signer.from_seed(
    "logs.example/one", b"6" * 32, algorithm=Algorithm.COSIGNATURE_V1
)


def test_keys_are_sorted_by_what_their_names_say() -> None:
    trust = Trust.of([COLLECTOR.vkey, LOG.vkey, NEXT.vkey, LOG.vkey])

    assert trust.origin == "logs.example/one"
    assert trust.log == (LOG.verifier, NEXT.verifier)
    assert trust.collectors == (COLLECTOR.verifier,)


def test_the_list_of_keys_can_be_given_as_it_was_printed() -> None:
    keys = [COLLECTOR.vkey, LOG.vkey]
    assert Trust.of("\n".join(keys) + "\n") == Trust.of(keys)
    with pytest.raises(MalformedError):
        Trust.of("no key\n")


UNUSABLE = {
    "none": [],
    "a collector's alone": [COLLECTOR.vkey],
    "two logs": [LOG.vkey, OTHER.vkey],
    "another log's collector": [LOG.vkey, STRANGER.vkey],
    "a witness": [WITNESS.vkey],
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_keys_that_do_not_go_together_are_refused(case: str) -> None:
    with pytest.raises(ConfigurationError, match="key"):
        Trust.of(UNUSABLE[case])


def test_a_collectors_key_alone_is_not_called_none() -> None:
    with pytest.raises(ConfigurationError, match="the log's own key is needed"):
        Trust.of([COLLECTOR.vkey])


def test_what_was_given_in_place_of_one_logs_key_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"exactly one log, got none$"):
        Trust.of([])
    both = r"got those of logs\.example/one, logs\.example/two$"
    with pytest.raises(ConfigurationError, match=both):
        Trust.of([OTHER.vkey, LOG.vkey])


def test_a_collector_has_a_name_of_its_own() -> None:
    assert is_collector_name("logs.example/one/collector/a", origin="logs.example/one")
    for name in ("logs.example/one/collector/", "logs.example/one/collector"):
        assert not is_collector_name(name, origin="logs.example/one")


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(MalformedError):
        Trust.of(["logs.example/one"])


@pytest.mark.requirement("R97")
def test_a_stolen_collector_key_cannot_pass_for_the_key_of_a_log() -> None:
    files = published([b"entry"], COLLECTOR)
    trust = Trust.of([LOG.vkey, COLLECTOR.vkey])

    with pytest.raises(UnknownKeyError):
        verify_log(MemorySource(files), trust=trust)


@pytest.mark.requirement("R97")
@pytest.mark.parametrize("signer", [LOG, NEXT])
def test_while_the_log_key_changes_either_key_opens_the_log(
    signer: Ed25519Signer,
) -> None:
    trust = Trust.of([LOG.vkey, NEXT.vkey])

    assert verify_log(MemorySource(published([], signer)), trust=trust).size == 0
