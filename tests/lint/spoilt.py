"""A good annotated question, and what can be done to it."""

from __future__ import annotations

import pytest

__all__ = ["GOOD", "SPOILT", "spoil", "spoilt"]

GOOD = """\
<html lang="en"><body>
<section data-ck-root lang="en" aria-labelledby="t">
<h2 id="t">Share your payments with Example Credit Ltd?</h2>
<p data-ck-essential="controller">Example Pay Ltd asks you.</p>
<p data-ck-essential="purpose">Example Credit Ltd would work out a credit score.</p>
<p data-ck-essential="recipient">Example Credit Ltd, a company of our group</p>
<ul data-ck-essential="data"><li>Your payments of the last year</li></ul>
<p data-ck-essential="withdraw">You can stop at any time on \
<a href="/me">your page</a>.</p>
<form method="post" action="/consent/choices" autocomplete="off">
<input type="hidden" name="token" value="x">
<fieldset><legend>I agree that Example Pay Ltd shares my payments with Example Credit \
Ltd so that it works out a credit score</legend>
<label><input type="radio" name="choice.score.acme" value="refused" \
data-ck-action="decline" data-ck-purpose="score" data-ck-recipient="acme"> \
Don't share</label>
<label><input type="radio" name="choice.score.acme" value="given" \
data-ck-action="accept" data-ck-purpose="score" data-ck-recipient="acme"> \
Share my payments</label>
</fieldset>
<label><input type="checkbox" name="data.score.acme" value="mail" \
data-ck-purpose="score" data-ck-recipient="acme" data-ck-polarity="allow"> \
Also share my e-mail address with Example Credit Ltd</label>
<button type="submit">Save my answers</button>
</form>
</section>
</body></html>
"""

ACCEPT = 'value="given" data-ck-action="accept"'
DECLINE = 'value="refused" data-ck-action="decline"'
SAVE = '<button type="submit">Save my answers</button>'
BOX = '<input type="checkbox" name="data.score.acme"'
END = "</form>"
HEAD = "<html lang="
ELEVEN = "".join(
    f'<label><input type="checkbox" name="c{n}" data-ck-purpose="p{n}" '
    f'data-ck-recipient="acme"> I agree that Example Credit Ltd gets list {n}</label>'
    for n in range(11)
)
PAIR = (
    '<button data-ck-action="{0}">{1}</button><button data-ck-action="{2}">{3}</button>'
)
YES_NO = PAIR.format("accept", "Share all", "decline", "Share nothing")
NO_YES = PAIR.format("decline", "Share nothing", "accept", "Share my payments")
HEAVY_YES = NO_YES.replace('"accept"', '"accept" style="font-size:24px"')
SMALL_NO = NO_YES.replace('"decline"', '"decline" style="height:12px"')
REASONED_STOP = (
    '<form method="post"><label>Why? <input name="why" required></label>'
    '<button data-ck-action="withdraw">Stop sharing</button></form>'
)
SECOND = (
    "<fieldset><legend>I agree that Example Pay Ltd shares my name with Example Credit "
    'Ltd</legend><label><input type="radio" name="n" value="given" '
    'data-ck-action="accept"> Share my name</label><label><input type="radio" name="n" '
    'value="refused" data-ck-action="decline"> Don\'t share</label></fieldset>'
)

RECIPIENT = (
    '<p data-ck-essential="recipient">Example Credit Ltd, a company of our group</p>'
)
LEGALESE = (
    "hereby requests authorisation, notwithstanding any previously communicated "
    "determination, pursuant to applicable contractual documentation and such "
    "supplementary arrangements as are from time to time promulgated."
)

ANSWERS = GOOD[GOOD.index("<fieldset>") : GOOD.index("</fieldset>")]
LINK = (
    '<a href="/no" data-ck-action="decline">Don\'t share</a><button type="button" '
    'data-ck-action="accept">Share my payments with Example Credit Ltd</button>'
)
AGREE = "I agree to the Terms of Service and that"

