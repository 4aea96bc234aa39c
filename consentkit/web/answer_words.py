"""The sentences by which an answer is told back: what was said, what happens now.

Whole ones, a sentence each: what varies is a name or a date.
"""

from __future__ import annotations

from consentkit.web.locale import mark

__all__ = ["NOW", "TOLD"]

TOLD = {
    "share": {
        "yes": mark(
            "You said *yes* to sharing with {recipient} for “{purpose}”, until {until}."
        ),
        "no": mark("You said *no* to sharing with {recipient} for “{purpose}”."),
        "waits": mark(
            "You said *yes* to sharing with {recipient} for “{purpose}”. "
            "It does not count yet."
        ),
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
        "waits": mark(
            "You said *yes* to “{purpose}” by {recipient}. It does not count yet."
        ),
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
        "waits": mark(
            "You said *yes* to sending data abroad to {recipient} for “{purpose}”. "
            "It does not count yet."
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
"""What was said, by what would be done with the data and by the answer."""

NOW = {
    "share": {
        "yes": mark("{controller} shares this data when it is needed for that."),
        "no": mark("Nothing is shared."),
        "waits": mark("Nothing is shared until you open the link and confirm."),
        "later": mark("Nothing is shared until you say yes."),
        "open": mark("Nothing is shared until you say yes."),
        "stopped": mark("From now on, nothing more is shared."),
        "ended": mark("Nothing more is shared."),
    },
    "use": {
        "yes": mark("{controller} uses this data when it is needed for that."),
        "no": mark("Your data is not used for this."),
        "waits": mark(
            "Your data is not used for this until you open the link and confirm."
        ),
        "later": mark("Your data is not used for this until you say yes."),
        "open": mark("Your data is not used for this until you say yes."),
        "stopped": mark("From now on, your data is not used for this."),
        "ended": mark("Your data is no longer used for this."),
    },
    "send": {
        "yes": mark("Data goes there only if you also said yes to sharing."),
        "no": mark("Nothing goes abroad."),
        "waits": mark("Nothing goes abroad until you open the link and confirm."),
        "later": mark("Nothing goes abroad until you say yes."),
        "open": mark("Nothing goes abroad until you say yes."),
        "stopped": mark("From now on, nothing more goes abroad."),
        "ended": mark("Nothing more goes abroad."),
    },
}
"""What happens now, likewise."""
