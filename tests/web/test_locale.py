from __future__ import annotations

from datetime import timedelta

import flask_babel  # type: ignore[import-untyped]  # no stubs exist
import pytest
from flask import Flask
from markupsafe import Markup

from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError
from consentkit.web.locale import Locale
from consentkit.web.locale import available_locales
from consentkit.web.locale import check_spoken
from consentkit.web.locale import choose_locale
from consentkit.web.locale import negotiate

NOON = 1_795_176_000_000  # 20 November 2026, 12:00 UTC
OFFERED = ("en", "ar", "de", "zh-Hans")
OFFERED_BY_US = ("en", "ar", "de", "es", "fr", "hi", "zh-Hans")


@pytest.fixture
def app() -> Flask:
    return Flask(__name__)


# -- which language --------------------------------------------------------------------


@pytest.mark.requirement("R114")
def test_english_and_six_translations_are_there() -> None:
    assert available_locales() == OFFERED_BY_US


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["de"], "de"),
        (["DE-at"], "de"),
        (["zh-CN"], "zh-Hans"),
        (["zh_Hans_CN"], "zh-Hans"),
        (["zh"], "zh-Hans"),
        (["ar-EG"], "ar"),
        (["en-US"], "en"),
        (["fr", "de"], "de"),
        (["fr"], None),
        (["not a language", "de"], "de"),
        ([""], None),
        ([], None),
    ],
)
def test_a_wish_finds_the_language_that_meets_it(
    wanted: list[str], found: str | None
) -> None:
    assert negotiate(wanted, OFFERED) == found


def test_a_script_that_is_offered_wins_over_another_of_the_same_language() -> None:
    assert negotiate(["zh-TW"], ["zh-Hans", "zh-Hant"]) == "zh-Hant"


def test_the_hosts_selector_decides_before_the_browser(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "ar"}):
        assert choose_locale(offered=OFFERED, default="en", selector="de").code == "de"
        chosen = choose_locale(offered=OFFERED, default="en", selector=lambda: "zh-CN")
        assert chosen.code == "zh-Hans"


def test_a_selector_without_an_opinion_leaves_it_to_the_browser(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "ar"}):
        chosen = choose_locale(offered=OFFERED, default="en", selector=lambda: None)
    assert chosen.code == "ar"


def test_the_hosts_flask_babel_decides_before_the_browser(app: Flask) -> None:
    flask_babel.Babel(app, locale_selector=lambda: "de")
    with app.test_request_context(headers={"Accept-Language": "ar"}):
        assert choose_locale(offered=OFFERED, default="en").code == "de"


def test_the_browser_is_asked_in_its_order_of_preference(app: Flask) -> None:
    accept = {"Accept-Language": "fr;q=0.9, ar;q=0, de;q=0.3"}
    with app.test_request_context(headers=accept):
        assert choose_locale(offered=OFFERED, default="en").code == "de"


def test_a_browser_that_takes_anything_gets_the_default(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "*"}):
        assert choose_locale(offered=OFFERED, default="de") == Locale("de")
    with app.test_request_context():
        assert choose_locale(offered=OFFERED, default="de") == Locale("de")


@pytest.mark.requirement("R113")
def test_a_language_that_is_not_there_is_named_in_its_own_words(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "fr-FR"}):
        chosen = choose_locale(offered=OFFERED, default="en")
    assert chosen.code == "en"
    assert chosen.fallback_from == "français (France)"


def test_a_host_in_a_language_we_lack_is_not_given_a_third_one(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        chosen = choose_locale(offered=OFFERED, default="en", selector="fr")
    assert (chosen.code, chosen.fallback_from) == ("en", "français")


def test_a_wish_that_is_no_language_is_repeated_as_it_came(app: Flask) -> None:
    with app.test_request_context():
        chosen = choose_locale(offered=OFFERED, default="en", selector="<xx>")
    assert chosen.fallback_from == "<xx>"
    assert "&lt;xx&gt;" in chosen.text("{language}", language=chosen.fallback_from)


# -- how it writes things --------------------------------------------------------------


@pytest.mark.requirement("R114")
def test_arabic_runs_from_right_to_left_and_the_others_do_not() -> None:
    from_right = [c for c in OFFERED_BY_US if Locale(c).direction == "rtl"]
    assert from_right == ["ar"]


def test_each_language_names_itself() -> None:
    assert [Locale(code).name for code in OFFERED_BY_US] == [
        "English",
        "العربية",
        "Deutsch",
        "español",
        "français",
        "हिन्दी",
        "中文 (简体)",
    ]


@pytest.mark.requirement("R114")
def test_a_language_without_our_messages_is_refused_by_name() -> None:
    check_spoken(["en-GB", "de-AT", "zh-CN", *OFFERED_BY_US])
    with pytest.raises(ConfigurationError, match=r"exist in, en, .*; got nl, zh-Hant:"):
        check_spoken(["en", "nl", "zh-Hant"])


def test_a_country_changes_dates_and_not_words() -> None:
    austrian = Locale("de-AT")
    assert austrian.plain("Your choices") == Locale("de").plain("Your choices")
    assert "1. Jänner 2027" in austrian.date(NOON + 42 * 86_400_000)


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("en", "20 November 2026"),
        ("de", "20. November 2026"),
        ("es", "20 de noviembre de 2026"),
        ("fr", "20 novembre 2026"),
        ("hi", "20 नवंबर 2026"),
        ("zh-Hans", "2026年11月20日"),
        ("ar", "20 نوفمبر 2026"),
    ],
)
def test_a_date_is_written_out_in_the_language_of_the_page(code: str, day: str) -> None:
    expected = f'<time datetime="2026-11-20T12:00:00+00:00">{day}</time>'
    assert Locale(code).date(NOON) == expected


