"""What our own widget asks holds before our own rules, without a single finding."""

from __future__ import annotations

from datetime import timedelta

import pytest
from jinja2 import Environment
from jinja2 import PackageLoader
from markupsafe import Markup

from consentkit.core.act import Millis
from consentkit.core.purpose import Purpose
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient
from consentkit.lint import lint
from consentkit.web.locale import Locale
from consentkit.web.pages import WidgetView
from consentkit.web.pages import context
from consentkit.web.pages import ends_today
from consentkit.web.pages import notice_view

WALLET = Controller(
    "wallet",
    name="Wallet Ltd",
    contact="privacy@wallet.example",
    address="1 Main Street, London",
    country="GB",
    authority="the Information Commissioner",
    rights="You can see, correct and erase your data.",
)
SPENDING = DataCategory(
    "spending",
    title="Your spending history",
    sensitive=True,
    phrase="my spending history",
)
MAIL = DataCategory("mail", title="Your e-mail address", phrase="my e-mail address")
ACME = Recipient(
    "acme-credit",
    name="Acme Credit Scoring Ltd",
    contact="privacy@acme.example",
    country="GB",
    relation="affiliate",
    agreement="DSA-1",
)
NORD = Recipient(
    "nordlicht",
    name="Nordlicht GmbH",
    contact="daten@nordlicht.example",
    country="DE",
    relation="partner",
    agreement="DSA-2",
    method="It is sent over an encrypted line.",
    safeguard="The standard contract clauses of the Commission protect it.",
    risks="A court there may order access.",
    rights_url="https://nordlicht.example/rights",
)


def registry(*recipients: Recipient, own_use: bool) -> Registry:
    score = Purpose(
        "credit-score",
        title="Work out your credit score",
        description="Acme works out a score from what you spent and shows it here.",
        data=[DataItem(SPENDING), DataItem(MAIL, necessary=False)],
        recipients=recipients,
        own_use=own_use,
        valid_for=timedelta(days=365),
        retention="P1Y",
        aim="works out my credit score",
        necessity="A score needs to know what comes in and goes out.",
        impact="A low score can make a loan dearer.",
        if_refused="Nothing changes in your account.",
        automated=AutomatedDecision(
            logic="A computer adds points for each bill paid on time.",
            consequence="Below 500 points there is no loan offer.",
            human="Call us, and a person looks at it.",
        ),
    )
    return Registry(WALLET, [score])


def render(declared: Registry, locale: Locale) -> str:
    templates = Environment(loader=PackageLoader("consentkit.web"), autoescape=True)
    questions = declared.questions("credit-score")
    notice = notice_view(questions, locale, centre_url="/consent/")
    html = templates.get_template("consentkit/notice.html").render(
        context(notice, site=None, locale=locale)
    )
    widget = WidgetView(
        lang=locale.code,
        dir=locale.direction,
        title_id=notice.title_id,
        notice_html=Markup(html),  # noqa: S704  rendered one line above, escaped
        action="/consent/choices",
        token="t.s",  # noqa: S106  any text does
        csrf_token="c",  # noqa: S106  any text does
        account="a•••@wallet.example",
        ends=ends_today(questions, locale, now=Millis(1_800_000_000_000)),
        notice_url="/consent/notices/ab",
        fingerprint="ab" * 32,
        version="1",
    )
    return templates.get_template("consentkit/widget.html").render(
        context(widget, site=None, locale=locale)
    )


SINGLE = registry(ACME, own_use=False)
SEVERAL = registry(ACME, NORD, own_use=True)


@pytest.mark.requirement("R16")
@pytest.mark.requirement("R17")
@pytest.mark.parametrize(
    ("declared", "accepts"), [(SINGLE, 1), (SEVERAL, 4)], ids=["single", "several"]
)
def test_our_own_widget_gives_no_finding(declared: Registry, accepts: int) -> None:
    html = render(declared, Locale("en"))
    assert html.count('data-ck-action="accept"') == accepts

    findings = lint(html)

    assert list(findings) == []
    assert findings.questions == 1


def test_our_own_widget_would_be_found_out() -> None:
    """The silence above means something: one attribute ends it."""
    html = render(SEVERAL, Locale("en"))

    spoilt = html.replace('value="given"', 'value="given" checked', 1)

    assert lint(spoilt).rules_broken == ("D01",)