SPOILT: dict[str, tuple[str, *tuple[tuple[str, str], ...]]] = {
    "a no that is a link": ("D04", (ANSWERS, LINK), ("</fieldset>", "")),
    "terms in the same sentence": ("D13", ("<legend>I agree that", f"<legend>{AGREE}")),
    "a radio button starts on yes": ("D01", (ACCEPT, f"checked {ACCEPT}")),
    "an optional box starts ticked": ("D01", (BOX, f"{BOX} checked")),
    "a pressed button": (
        "D01",
        (SAVE, NO_YES.replace("accept", 'accept" aria-pressed="true', 1)),
    ),
    "a list whose first option is yes": (
        "D01",
        (
            SAVE,
            "<label>Share my name <select><option>Yes<option>No</select></label>"
            + SAVE,
        ),
    ),
    "a grant in the form's address": (
        "D02",
        ("/consent/choices", "/consent/choices?consent=yes"),
    ),
    "a grant in a hidden field": (
        "D02",
        (SAVE, '<input type="hidden" name="choice.score.acme" value="given">' + SAVE),
    ),
    "a radio group without a no": ("D03", (DECLINE, 'value="x" data-ck-action="x"')),
    "text in points below twelve pixels": (
        "D08",
        ("<fieldset>", '<fieldset style="font-size: 8pt">'),
    ),
    "a small element": ("D08", ("Example Pay Ltd asks you.", "<small>We ask.</small>")),
    "the recipient in a closed details": (
        "D09",
        (
            RECIPIENT,
            f"<details><summary>Who</summary>{RECIPIENT}</details>",
        ),
    ),
    "the data in a tooltip": (
        "D09",
        ("<li>Your payments of the last year</li>", '<li title="Your payments"></li>'),
    ),
    "the purpose in a box that scrolls": (
        "D09",
        (
            'data-ck-essential="purpose"',
            'data-ck-essential="purpose" style="height: 2em; overflow: auto"',
        ),
    ),
    "no controller named": ("D09", ('data-ck-essential="controller"', "")),
    "a box for two purposes": (
        "D10",
        (BOX, f'{BOX} data-ck-purpose="score ads" data-x="'),
        (
            ' data-ck-purpose="score" data-ck-recipient="acme" data-ck-pol',
            " data-ck-pol",
        ),
    ),
    "two recipients on one radio button": (
        "D11",
        ('"acme"> Share my payments', '"acme other"> Share my payments'),
    ),
    "a field for something else": ("D12", (SAVE, '<input name="year">' + SAVE)),
    "a button for something else": ("D12", (SAVE, "<button>View my bill</button>")),
    "a box that has to be ticked": ("D14", (BOX, f"{BOX} required")),
    "a form that cannot be sent": (
        "D14",
        (SAVE, '<button type="submit" disabled>Save my answers</button>'),
    ),
    "a threat": ("D14", ("asks you.", "asks. You must agree to continue.")),
    "a later that begs": (
        "D15",
        (SAVE, '<button data-ck-action="later">I hate saving money</button>' + SAVE),
    ),
    "social proof": ("D16", ("asks you.", "asks you. Most people say yes.")),
    "a bait": ("D16", ("asks you.", "asks you. There is a bonus.")),
    "two negations on a box": (
        "D17",
        ("Also share my e-mail address", "Do not share without refusing my e-mail"),
    ),
    "a box that means no": ("D18", ('polarity="allow"', 'polarity="deny"')),
    "a switch without its state in words": (
        "D19",
        (BOX, '<input type="checkbox" role="switch" name="data.score.acme"'),
    ),
    "a yes that is called OK": (
        "D20",
        (SAVE, NO_YES.replace("Share my payments", "OK")),
    ),
    "a statement that only takes note": (
        "D21",
        ("<legend>I agree that", "<legend>I understand that"),
    ),
    "a purpose that could be anything": (
        "D22",
        ("work out a credit score.", "use it to improve our services for everybody."),
    ),
    "a purpose of few words": (
        "D22",
        ("Example Credit Ltd would work out a credit score.", "Credit score"),
    ),
    "an open class of recipients": (
        "D23",
        ("asks you.", "asks you. We share your payments with our partners."),
    ),
    "silence taken for a yes": (
        "D24",
        ("asks you.", "asks you. By using this page you agree."),
    ),
    "later and no no": (
        "D25",
        (SAVE, '<button data-ck-action="later">Ask me later</button>' + SAVE),
        (DECLINE, 'value="x" data-ck-action="x"'),
    ),
    "a clock": ("D26", (SAVE, '<p class="countdown">00:59</p>' + SAVE)),
    "a script that sends the form": (
        "D26",
        (END, "</form><script>setTimeout(() => form.submit(), 9000)</script>"),
    ),
    "a script that takes scrolling for a yes": (
        "D27",
        (
            END,
            "</form><script>addEventListener('scroll', () => acceptAll())</script>",
        ),
    ),
    "leaving with the mouse": (
        "D27",
        ("<section", '<section onmouseleave="document.forms[0].submit()"'),
    ),
    "a closing cross that agrees": (
        "D27",
        (SAVE, PAIR.format("decline", "Share nothing", "accept", "Close") + SAVE),
    ),
    "yes and no in another order": ("D29", (SAVE, SECOND + SAVE)),
    "focus on the yes": ("D30", (ACCEPT, f"autofocus {ACCEPT}")),
    "a yes that Enter presses": ("D30", (SAVE, YES_NO)),
    "another language than the page": ("D33", (HEAD + '"en"', HEAD + '"fr"')),
    "a message that nobody translated": (
        "D33",
        ("Example Pay Ltd asks you.", "consent.widget.asker"),
    ),
    "a picture": ("D34", (SAVE, '<img src="/smile.png" alt="">' + SAVE)),
    "an offer": ("D34", (SAVE, '<a href="/shop">See the special offer</a>' + SAVE)),
    "eleven boxes": ("D35", (SAVE, ELEVEN + SAVE)),
    "legal language": (
        "D36",
        (
            "asks you.",
            LEGALESE,
        ),
    ),
    "a promise not to share": (
        "D37",
        ("asks you.", "asks you. We never share your payments."),
    ),
    "optional and required": (
        "D37",
        (BOX, f"{BOX} required"),
        ("Also share my e-mail", "Optional: also share my e-mail"),
    ),
    "a script from elsewhere": (
        "D38",
        ("<body>", '<body><script src="https://cdn.example.net/x.js"></script>'),
    ),
    "a no that is disabled": ("D41", (DECLINE, f"disabled {DECLINE}")),
    "radio buttons in no group": (
        "D42",
        ("<fieldset><legend>", "<p>"),
        ("credit score</legend>", "credit score</p>"),
        ("</fieldset>", ""),
        (' aria-labelledby="t"', ""),
    ),
    "a label without the recipient": (
        "D42",
        (
            "Also share my e-mail address with Example Credit Ltd",
            "Also share my e-mail",
        ),
        (' aria-labelledby="t"', ""),
    ),
    "a yes to everything": (
        "D43",
        (SAVE, PAIR.format("decline", "Share nothing", "accept-all", "Agree to all")),
    ),
    "a stop that begs to stay": (
        "D45",
        (
            SAVE,
            SAVE
            + '<p>Are you sure?</p><button data-ck-action="withdraw">Stop</button>',
        ),
    ),
    "a yes of larger letters": ("D06", (SAVE, HEAVY_YES)),
    "a sentence in light grey": (
        "D07",
        ("Example Pay Ltd asks you.", '<span style="color:#bbb">We ask.</span>'),
    ),
    "a stop by telephone alone": (
        "D31",
        ("<fieldset>", "<p>To withdraw, call our customer service.</p><fieldset>"),
    ),
    "a stop that wants a reason": ("D31", (END, END + REASONED_STOP)),
    "a way back that leads nowhere": (
        "D32",
        ("You can stop", 'You can <a href="#">change your answer</a> or stop'),
    ),
    "a small no": ("D39", (SAVE, SMALL_NO)),
    "a switch that reads off and is on": (
        "D40",
        (BOX, BOX.replace("input", 'button role="switch" aria-checked="true"')),
        ("Also share my e-mail address with", "Off</button> Also share my mail with"),
    ),
    "a signal set aside": (
        "D44",
        ("<fieldset>", "<p>We ignore the Global Privacy Control.</p><fieldset>"),
    ),
    "a consent for ever": ("D46", ("asks you.", "asks you. Consent is final.")),
    "no way back": ("D46", ("You can stop at any time on", "Nothing changes on")),
}
# Two faults that cannot be told apart: the same words break both rules.
TOGETHER = {
    "a closing cross that agrees": {"D20"},
    "later and no no": {"D03"},
    "optional and required": {"D14"},
    "a yes that Enter presses": {"D29"},
    "a switch that reads off and is on": {"D01"},
}


def spoil(*changes: tuple[str, str]) -> str:
    """Return the good question with each text replaced by the one beside it."""
    html = GOOD
    for old, new in changes:
        assert old in html, old
        html = html.replace(old, new)
    return html


def spoilt(rule: str) -> pytest.MarkDecorator:
    """Parametrize a test with the pages that break a rule, and all they break."""
    return pytest.mark.parametrize(
        ("html", "broken"),
        [
            pytest.param(spoil(*changes), {rule} | TOGETHER.get(name, set()), id=name)
            for name, (broken, *changes) in SPOILT.items()
            if broken == rule
        ],
    )
