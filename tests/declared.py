"""One payment app's declarations, whole, for every test that needs some.

Wallet Ltd asks about three purposes: a credit score by an affiliate from sensitive
data, shop offers by a partner and by itself, and a help desk by night abroad. Every
notice made of them is complete; a test that wants one incomplete takes something away.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import timedelta

from consentkit.core.purpose import Purpose
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient

WALLET = Controller(
    "wallet",
    name="Wallet Ltd",
    contact="privacy@wallet.example",
    address="1 Exchange Street, Leeds LS1 4AA",
    country="GB",
    authority="Information Commissioner's Office, ico.org.uk",
    rights=(
        "You can see, correct, move or delete your data. You can also object to its "
        "use. Write to privacy@wallet.example. We answer within one month."
    ),
    website="https://wallet.example",
)

SPENDING = DataCategory(
    "spending",
    title="Your spending history",
    phrase="my spending history",
    iri="pd:PurchasesAndSpendingHabit",
    sensitive=True,
)
CITY = DataCategory(
    "city", title="The city you live in", phrase="the city I live in", iri="pd:City"
)
MESSAGES = DataCategory(
    "messages",
    title="The messages you send to our help desk",
    phrase="my messages to the help desk",
    iri="pd:Communication",
)

CREDIT = Recipient(
    "acme-credit",
    name="Acme Credit Scoring Ltd",
    contact="privacy@acme-credit.example",
    address="20 Ledger Lane, Leeds LS2 8JT",
    country="GB",
    relation="affiliate",
    agreement="DSA-2026-04",
    method="Over an encrypted connection, at the moment you ask for your score.",
    hosts=("api.acme-credit.example",),
)
SHOP = Recipient(
    "corner-shops",
    name="Corner Shops Network Ltd",
    contact="privacy@corner-shops.example",
    address="7 Market Row, Bristol BS1 3DX",
    country="GB",
    relation="partner",
    agreement="DSA-2026-11",
    method="Over an encrypted connection, when you ask for offers.",
    hosts=("api.corner-shops.example",),
)
ABROAD = Recipient(
    "night-desk",
    name="Night Desk Inc",
    contact="privacy@night-desk.example",
    address="500 Commerce Street, Dallas TX 75202",
    country="US",
    relation="supplier",
    agreement="DSA-2026-19",
    method="Over an encrypted connection, when you write to us at night.",
    safeguard="The UK addendum to the standard clauses, signed on 2 March 2026.",
    rights_url="https://night-desk.example/your-rights",
    risks="Authorities in the United States may ask to read the messages.",
    hosts=("inbox.night-desk.example",),
)

SCORE = Purpose(
    "credit-score",
    title="Work out your credit score",
    description=(
        "Acme adds up how regularly you pay your bills and how much you spend. From "
        "this it works out a number between 300 and 850."
    ),
    data=[
        DataItem(SPENDING, if_refused="Without it no score can be worked out."),
        DataItem(
            CITY,
            necessary=False,
            if_refused="Without it Acme compares you with the whole country.",
        ),
    ],
    recipients=[CREDIT],
    valid_for=timedelta(days=365),
    retention="P1Y",
    aim="works out my credit score",
    necessity="The score is made from your payments. There is no other source for it.",
    impact="Acme learns when and how much you paid, and for what kind of thing.",
    if_refused="Then no score is worked out. Nothing else in your Wallet changes.",
    automated=AutomatedDecision(
        logic="A program counts the months in which all bills were paid.",
        consequence="You see the score. Wallet Ltd decides nothing because of it.",
        human="Write to review@acme-credit.example. A person checks it with you.",
    ),
    iri="sector-finance:CreditScoreEvaluation",
)
OFFERS = Purpose(
    "shop-offers",
    title="Get offers from shops near you",
    description=(
        "Up to three offers from shops in your city are picked for you. You see them "
        "on your offers page. No message is sent to you."
    ),
    data=[DataItem(CITY, if_refused="Without it no shop near you can be found.")],
    recipients=[SHOP],
    own_use=True,
    valid_for=timedelta(days=180),
    retention="P90D",
    aim="picks shop offers for me",
    if_refused="Then your offers page stays empty. Nothing else changes for you.",
    iri="dpv:PersonalisedAdvertising",
)
NIGHT_HELP = Purpose(
    "night-help",
    title="Answer your messages at night",
    description="Night Desk reads and answers your messages between 10 pm and 6 am.",
    data=[MESSAGES],
    recipients=[ABROAD],
    valid_for=timedelta(days=365),
    retention="P30D",
    aim="answers my messages at night",
    if_refused="Then your messages are answered in the morning.",
    iri="dpv:CustomerCare",
)

PURPOSES = (SCORE, OFFERS, NIGHT_HELP)


def registry(
    *,
    controller: Controller = WALLET,
    purposes: Iterable[Purpose] = PURPOSES,
    locales: Sequence[str] = ("en",),
) -> Registry:
    """All of the above, or the same with other parts in its place."""
    return Registry(controller, purposes, locales=locales)
