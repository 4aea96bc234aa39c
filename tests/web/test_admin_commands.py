"""What officials do from a shell, and what the persons concerned see of it."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime

import pytest
from click.testing import Result
from flask.testing import FlaskClient

from consentkit.errors import InvalidRequestError
from consentkit.service.administering import Official
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host

BY = ("--by", "dpo@wallet.example", "--reason", "the box was ticked")


def run(shop: Host, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=["consent", *arguments])


def agree(shop: Host, *subjects: str) -> None:
    for subject in subjects:
        answer(shop.client(subject), "credit-score", {"acme-credit": "given"})


def notice_of(shop: Host) -> str:
    ((digest,),) = shop.sql("SELECT DISTINCT notice FROM consent_state")
    return str(digest)


@pytest.mark.requirement("R101")
def test_a_bad_notice_is_counted_first_and_then_invalidated(shop: Host) -> None:
    agree(shop, MAYA, TOM)
    which = ("invalidate", "--notice", notice_of(shop), *BY)

    dry = run(shop, *which, "--dry-run")
    assert dry.output == "would be invalidated: 2 grants of 2 persons\n"
    assert shop.allows(MAYA)

    done = run(shop, *which)
    assert done.exit_code == 0
    assert done.output.startswith("invalidated: 2 grants of 2 persons\nact: ")
    assert shop.grants() == []
    again = run(shop, *which, "--json")
    assert json.loads(again.output)["persons"] == 0


@pytest.mark.requirement("R101")
def test_the_report_names_who_got_data(shop: Host) -> None:
    agree(shop, MAYA)
    shop.client(MAYA).get("/score")
    which = ("invalidate", "--notice", notice_of(shop), *BY)
    told = json.loads(run(shop, *which, "--json").output)
    assert told["shares"] == [{"recipient": "acme-credit", "shares": 1, "persons": 1}]
    assert "already shared with acme-credit: 1 times" in run(shop, *which).output


@pytest.mark.requirement("R101")
def test_the_person_reads_in_plain_words_that_a_yes_was_cancelled(
    shop: Host, maya: FlaskClient
) -> None:
    agree(shop, MAYA)
    run(shop, "invalidate", "--notice", notice_of(shop), *BY)
    page = maya.get("/consent/").text
    assert "we cancelled your yes. The question you saw was not good enough." in page
    assert "No longer shared" in page


@pytest.mark.requirement("R93")
def test_the_person_sees_what_was_corrected(shop: Host, maya: FlaskClient) -> None:
    agree(shop, MAYA)
    ((wrong,),) = shop.sql("SELECT record FROM consent_state")
    done = run(shop, "correct", MAYA, wrong, "--said", "credit-score/acme-credit=", *BY)
    assert done.output.startswith("corrected: credit-score/acme-credit\nact: ")
    new = done.output.split()[-1]

    assert "What we had stored before was a mistake." in maya.get("/consent/").text
    page = maya.get(f"/consent/receipts/{wrong}").text
    assert "Something here was a mistake. We corrected it on" in page
    assert f"/consent/receipts/{new}" in page
    assert "mistake" not in maya.get(f"/consent/receipts/{new}").text
    again = run(shop, "correct", MAYA, wrong, *BY)
    assert again.output == "nothing of that act stands any more\n"


@pytest.mark.requirement("R93")
def test_the_centre_opens_even_if_the_private_facts_do_not(
    shop: Host, maya: FlaskClient
) -> None:
    agree(shop, MAYA)
    ((wrong,),) = shop.sql("SELECT record FROM consent_state")
    run(shop, "correct", MAYA, wrong, *BY)
    shop.sql("UPDATE consent_subject SET data_key = x'00'")
    page = maya.get("/consent/")
    assert page.status_code == 200
    assert "No longer shared" in page.text


@pytest.mark.requirement("R66")
def test_suspending_stops_and_resuming_brings_back(shop: Host) -> None:
    agree(shop, MAYA)
    which = ("--purpose", "credit-score", *BY)
    assert run(shop, "suspend", *which).output == "suspended: credit-score/*\n"
    assert not shop.allows(MAYA)
    assert "suspended already" in run(shop, "suspend", *which).output
    assert run(shop, "resume", *which).output == "resumed: credit-score/*\n"
    assert shop.allows(MAYA)
    assert "not suspended in these words" in run(shop, "resume", *which).output
    assert run(shop, "suspend", "--all", *BY).output == "suspended: */*\n"
    assert not shop.allows(MAYA)


@pytest.mark.requirement("R102")
def test_the_acts_are_listed_with_who_for_whom_and_why(shop: Host) -> None:
    run(shop, "suspend", "--all", "--by", "Zoë", "--reason", "two\nlines\x1b[2J")
    run(shop, "resume", "--all", *BY, "--affiliation", "Wallet Ltd")
    first, second = run(shop, "acts").output.splitlines()
    assert first.split("\t")[1:] == [
        *("suspend", "*/*", "Zoë", "wallet"),
        r"two\nlines\u001b[2J",
    ]
    assert second.split("\t")[1:] == [
        *("resume", "*/*", "dpo@wallet.example", "Wallet Ltd", "the box was ticked")
    ]
    listed = json.loads(run(shop, "acts", "--json").output)
    assert [each["person"] for each in listed] == ["Zoë", "dpo@wallet.example"]


STEERING = {
    "right to left": "\u202e",
    "an isolate": "\u2066",
    "the end of one": "\u2069",
    "a mark of direction": "\u200f",
    "an Arabic mark": "\u061c",
    "no width": "\u200b",
    "a line of its own": "\u2028",
    "an 8-bit escape": "\x9b",
    "delete": "\x7f",
    "a tab": "\t",
    "an unseen letter": "\U000e0041",
}


@pytest.mark.requirement("R102")
@pytest.mark.parametrize("case", STEERING)
def test_what_an_official_typed_does_not_steer_the_terminal(
    shop: Host, case: str
) -> None:
    typed = f"Zoë{STEERING[case]}ordered it"
    run(shop, "suspend", "--all", "--by", typed, "--reason", typed)

    (line,) = run(shop, "acts").output.rstrip("\n").split("\n")

    *_, person, _, reason = line.split("\t")
    assert STEERING[case] not in person + reason
    assert person == reason
    assert json.loads(f'"{person}"') == typed
    (listed,) = json.loads(run(shop, "acts", "--json").output)
    assert listed["person"] == typed


@pytest.mark.requirement("R102")
@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("DELETE FROM consent_evidence WHERE handle = ''", "not there any more"),
        ("UPDATE consent_evidence SET sealed = zeroblob(99)", "sealed under this key"),
    ],
)
def test_an_act_whose_private_part_is_lost_is_listed_all_the_same(
    shop: Host, damage: str, fault: str
) -> None:
    run(shop, "suspend", "--all", *BY)
    shop.sql(damage)
    done = run(shop, "acts")
    assert done.exit_code == 0
    assert "suspend\t*/*\t\t\t\t" in done.output
    assert fault in done.output


WRONG_USE = {
    "nobody answers for it": ("suspend", "--all"),
    "a blank name": ("suspend", "--all", "--by", " ", "--reason", "x"),
    "no words": ("suspend", *BY),
    "all and a purpose": ("resume", "--all", "--purpose", "credit-score", *BY),
    "a purpose that is none": ("suspend", "--purpose", "score", *BY),
    "no selection": ("invalidate", *BY),
    "a time without a zone": ("invalidate", "--until", "2026-01-01T00:00:00", *BY),
    "no time": ("invalidate", "--until", "yesterday", *BY),
    "no statement": ("correct", "x", "y", "--said", "credit-score", *BY),
    "no act": ("correct", "x", "y", *BY),
}


@pytest.mark.requirement("R66")
@pytest.mark.parametrize("arguments", WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_changes_nothing_and_shows_no_traceback(
    shop: Host, arguments: tuple[str, ...]
) -> None:
    before = shop.sql("SELECT count(*) FROM consent_leaf")
    done = run(shop, *arguments)
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert shop.sql("SELECT count(*) FROM consent_leaf") == before


# The same as calls


@pytest.mark.requirement("R66")
@pytest.mark.requirement("R93")
@pytest.mark.requirement("R101")
def test_the_calls_take_declared_values_and_text(shop: Host) -> None:
    agree(shop, MAYA, TOM)
    consent, who = shop.consent, Official("dpo@wallet.example", "the box was ticked")
    score = consent.registry.purposes["credit-score"]
    with shop.app.app_context():
        assert consent.suspend(
            score, recipient=score.recipients[0], by=who.person, reason=who.reason
        )
        assert not shop.allows(TOM)
        by = Official("tom", "all is well", "Ministry")
        assert consent.resume(score, recipient="acme-credit", by=by)
        (mistake,) = consent.history(TOM)
        assert consent.correct(TOM, wrong=mistake.leaf.id, by=who).corrected
        newest, oldest = consent.history(TOM)
        assert oldest.correction == newest.leaf
        until = datetime.now(UTC)
        assert consent.invalidate(until=until, purpose=score, by=who).persons == 1
        actions = [each.action for each in consent.administrative_acts()]
        assert actions == ["suspend", "resume", "correct", "invalidate"]
    assert shop.grants() == []


@pytest.mark.requirement("R66")
def test_nobody_lifts_a_suspension_without_answering_for_it(shop: Host) -> None:
    with shop.app.app_context():
        shop.consent.suspend("credit-score", by="dpo", reason="the ministry asked")
        for by, reason in (("", "why"), ("who", "")):
            with pytest.raises(InvalidRequestError, match="behind an administrative"):
                shop.consent.resume("credit-score", by=by, reason=reason)
        with pytest.raises(InvalidRequestError, match="brings its own"):
            shop.consent.resume("credit-score", by=Official("a", "b"), reason="c")
    agree(shop, MAYA)
    assert not shop.allows(MAYA)


def test_a_time_without_a_zone_is_refused(shop: Host) -> None:
    naive = datetime.now(UTC).replace(tzinfo=None)
    with shop.app.app_context(), pytest.raises(InvalidRequestError, match="its zone"):
        shop.consent.invalidate(until=naive, by="dpo", reason="x")
