"""Neither of the two answers about somebody abroad is told as if it were enough."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import Host

BOTH = "Data is sent only if you say yes to both."
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
    if not shared:
        assert BOTH in result.text
        assert BOTH in centre
        assert "shares this data when it is needed" not in result.text