def test_a_moment_says_its_zone() -> None:
    assert "20 November 2026, 12:00 UTC" in Locale("en").moment(NOON)
    assert "20 نوفمبر 2026، 12:00 UTC" in Locale("ar").moment(NOON)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=365), "1 year"),
        (timedelta(days=730), "2 years"),
        (timedelta(days=90), "90 days"),
        (timedelta(days=1, hours=2, minutes=3), "1 day, 2 hours and 3 minutes"),
        (timedelta(minutes=30), "30 minutes"),
        ("P1Y", "1 year"),
        ("P1Y6M", "1 year and 6 months"),
        ("P2W", "2 weeks"),
        ("P90D", "90 days"),
    ],
)
def test_a_duration_is_told_in_words(length: str | timedelta, words: str) -> None:
    assert Locale("en").duration(length) == words


@pytest.mark.parametrize("text", ["", "P", "1Y", "P1H", "PT1H", "P1.5Y", "P1Y ", "p1y"])
def test_a_duration_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="ISO 8601"):
        Locale("en").duration(text)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "سنة واحدة"),
        (2, "سنتين"),
        (3, "3 سنوات"),
        (11, "11 سنة"),
        (100, "100 سنة"),
    ],
)
def test_arabic_has_its_six_plurals(count: int, words: str) -> None:
    assert Locale("ar").duration(f"P{count}Y") == words


@pytest.mark.parametrize(
    ("code", "one", "two", "none"),
    [
        ("de", "1 Jahr", "2 Jahre", "0 Jahre"),
        ("es", "1 año", "2 años", "0 años"),
        ("fr", "1 an", "2 ans", "0 an"),  # nothing is singular in French
        ("hi", "1 घंटा", "2 घंटे", "0 घंटा"),  # and in Hindi
        ("zh-Hans", "1 年", "2 年", "0 年"),
    ],
)
def test_each_language_counts_by_its_own_rule(
    code: str, one: str, two: str, none: str
) -> None:
    unit = ("{count} hour", "{count} hours")
    if code != "hi":  # a Hindi year looks the same in both numbers
        unit = ("{count} year", "{count} years")
    told = [str(Locale(code).plural(*unit, count)) for count in (1, 2, 0)]
    # Some keep the number and its unit on one line.
    assert [each.replace("\N{NO-BREAK SPACE}", " ") for each in told] == [
        *(one, two, none)
    ]


@pytest.mark.requirement("R114")
def test_each_name_of_a_list_is_isolated_and_escaped() -> None:
    assert Locale("ar").names(["Acme", "Shops"]) == "<bdi>Acme</bdi> و<bdi>Shops</bdi>"
    assert Locale("en").names(["<b>{0}"]) == "<bdi>&lt;b&gt;{0}</bdi>"
    shown = Locale("ar").text("{names}", names=Locale("ar").names(["Acme", "Shops"]))
    assert shown == "<bdi>Acme</bdi> و<bdi>Shops</bdi>"


def test_countries_lists_and_numbers_follow_the_language() -> None:
    german = Locale("de")
    assert german.country("US") == "Vereinigte Staaten"
    assert german.country("XX") == "XX"
    assert german.listing(["a", "b", "c"]) == "a, b und c"
    assert german.quoted(["a", "b"]) == "„a“ und „b“"
    assert german.number(12044) == "12.044"


def test_sentences_stand_apart_as_the_language_has_it() -> None:
    assert Locale("en").sentences("A.", "", "B.") == "A. B."
    assert Locale("zh-Hans").sentences("甲。", "乙。") == "甲。乙。"


def test_an_unknown_message_or_locale_falls_back_to_the_source_text() -> None:
    assert Locale("de").plain("never translated") == "never translated"
    assert Locale("nl").plain("Your choices") == "Your choices"


# -- what a message may hold -----------------------------------------------------------


def test_marks_in_a_message_become_elements() -> None:
    html = Locale("en").text("*Stop* on [this page].", link="/x?a=1&b=2")
    assert html == '<strong>Stop</strong> on <a href="/x?a=1&amp;b=2">this page</a>.'


@pytest.mark.requirement("R117")
def test_marks_and_markup_in_a_value_stay_text() -> None:
    hostile = "*a* [b] {c} <img src=x onerror=y> \" ' & %s"
    html = Locale("en").text("By {name}.", name=hostile)
    assert html == (
        "By <bdi>*a* [b] {c} &lt;img src=x onerror=y&gt; &#34; &#39; &amp; %s</bdi>."
    )


def test_a_hostile_link_cannot_leave_its_attribute() -> None:
    html = Locale("en").text("[Go]", link='"><script>')
    assert html == '<a href="&#34;&gt;&lt;script&gt;">Go</a>'


def test_html_that_we_made_passes_as_it_is() -> None:
    html = Locale("en").text("At {time}.", time=Markup("<time>now</time>"))
    assert html == "At <time>now</time>."


def test_a_latin_name_is_isolated_in_an_arabic_sentence() -> None:
    assert "<bdi>Wallet Ltd.</bdi>" in Locale("ar").text(
        "Sharing with {recipient}", recipient="Wallet Ltd."
    )


def test_apostrophes_are_printed_ones() -> None:
    assert (
        Locale("en").text("Don't share") == "Don\N{RIGHT SINGLE QUOTATION MARK}t share"
    )
