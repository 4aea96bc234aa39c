"""Neither of the two answers about somebody abroad is told as if it were enough."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import Host

BOTH = "Data is sent only if you say yes to both."
WHERE = "sending it abroad (<bdi>United States</bdi>)"
LACKS = {
    "a no to sharing": f"There is a yes to {WHERE}, but none to sharing.",
    "": f"There is a yes to sharing, but none to {WHERE}.",
}
PAIRS = {
    "a no to sending it there": ("given", {"night-desk": "refused"}, False),
    "no answer about sending it there": ("given", {}, False),
    "a no to sharing": ("refused", {"night-desk": "given"}, False),
    "yes to both": ("given", {"night-desk": "given"}, True),
}


@pytest.mark.requirement("R31", "R52", "R71")
@pytest.mark.parametrize("case", PAIRS)
def test_a_yes_that_is_not_enough_is_told_as_not_shared(
    shop: Host, maya: FlaskClient, case: str
) -> None:
    said, abroad, shared = PAIRS[case]
    result = answer(maya, "night-help", {"night-desk": said}, abroad=abroad)

    with shop.app.app_context():
        decision = shop.consent.check(
            MAYA, declared.NIGHT_HELP, recipient=declared.ABROAD
        )
    centre = maya.get("/consent/").text
    standing = maya.get("/consent/api/v1/status").get_json()["answers"]

    assert bool(decision) is shared
    assert ("You share data with <strong>nobody" in centre) is not shared
    assert ("Shared until" in centre) is shared
    assert ("Sent abroad until" in centre) is shared
    assert [each["holds"] for each in standing] == [shared, shared]
    assert ("consentkit-partial" in centre) is not shared
    if not shared:
        assert BOTH in result.text
        lacks = LACKS.get(case, LACKS[""])
        assert lacks in centre
        (part,) = re.findall(r'id="consentkit-partial".*?</section>', centre, re.DOTALL)
        assert "Answer the rest</a>" in part
        (button,) = re.findall("<button.*?</button>", part)
        assert 'class="consentkit-plain"' in button
        assert button.endswith(">Take back this yes</button>")
        told = " ".join(text for each in standing for text in each["told"])
        assert told.count("There is a yes to ") == 1
        assert "shares this data when it is needed" not in result.text
