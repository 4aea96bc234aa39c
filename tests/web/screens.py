"""Every page of ours, rendered from values, with everything in it that it can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import TypeVar

from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined
from markupsafe import Markup

import consentkit.web
from consentkit.core.act import Assurance
from consentkit.core.act import Choice
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.purpose import Purpose
from consentkit.core.registry import Registry
from consentkit.core.status import Status
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient
from consentkit.service.awaiting import Awaited
from consentkit.web import pages
from consentkit.web.export import ActView
from consentkit.web.export import ShownView
from consentkit.web.links import SENT
from consentkit.web.links import link_hint
from consentkit.web.locale import Locale
from consentkit.web.locale import available_locales
from consentkit.web.problems import PROBLEM_STATUS
from tests import declared

WEB = Path(consentkit.web.__file__).parent
ENGLISH = Locale("en")
DAY = 86_400_000
NOW = Millis(1_795_176_000_000)  # 20 November 2026, 12:00 UTC
KEYS = ("wallet.example/consent+ac1af43f+AXO1EjzTBXdP",)
FRESH = "/consent/static/fresh.js", "sha384-def"
ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{0}*x*[y]"

TEXTS = frozenset(
    {
        *("name", "contact", "address", "authority", "rights", "website", "agreement"),
        *("method", "safeguard", "rights_url", "risks", "title", "phrase"),
        *("description", "aim", "necessity", "impact", "if_refused"),
        *("logic", "consequence", "human"),
    }
)
"""The fields of declared values that are texts, all of which reach a page."""

Words = Callable[[str], str]
Declared = TypeVar(
    "Declared",
    Controller,
    DataCategory,
    DataItem,
    Recipient,
    Purpose,
    AutomatedDecision,
)
_templates = Environment(
    loader=FileSystemLoader(WEB / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)


def plain(words: str) -> str:
    """The words as they are."""
    return words


def attack(words: str) -> str:
    """The words, and everything that must not get out of them."""
    return words + ATTACK


def registry(words: Words = plain) -> Registry:
    """The declared app, each of its texts passed through ``words``."""
    return Registry(
        _reworded(declared.WALLET, words),
        [_purpose(purpose, words) for purpose in declared.PURPOSES],
    )


def _purpose(purpose: Purpose, words: Words) -> Purpose:
    automated = purpose.automated
    return replace(
        _reworded(purpose, words),
        data=[
            replace(_reworded(item, words), category=_reworded(item.category, words))
            for item in purpose.items
        ],
        recipients=[_reworded(each, words) for each in purpose.recipients],
        automated=_reworded(automated, words) if automated else None,
    )


def _reworded(value: Declared, words: Words) -> Declared:
    texts: dict[str, Any] = {
        each.name: words(getattr(value, each.name))
        for each in fields(value)
        if each.name in TEXTS and getattr(value, each.name)
    }
    return replace(value, **texts)


def render(
    template: str, page: object, locale: Locale, site: pages.SiteView | None = None
) -> str:
    """A page as it is sent; a name that the template does not know is an error."""
    context = pages.context(page, site=site, locale=locale)
    return _templates.get_template(f"consentkit/{template}").render(**context)


def site(app: Registry, locale: Locale) -> pages.SiteView:
    """The frame, with every language to choose from."""
    return pages.site_view(
        app.controller,
        locale,
        home_url="/",
        centre_url="/consent/",
        disclosures_url="/consent/disclosures",
        css_url="/consent/static/consentkit.css",
        css_integrity="sha384-abc",
        fresh=FRESH,
        languages=[
            pages.LanguageLink(
                tag, Locale(tag).name, f"?lang={tag}", tag == locale.code
            )
            for tag in available_locales()
        ],
    )


def notice(app: Registry, purpose: str, locale: Locale = ENGLISH) -> str:
    """The fragment that is hashed."""
    view = pages.notice_view(app.questions(purpose), locale, centre_url="/consent/")
    return render("notice.html", view, locale)


def widget(
    app: Registry, purpose: str, locale: Locale = ENGLISH, words: Words = plain
) -> pages.WidgetView:
    """The fragment in its form, for somebody who is signed in and has not answered."""
    return pages.WidgetView(
        lang=locale.code,
        dir=locale.direction,
        title_id=f"consentkit-{purpose}-title",
        notice_html=Markup(notice(app, purpose, locale)),  # noqa: S704  it is ours
        action="/consent/choices",
        token=words("TOKEN"),
        csrf_token=words("CSRF"),
        account=words("a•••@example.org"),
        ends=pages.ends_today(app.questions(purpose), locale, now=NOW),
        notice_url=words("/consent/notices/9f"),
        fingerprint="9f2c41ab" * 8,
        version="41ab77de0c13",
        changes=(locale.text("{change}", change=words("Acme moved.")),),
        opt_out_signal=True,
    )


def status(state: State = State.GIVEN, *, scope: str = "") -> Status:
    """A standing answer of 65 days ago, for 300 days more."""
    granted = state in {State.GIVEN, State.RENEWED}
    return Status(
        state=state,
        data=frozenset({"spending"} if granted else ()),
        until=Millis(NOW + 300 * DAY if granted else 0),
        scope=scope,
        assurance=Assurance.SESSION,
        record="6f" * 16,
        since=Millis(NOW - 65 * DAY),
    )


def card(app: Registry, locale: Locale = ENGLISH) -> pages.CardView:
    """The card of a yes that holds."""
    question = app.question("credit-score", "acme-credit")
    assert question is not None
    return pages.card_view(
        status(scope=question.scope),
        question.key,
        app,
        locale,
        now=NOW,
        stop_token="STOP",  # noqa: S106  no secret
        receipt_url="/consent/receipts/1",
        ask_url="/consent/ask/credit-score",
    )


def said() -> tuple[Choice, Choice]:
    """A yes and a no."""
    yes = Choice(
        *("credit-score", "acme-credit", ("spending",), "0" * 64, State.GIVEN),
        until=Millis(NOW + 365 * DAY),
    )
    no = Choice(
        *("shop-offers", "controller", (), "0" * 64, State.REFUSED), until=Millis(0)
    )
    return yes, no


def lines(app: Registry, locale: Locale = ENGLISH) -> tuple[pages.ChoiceLine, ...]:
    """A yes, a no and a question left open."""
    yes, no = said()
    return (
        pages.choice_line(yes, yes.key, app, locale),
        pages.choice_line(no, no.key, app, locale),
        pages.choice_line(None, ("night-help.cross-border", "night-desk"), app, locale),
    )


def disclosures(app: Registry, locale: Locale = ENGLISH) -> pages.DisclosuresView:
    """A share and a refused attempt."""
    return pages.DisclosuresView(
        rows=tuple(
            pages.disclosure_row(
                registry=app,
                locale=locale,
                time=NOW,
                purpose="credit-score",
                recipient="acme-credit",
                data=["spending"],
                reason=reason,
                agreed=NOW,
                receipt_url="/consent/receipts/1",
            )
            for reason in (Reason.GRANTED, Reason.REFUSED)
        ),
        url="/consent/disclosures",
        lang=locale.code,
        recipients=(("acme-credit", app.recipients["acme-credit"].name),),
        recipient="acme-credit",
        newer_url="?page=1",
        older_url="?page=3",
        all_url="/consent/disclosures",
        export_url="/consent/export",
    )


def receipt(app: Registry, locale: Locale = ENGLISH) -> pages.ReceiptView:
    """A receipt that the log holds."""
    return pages.ReceiptView(
        id="6f" * 16,
        at=locale.moment(NOW),
        lines=lines(app, locale),
        assurance=pages.assurance_text(Assurance.SESSION, locale),
        handle="ab" * 16,
        notice="9f" * 32,
        notice_url="/consent/notices/9f",
        log="wallet.example/consent",
        entry="77" * 32,
        index=12041,
        size=12044,
        root="13" * 32,
        proof_url="/consent/receipts/1.tlog-proof",
        json_url="/consent/receipts/1.json",
        keys=KEYS,
        checking_url="/consent/checking",
        script_url="/consent/static/receipt.js",
        script_integrity="sha384-abc",
    )


def export(
    app: Registry, locale: Locale = ENGLISH, words: Words = plain
) -> pages.ExportView:
    """Everything about somebody who agreed to one thing."""
    return pages.ExportView(
        made=locale.moment(NOW),
        account=words("a•••@example.org"),
        handle="ab" * 16,
        file_url="/consent/export.json",
        cards=(replace(card(app, locale), stop_token="", receipt_url="", ask_url=""),),
        acts=(
            ActView(
                at=locale.moment(NOW),
                lines=lines(app, locale),
                id="6f" * 16,
                entry="77" * 32,
                index=12041,
                receipt_url="/consent/receipts/1",
            ),
        ),
        told=((locale.moment(NOW), locale.text("{words}", words=words("Told."))),),
        shared=2,
        rows=iter(disclosures(app, locale).rows),
        notices=iter(
            (
                ShownView(
                    title=words("Work out your credit score"),
                    passages=(
                        (words("Wallet Ltd asks you."), False),
                        (words("Why"), True),
                    ),
                    lang=locale.code,
                    dir=locale.direction,
                    digest="9f" * 32,
                    url="/consent/notices/9f",
                ),
            )
        ),
    )


def centre(
    app: Registry, locale: Locale = ENGLISH, words: Words = plain
) -> pages.CentreView:
    """The centre of somebody who agreed to one thing."""
    return pages.centre_view(
        [card(app, locale)],
        locale,
        disclosures=disclosures(app, locale),
        revoke_url="/consent/revocations",
        account=words("a•••@example.org"),
        csrf_token=words("CSRF"),
        asks=[(words("Get offers"), "/consent/ask/shop-offers")],
        export_url="/consent/export",
        copy_url="/consent/export",
        erase_url="/consent/erasure",
        opt_out_signal=True,
    )


def erasure(
    app: Registry, locale: Locale = ENGLISH, words: Words = plain
) -> pages.ErasureView:
    """The page of somebody who is about to erase their records."""
    return pages.erasure_view(
        locale,
        app,
        action="/consent/erasure",
        token=words("TOKEN"),
        csrf_token=words("CSRF"),
        account=words("a•••@example.org"),
        entries=4,
        received=["acme-credit", "7"],
        receipts=[(NOW, said(), "/consent/receipts/1.json")],
        delegates=[words("Lee")],
        disclosures_url="/consent/disclosures.json",
        export_url="/consent/export.json",
        copy_url="/consent/export",
    )


def notice_page(app: Registry, locale: Locale = ENGLISH) -> pages.NoticePageView:
    """A notice at its permanent address."""
    return pages.NoticePageView(
        notice_html=Markup(notice(app, "credit-score", locale)),  # noqa: S704  ours
        lang=locale.code,
        digest="9f" * 32,
        html_sha256="41" * 32,
        version="41ab77de0c13",
        manifest_url="/consent/notices/9f.json",
        first_shown=locale.moment(NOW),
        ask_url="/consent/ask/credit-score",
    )


def rare_pages(locale: Locale = ENGLISH, words: Words = plain) -> dict[str, str]:
    """What few people ever see: each problem, and the pages of somebody new."""
    app = registry(words)
    nobody = replace(
        widget(app, "credit-score", locale, words),
        sign_in_url="/login",
        notice_html=None,
    )
    nothing = pages.centre_view(
        [],
        locale,
        disclosures=replace(disclosures(app, locale), rows=()),
        revoke_url="/consent/revocations",
    )
    shown: dict[str, tuple[str, object]] = {
        "ask a stranger": ("ask", nobody),
        "empty centre": ("centre", nothing),
        **{
            f"problem {code}": (
                "problem",
                pages.problem_view(code, locale, status=status, ask_url="/ask"),
            )
            for code, status in PROBLEM_STATUS.items()
        },
    }
    frame = site(app, locale)
    return {
        name: render(f"{template}.html", view, locale, frame)
        for name, (template, view) in shown.items()
    }


def confirmation(app: Registry, purpose: str, locale: Locale) -> pages.ConfirmationView:
    awaited = [
        Awaited(*each.key, each.data, rests_on="1" * 32)
        for each in app.questions(purpose)
    ]
    questions = pages.answered_questions(awaited, app)
    return pages.ConfirmationView(
        asked=pages.notice_view(questions, locale, centre_url="/consent/"),
        token="token",  # noqa: S106  of no form that is sent
        action="/consent/confirmations",
        notice_url="/consent/notices/1",
        account="a•••@example.org",
        ends=pages.ends_today(questions, locale, now=NOW),
    )


def all_pages(locale: Locale = ENGLISH, words: Words = plain) -> dict[str, str]:
    """Every full page, by a name for it."""
    app = registry(words)
    answered = replace(
        widget(app, "credit-score", locale, words),
        cards=(card(app, locale),),
        revoke_url="/consent/revocations",
        centre_url="/consent/",
    )
    shown: dict[str, tuple[str, object]] = {
        **{
            f"ask {id_}": ("ask", widget(app, id_, locale, words))
            for id_ in app.purposes
        },
        "ask again": ("ask", answered),
        "result": (
            "result",
            pages.ResultView(lines(app, locale), "/consent/receipts/1"),
        ),
        "link sent": (
            "result",
            pages.ResultView(
                lines(app, locale),
                "/consent/receipts/1",
                hint=link_hint(SENT, locale, goes_on=True),
                again=("/consent/confirmations/again", "token", ""),
            ),
        ),
        **{
            f"confirm {id_}": ("confirmation", confirmation(app, id_, locale))
            for id_ in app.purposes
        },
        "nothing to stop": ("result", pages.ResultView(())),
        "centre": ("centre", centre(app, locale, words)),
        "disclosures": ("disclosures", disclosures(app, locale)),
        "receipt": ("receipt", receipt(app, locale)),
        "promise": (
            "receipt",
            replace(
                receipt(app, locale),
                index=None,
                size=None,
                root="",
                proof_url="",
                script_url="",
            ),
        ),
        "checking": (
            "checking",
            pages.CheckingView(logs=((words("wallet.example/consent"), KEYS),)),
        ),
        "export": ("export", export(app, locale, words)),
        "nothing to export": (
            "export",
            replace(
                export(app, locale, words),
                handle="",
                cards=(),
                acts=(),
                told=(),
                shared=0,
            ),
        ),
        "erasure": ("erasure", erasure(app, locale, words)),
        "nothing to erase": ("erasure", pages.ErasureView(action="")),
        "erased": ("erased", None),
        "notice": ("notice_page", notice_page(app, locale)),
        "problem": (
            "problem",
            pages.problem_view(
                "sign-in", locale, status=401, sign_in_url="/login", ask_url="/ask"
            ),
        ),
    }
    frame = site(app, locale)
    return {
        name: render(f"{template}.html", view, locale, frame)
        for name, (template, view) in shown.items()
    }
