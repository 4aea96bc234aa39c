"""Form tokens as somebody meets them who would like to make one."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import string
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
import time_machine
from itsdangerous import URLSafeSerializer

from consentkit.errors import InvalidRequestError
from consentkit.service.openings import Opening
from consentkit.web.tokens import Tokens

KEY = secrets.token_bytes(32)
NOTICE = hashlib.sha256(b"a notice").hexdigest()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKENS = Tokens(KEY, lifetime=7200)
NEW = Opening(position=3)


def code_of(token: str, subject: str = "maya", tokens: Tokens = TOKENS) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        tokens.read_answer(token, subject)
    return caught.value.code


def test_a_token_says_which_notice_was_answered() -> None:
    read = TOKENS.read_answer(TOKENS.issue_answer("maya", NOTICE, NEW), "maya")

    assert read.notice == NOTICE
    assert len(bytes.fromhex(read.challenge)) == 32


def test_two_tokens_for_the_same_form_are_two_uses() -> None:
    one, two = (TOKENS.issue_answer("maya", NOTICE, NEW) for _ in range(2))

    assert TOKENS.read_answer(one, "maya") != TOKENS.read_answer(two, "maya")


@pytest.mark.requirement("R45")
def test_a_token_does_not_say_who_the_person_is() -> None:
    body = TOKENS.issue_answer("maya@example.org", NOTICE, NEW).rsplit(".", 2)[0]
    told = URLSafeSerializer("no key is needed to read it").load_payload(body.encode())

    assert set(told) == {"h", "n", "p", "s", "w"}
    assert "maya" not in str(told)


GENUINE = TOKENS.issue_answer("maya", NOTICE, NEW)
BODY, TIME, SIGNATURE = GENUINE.rsplit(".", 2)


def spelt(value: object) -> str:
    data = json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


FORGED = {
    "nothing": "",
    "a word": "token",
    "dots": "...",
    "no signature": f"{BODY}.{TIME}",
    "an empty signature": f"{BODY}.{TIME}.",
    "another body": f"{spelt({'n': 'x', 's': 'y', 'w': NOTICE})}.{TIME}.{SIGNATURE}",
    "another time": f"{BODY}.{'A' + TIME[1:]}.{SIGNATURE}",
    "no time": f"{BODY}.{SIGNATURE}",
    "a byte more": GENUINE + "A",
    "a line break": GENUINE + "\n",
    "a leading dot": "." + GENUINE,
    "twice": GENUINE + GENUINE,
    "overlong": GENUINE + "." + "A" * 5000,
    "overlong in front": "A" * 5000 + "." + GENUINE,
    "a nul": "\x00" + GENUINE,
    "not ASCII": "é" + GENUINE[1:],
    "another key": Tokens(b"k" * 32, lifetime=7200).issue_answer("maya", NOTICE, NEW),
    "a stop button's": TOKENS.issue_stop("maya", "credit-score", "acme-credit"),
    "signed without a time": str(
        URLSafeSerializer(KEY, salt="consentkit/answer@v1").dumps({"w": NOTICE})
    ),
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.requirement("R115")
def test_a_forged_token_is_nothing(name: str) -> None:
    assert code_of(FORGED[name]) == "token-invalid"


@pytest.mark.requirement("R115")
def test_every_changed_character_is_noticed() -> None:
    alphabet = string.ascii_letters + string.digits + "-_."
    for place, old in enumerate(GENUINE):
        for new in {alphabet[(alphabet.index(old) + 7) % len(alphabet)], "."} - {old}:
            forged = GENUINE[:place] + new + GENUINE[place + 1 :]
            try:
                read = TOKENS.read_answer(forged, "maya")
            except InvalidRequestError:
                continue
            # The last character of unpadded base64 has bits that no byte holds: it may
            # be spelt in another way, but is then the same use of the same token.
            assert place == len(GENUINE) - 1
            assert read == TOKENS.read_answer(GENUINE, "maya")


def test_another_spelling_of_a_token_is_not_a_second_use() -> None:
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    read = set()
    for last in alphabet:
        with contextlib.suppress(InvalidRequestError):
            read.add(TOKENS.read_answer(GENUINE[:-1] + last, "maya"))

    assert read == {TOKENS.read_answer(GENUINE, "maya")}


@pytest.mark.requirement("R32", "R115")
def test_a_token_is_good_for_one_person_only() -> None:
    assert code_of(GENUINE, "tom") == "foreign-token"
    assert code_of(GENUINE, "") == "foreign-token"
    assert code_of(GENUINE, "maya ") == "foreign-token"


def test_an_answer_token_stops_nothing() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        TOKENS.read_stop(GENUINE, "maya")

    assert caught.value.code == "token-invalid"


def test_a_token_is_fresh_for_its_lifetime_and_not_a_second_longer() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = TOKENS.issue_answer("maya", NOTICE, NEW)
        clock.shift(timedelta(seconds=7200))
        assert TOKENS.read_answer(token, "maya").notice == NOTICE
        clock.shift(timedelta(seconds=1))
        assert code_of(token) == "token-expired"
        assert TOKENS.notice_of(token, "maya") == NOTICE


def test_a_token_from_the_future_is_not_fresh() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = TOKENS.issue_answer("maya", NOTICE, NEW)
        clock.shift(timedelta(days=-1))
        assert code_of(token) == "token-expired"


def test_an_old_token_of_somebody_else_does_not_even_say_which_notice() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = TOKENS.issue_answer("maya", NOTICE, NEW)
        clock.shift(timedelta(days=1))
        with pytest.raises(InvalidRequestError) as caught:
            TOKENS.notice_of(token, "tom")

    assert caught.value.code == "foreign-token"


def test_a_stop_button_outlives_the_form_beside_it() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = TOKENS.issue_stop("maya", "credit-score", "acme-credit")
        clock.shift(timedelta(days=29))
        read = TOKENS.read_stop(token, "maya")
        assert (read.purpose, read.recipient) == ("credit-score", "acme-credit")
        clock.shift(timedelta(days=2))
        with pytest.raises(InvalidRequestError) as caught:
            TOKENS.read_stop(token, "maya")

    assert caught.value.code == "token-expired"


def test_a_stop_token_names_one_recipient_or_everything() -> None:
    read = TOKENS.read_stop(TOKENS.issue_stop("maya"), "maya")

    assert (read.purpose, read.recipient) == (None, None)
