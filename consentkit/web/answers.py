"""What a person is told about an answer: on the result page, on a card, in a receipt.

The same calm for yes and no. A state is said in words and dates, never by a switch or
a colour (lint D19), and a share is never called on when the gate would say no.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Literal

from markupsafe import Markup

from consentkit.core.act import AUTHORISING
from consentkit.core.act import State
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.store.deliveries import DeliveryStatus
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.act import Choice
    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.core.status import Status
    from consentkit.store.deliveries import Delivery
    from consentkit.web.locale import Locale

    Key = tuple[str, str]
    Deed = Literal["share", "use", "send"]
    Group = Literal["agreed", "declined", "ended"]

__all__ = [
    "CardView",
    "ChoiceLine",
    "Matter",
    "card_view",
    "choice_line",
    "data_titles",
    "told_text",
]

_TOLD = {
    "share": {
        "yes": mark(
            "You said *yes* to sharing with {recipient} for “{purpose}”, until {until}."
        ),
        "no": mark("You said *no* to sharing with {recipient} for “{purpose}”."),
        "later": mark(
            "You will decide *later* about sharing with {recipient} for “{purpose}”."
        ),
        "open": mark(
            "You gave *no answer* about sharing with {recipient} for “{purpose}”."
        ),
        "stopped": mark("You *stopped* sharing with {recipient} for “{purpose}”."),
        "ended": mark("Sharing with {recipient} for “{purpose}” was *ended*."),
    },
    "use": {
        "yes": mark("You said *yes* to “{purpose}” by {recipient}, until {until}."),
        "no": mark("You said *no* to “{purpose}” by {recipient}."),
        "later": mark("You will decide *later* about “{purpose}” by {recipient}."),
        "open": mark("You gave *no answer* about “{purpose}” by {recipient}."),
        "stopped": mark("You *stopped* “{purpose}” by {recipient}."),
        "ended": mark("“{purpose}” by {recipient} was *ended*."),
    },
    "send": {
        "yes": mark(
            "You said *yes* to sending data abroad to {recipient} for “{purpose}”, "
            "until {until}."
        ),
        "no": mark(
            "You said *no* to sending data abroad to {recipient} for “{purpose}”."
        ),
        "later": mark(
            "You will decide *later* about sending data abroad to {recipient} "
            "for “{purpose}”."
        ),
        "open": mark(
            "You gave *no answer* about sending data abroad to {recipient} "
            "for “{purpose}”."
        ),
        "stopped": mark(
            "You *stopped* sending data abroad to {recipient} for “{purpose}”."
        ),
        "ended": mark(
            "Sending data abroad to {recipient} for “{purpose}” was *ended*."
        ),
    },
}
_NOW = {
    "share": {
        "yes": mark("{controller} shares this data when it is needed for that."),
        "no": mark("Nothing is shared."),
        "later": mark("Nothing is shared until you say yes."),
        "open": mark("Nothing is shared until you say yes."),
        "stopped": mark("From now on, nothing more is shared."),
        "ended": mark("Nothing more is shared."),
    },
    "use": {
        "yes": mark("{controller} uses this data when it is needed for that."),
        "no": mark("Your data is not used for this."),
        "later": mark("Your data is not used for this until you say yes."),
        "open": mark("Your data is not used for this until you say yes."),
        "stopped": mark("From now on, your data is not used for this."),
        "ended": mark("Your data is no longer used for this."),
    },
    "send": {
        "yes": mark("Data goes there only if you also said yes to sharing."),
        "no": mark("Nothing goes abroad."),
        "later": mark("Nothing goes abroad until you say yes."),
        "open": mark("Nothing goes abroad until you say yes."),
        "stopped": mark("From now on, nothing more goes abroad."),
        "ended": mark("Nothing more goes abroad."),
    },
}
_ANSWERS = {
    State.GIVEN: "yes",
    State.RENEWED: "yes",
    State.REFUSED: "no",
    State.DEFERRED: "later",
    State.REQUESTED: "open",
    State.WITHDRAWN: "stopped",
    State.EXPIRED: "ended",
    State.REVOKED: "ended",
    State.INVALIDATED: "ended",
}
_STANDS = {
    "share": {
        "agreed": mark("Shared until {until}"),
        "declined": mark("Not shared"),
        "ended": mark("No longer shared"),
    },
    "use": {
        "agreed": mark("Used until {until}"),
        "declined": mark("Not used"),
        "ended": mark("No longer used"),
    },
    "send": {
        "agreed": mark("Sent abroad until {until}"),
        "declined": mark("Not sent abroad"),
        "ended": mark("No longer sent abroad"),
    },
}
_SINCE = {
    State.GIVEN: mark("You said yes on {since}."),
    State.RENEWED: mark("You said yes again on {since}."),
    State.REFUSED: mark("You said no on {since}."),
    State.DEFERRED: mark("On {since} you chose to decide later."),
    State.REQUESTED: mark("We asked you on {since}. You gave no answer."),
    State.WITHDRAWN: mark("You stopped it on {since}."),
    State.EXPIRED: mark("Your yes of {since} ended by itself on {until}."),
    State.REVOKED: mark("It was ended on {since}, and not by you."),
    State.INVALIDATED: mark(
        "On {since} we cancelled your yes. The question you saw was not good enough."
    ),
}
_CHANGED = mark(
    "You said yes on {since}. Something has changed since then, "
    "so we ask you again before we go on."
)
_CORRECTED = mark(
    "We corrected this on {since}. What we had stored before was a mistake."
)
_SIGNALLED = mark(
    "On {since} your browser told us not to share your data, so we stopped."
)
_QUIET = mark(
    "We will not ask you about this before {date}, unless something in it changes."
)
_RECIPIENT_TOLD = {
    DeliveryStatus.WAITING: mark(
        "We are telling {recipient}. They have not confirmed it yet."
    ),
    DeliveryStatus.ACKNOWLEDGED: mark(
        "{recipient} confirmed on {date} that they know."
    ),
    DeliveryStatus.FAILED: mark(
        "We could not reach {recipient} to tell them. Somebody here sees to it."
    ),
}
_GROUPS: dict[State, Group] = {
    State.GIVEN: "agreed",
    State.RENEWED: "agreed",
    State.REFUSED: "declined",
    State.DEFERRED: "declined",
    State.REQUESTED: "declined",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """What an answer is about, in words: declared now, or only known by its ids.

    A record outlives the declaration it was made under, so an unknown id is shown as it
    is and never makes a page fail.
    """

    key: Key
    purpose: str
    recipient: str
    controller: str
    scope: str

    @classmethod
    def of(cls, key: Key, registry: Registry, locale: Locale) -> Matter:
        """The words for a (purpose, recipient) that stands in a record."""
        purpose = registry.purposes.get(key[0].removesuffix(CROSS_BORDER))
        recipient = registry.recipients.get(key[1])
        question = registry.question(*key)
        return cls(
            key=key,
            purpose=locale.localise(purpose.title) if purpose else key[0],
            recipient=recipient.name if recipient else key[1],
            controller=registry.controller.name,
            scope=question.scope if question else "",
        )

    @property
    def deed(self) -> Deed:
        """What would be done with the data."""
        if self.key[0].endswith(CROSS_BORDER):
            return "send"
        return "use" if self.key[1] == OWN_USE_ID else "share"

    @property
    def element(self) -> str:
        """Prefix of element ids."""
        return f"consentkit-{self.key[0]}.{self.key[1]}"


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """One answer, told back: what was said, on which data, and what happens now."""

    answer: str
    said: Markup
    data: tuple[str, ...]
    now: Markup
    matter: Matter


@dataclass(frozen=True, slots=True)
class CardView:
    """The standing answer to one question, with the button that stops it.

    ``stop_token`` is empty where nothing is left to stop; ``told`` says whether the
    recipient knows that it has ended, None where there was nothing to tell (R57);
    ``quiet`` until when nobody asks again by themselves (R29).
    """

    matter: Matter
    group: Group
    stands: Markup
    since: Markup
    data: tuple[str, ...]
    stop_token: str = ""
    receipt_url: str = ""
    ask_url: str = ""
    told: Markup | None = None
    quiet: Markup | None = None


def data_titles(
    data: Iterable[str], registry: Registry, locale: Locale
) -> tuple[str, ...]:
    """The names of data categories, an unknown one by its id, in a steady order."""
    known = registry.categories
    return tuple(
        locale.localise(known[each].title) if each in known else each
        for each in sorted(data)
    )


def choice_line(
    choice: Choice | None, key: Key, registry: Registry, locale: Locale
) -> ChoiceLine:
    """The line for one choice; None is a question that was left unanswered."""
    matter = Matter.of(key, registry, locale)
    answer = _ANSWERS[choice.state] if choice else "open"
    words = {
        "purpose": matter.purpose,
        "recipient": matter.recipient,
        "controller": matter.controller,
        "until": locale.date(choice.until) if choice and choice.until else "",
    }
    return ChoiceLine(
        answer=answer,
        said=locale.text(_TOLD[matter.deed][answer], **words),
        data=data_titles(choice.data if choice else (), registry, locale),
        now=locale.text(_NOW[matter.deed][answer], **words),
        matter=matter,
    )


def card_view(
    status: Status,
    key: Key,
    registry: Registry,
    locale: Locale,
    *,
    now: Millis,
    stop_token: str = "",
    receipt_url: str = "",
    ask_url: str = "",
    delivery: Delivery | None = None,
    corrected: bool = False,
    signalled: bool = False,
    quiet_until: Millis | None = None,
) -> CardView:
    """The card of one standing answer; a yes that no longer counts reads as ended.

    ``corrected`` says that it stands there because an earlier record was a mistake,
    ``signalled`` that the browser's opt-out signal ended it.
    """
    matter = Matter.of(key, registry, locale)
    state = status.at(now)
    changed = state in AUTHORISING and status.scope != matter.scope
    group: Group = "ended" if changed else _GROUPS.get(state, "ended")
    since = _SINCE[state]
    for message, applies in (
        *((_SIGNALLED, signalled), (_CORRECTED, corrected), (_CHANGED, changed)),
    ):
        since = message if applies else since
    dates = {
        "since": locale.date(status.since),
        "until": locale.date(status.until) if status.until else "",
    }
    return CardView(
        matter=matter,
        group=group,
        stands=locale.text(_STANDS[matter.deed][group], **dates),
        since=locale.text(since, **dates),
        data=data_titles(status.data, registry, locale),
        stop_token=stop_token if state in AUTHORISING else "",
        receipt_url=receipt_url,
        ask_url=ask_url,
        told=told_text(delivery, matter, locale) if delivery else None,
        quiet=(
            locale.text(_QUIET, date=locale.date(quiet_until))
            if quiet_until is not None and now < quiet_until
            else None
        ),
    )


def told_text(delivery: Delivery, matter: Matter, locale: Locale) -> Markup:
    """Whether the recipient knows; a delivery that is over was last due at its end."""
    return locale.text(
        _RECIPIENT_TOLD[delivery.status],
        recipient=matter.recipient,
        date=locale.date(delivery.due),
    )
