"""The sentences: what is agreed to, what is said of an answer, what a card claims."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markupsafe import Markup

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Assurance
from consentkit.core.act import Choice
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.purpose import Purpose
from consentkit.core.registry import Question
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import DataItem
from consentkit.web import pages
from consentkit.web import wording
from consentkit.web.locale import Locale
from tests import declared

from . import screens

ENGLISH = screens.ENGLISH
APP = screens.registry()
SHARE = ("credit-score", "acme-credit")
OWN_USE = ("shop-offers", "controller")
ABROAD = ("night-help.cross-border", "night-desk")


def _question(key: tuple[str, str], app: Registry = APP) -> Question:
    question = app.question(*key)
    assert question is not None
    return question


def _changed(purpose: Purpose) -> Registry:
    return declared.registry(purposes=[purpose])


def _text(html: Markup) -> str:
    return html.striptags()


# -- what is agreed to -----------------------------------------------------------------


@pytest.mark.requirement("R25")
@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (
            SHARE,
            (
                "I agree that Wallet Ltd shares my spending history with Acme Credit "
                "Scoring Ltd so that Acme Credit Scoring Ltd works out my credit score."
            ),
        ),
        (
            OWN_USE,
            (
                "I agree that Wallet Ltd uses the city I live in so that it picks shop "
                "offers for me."
            ),
        ),
        (
            ABROAD,
            (
                "I agree that Wallet Ltd sends my messages to the help desk to Night "
                "Desk Inc abroad (United States), for the purpose “Answer your "
                "messages at night”."
            ),
        ),
    ],
)
def test_the_sentence_names_actor_data_recipient_and_purpose(
    key: tuple[str, str], sentence: str
) -> None:
    assert _text(wording.statement(_question(key), ENGLISH)) == sentence


def test_without_an_aim_the_sentence_quotes_the_purpose() -> None:
    app = declared.registry(purposes=[replace(declared.SCORE, aim="")])

    assert _text(wording.statement(_question(SHARE, app), ENGLISH)) == (
        "I agree that Wallet Ltd shares my spending history with Acme Credit Scoring "
        "Ltd for the purpose “Work out your credit score”."
    )


def test_own_use_without_an_aim_quotes_the_purpose() -> None:
    app = _changed(replace(declared.OFFERS, aim=""))

    assert _text(wording.statement(_question(OWN_USE, app), ENGLISH)) == (
        "I agree that Wallet Ltd uses the city I live in for the purpose “Get offers "
        "from shops near you”."
    )


def test_without_a_phrase_the_sentence_quotes_the_data_and_the_button_points() -> None:
    bare = replace(declared.SPENDING, phrase="")
    app = _changed(replace(declared.SCORE, data=[DataItem(bare)]))
    question = _question(SHARE, app)

    assert "shares “Your spending history” with" in _text(
        wording.statement(question, ENGLISH)
    )
    assert wording.accept_label(question, ENGLISH) == "Share this data"


def test_optional_data_is_no_part_of_the_sentence_but_has_its_own_box() -> None:
    question = _question(SHARE)
    city = question.items[1]

    assert "city" not in wording.statement(question, ENGLISH)
    assert _text(wording.also_label(question, city, ENGLISH)) == (
        "Also share the city I live in with Acme Credit Scoring Ltd"
    )


def test_if_all_data_is_optional_the_sentence_speaks_of_what_is_ticked() -> None:
    optional = DataItem(declared.SPENDING, necessary=False)
    question = _question(SHARE, _changed(replace(declared.SCORE, data=[optional])))

    assert "shares the data I tick with" in _text(wording.statement(question, ENGLISH))
    assert wording.accept_label(question, ENGLISH) == "Share this data"


@pytest.mark.requirement("D20")
@pytest.mark.parametrize(
    ("key", "no", "yes"),
    [
        (SHARE, "Don’t share", "Share my spending history"),
        (OWN_USE, "Don’t allow", "Allow use of the city I live in"),
        (ABROAD, "Don’t allow", "Allow sending abroad"),
    ],
)
def test_each_button_names_its_deed(key: tuple[str, str], no: str, yes: str) -> None:
    question = _question(key)

    assert wording.decline_label(question, ENGLISH) == no
    assert _text(wording.accept_label(question, ENGLISH)) == yes


@pytest.mark.requirement("R8")
def test_data_says_what_happens_without_it_even_if_nothing_is_declared() -> None:
    items = [
        DataItem(declared.SPENDING),
        DataItem(declared.CITY, necessary=False),
    ]
    assert wording.item_note(items[0], ENGLISH) == "This purpose needs it."
    assert wording.item_note(items[1], ENGLISH) == (
        "Nothing is done with it if you leave the box empty."
    )


@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("privacy@wallet.example", "mailto:privacy@wallet.example"),
        ("https://wallet.example/privacy?a=1&b=2", None),
        ("javascript:alert(1)", ""),
        ("a@b.example?bcc=c@d.example", ""),
        ("+44 20 7946 0000", ""),
        ("https://wallet.example/ javascript:x", ""),
    ],
)
def test_only_mail_and_web_addresses_become_links(
    contact: str, href: str | None
) -> None:
    html = wording.contact_link(contact)

    assert ("<a href=" in html) == (href != "")
    assert html.striptags() == contact


def test_a_purpose_without_an_end_says_that_stopping_ends_it() -> None:
    endless = replace(declared.SCORE, valid_for=None)

    assert wording.lasting(endless, ENGLISH) == "Your yes lasts until you stop it."
    questions = _changed(endless).questions("credit-score")
    assert pages.ends_today(questions, ENGLISH, now=screens.NOW) is None


# -- an answer told back ---------------------------------------------------------------


def _choice(key: tuple[str, str], state: State) -> Choice:
    grants = state in AUTHORISING
    data = ("spending",) if grants else ()
    until = Millis(screens.NOW + screens.DAY if grants else 0)
    return Choice(*key, data, "0" * 64, state, until)


@pytest.mark.requirement("R31")
@pytest.mark.parametrize(
    ("state", "said", "now"),
    [
        (
            State.GIVEN,
            (
                "You said yes to sharing with Acme Credit Scoring Ltd for “Work out "
                "your credit score”, until 21 November 2026."
            ),
            "Wallet Ltd shares this data when it is needed for that.",
        ),
        (
            State.REFUSED,
            (
                "You said no to sharing with Acme Credit Scoring Ltd for “Work out "
                "your credit score”."
            ),
            "Nothing is shared.",
        ),
        (
            State.WITHDRAWN,
            (
                "You stopped sharing with Acme Credit Scoring Ltd for “Work out your "
                "credit score”."
            ),
            "From now on, nothing more is shared.",
        ),
        (
            None,
            (
                "You gave no answer about sharing with Acme Credit Scoring Ltd for "
                "“Work out your credit score”."
            ),
            "Nothing is shared until you say yes.",
        ),
    ],
)
def test_an_answer_is_told_back_as_it_was_stored(
    state: State | None, said: str, now: str
) -> None:
    choice = _choice(SHARE, state) if state else None
    line = pages.choice_line(choice, SHARE, APP, ENGLISH)

    assert (_text(line.said), _text(line.now)) == (said, now)


@pytest.mark.parametrize("key", [SHARE, OWN_USE, ABROAD])
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("code", ["en", "ar", "de", "zh-Hans"])
def test_every_state_of_every_kind_of_question_has_words(
    key: tuple[str, str], state: State, code: str
) -> None:
    locale = Locale(code)
    line = pages.choice_line(_choice(key, state), key, APP, locale)
    card = pages.card_view(screens.status(state), key, APP, locale, now=screens.NOW)

    assert all(map(_text, (line.said, line.now, card.stands, card.since)))


def test_a_record_of_something_no_longer_declared_shows_its_ids() -> None:
    line = pages.choice_line(
        _choice(("gone", "nobody"), State.GIVEN), ("gone", "nobody"), APP, ENGLISH
    )

    assert (line.matter.purpose, line.matter.recipient) == ("gone", "nobody")
    assert pages.data_titles(["gone", "spending"], APP, ENGLISH) == (
        "gone",
        "Your spending history",
    )


# -- the centre ------------------------------------------------------------------------


def _card(state: State, *, scope: str = "", days: int = 0) -> pages.CardView:
    return pages.card_view(
        screens.status(state, scope=scope),
        SHARE,
        APP,
        ENGLISH,
        now=Millis(screens.NOW + days * screens.DAY),
        stop_token="STOP",  # noqa: S106  no secret
    )


def test_a_yes_that_holds_says_until_when_and_can_be_stopped() -> None:
    card = _card(State.GIVEN, scope=_question(SHARE).scope)

    assert (card.group, _text(card.stands)) == (
        "agreed",
        "Shared until 16 September 2027",
    )
    assert card.stop_token == "STOP"  # noqa: S105  no secret


@pytest.mark.requirement("R87")
def test_a_yes_to_something_that_has_changed_is_not_called_shared() -> None:
    card = _card(State.GIVEN, scope="f" * 64)

    assert (card.group, card.stands) == ("ended", "No longer shared")
    assert "Something has changed" in card.since
    assert card.stop_token, "what is on record can still be stopped"


@pytest.mark.requirement("R86")
def test_a_yes_is_over_from_its_last_instant_on() -> None:
    card = _card(State.GIVEN, scope=_question(SHARE).scope, days=300)

    assert (card.group, card.stop_token) == ("ended", "")
    assert "ended by itself on" in card.since


def test_a_no_has_nothing_to_stop() -> None:
    card = _card(State.REFUSED)

    assert (card.group, card.stands, card.stop_token) == ("declined", "Not shared", "")


def _centre(*cards: pages.CardView) -> pages.CentreView:
    return pages.centre_view(
        cards,
        ENGLISH,
        disclosures=pages.DisclosuresView(rows=()),
        revoke_url="/stop",
        stop_all_token="ALL",  # noqa: S106  no secret
    )


@pytest.mark.requirement("R54")
def test_stopping_all_is_offered_from_two_on() -> None:
    one = screens.card(APP)

    assert _centre().stop_all_token == ""
    assert _centre(one).stop_all_token == ""
    assert _centre(one, one).stop_all_token == "ALL"  # noqa: S105  no secret


def test_the_centre_names_those_who_get_data_and_says_so_if_nobody_does() -> None:
    assert _text(_centre().summary) == "You share data with nobody."
    assert _text(_centre(screens.card(APP)).summary) == (
        "You share data with 1 organisation: Acme Credit Scoring Ltd."
    )
    html = screens.render("centre.html", _centre(), ENGLISH, screens.site(APP, ENGLISH))
    for empty in ("You have agreed to nothing.", "No share of your data stands here."):
        assert empty in html


@pytest.mark.requirement("R77")
@pytest.mark.parametrize("reason", Reason)
def test_every_refused_attempt_says_why(reason: Reason) -> None:
    row = pages.disclosure_row(
        registry=APP,
        locale=ENGLISH,
        time=screens.NOW,
        purpose="credit-score",
        recipient="acme-credit",
        data=["spending"],
        reason=reason,
    )

    assert row.refused == (reason is not Reason.GRANTED)
    assert row.outcome.startswith("Refused: " if row.refused else "Shared.")
    assert (row.recipient, row.data) == (
        "Acme Credit Scoring Ltd",
        ("Your spending history",),
    )


@pytest.mark.parametrize("assurance", Assurance)
def test_a_receipt_says_how_the_person_was_known(assurance: Assurance) -> None:
    assert str(pages.assurance_text(assurance, ENGLISH)).endswith(".")
