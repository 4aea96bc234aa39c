"""What a careful recipient asks for: proof that it may hold what it is handed.

Only ``consentkit.audit`` is needed for that, and the keys of the sender's log, which
the two companies gave each other when they signed their contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import abort
from flask import current_app
from flask import jsonify
from flask import make_response
from flask import request

from consentkit.audit import RELEASE_HEADER
from consentkit.audit import Trust
from consentkit.audit import VerifiedRelease
from consentkit.audit import verify_release
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

__all__ = ["check_content", "check_release"]


def check_release(recipient: str) -> VerifiedRelease:
    """The proof that came with this request, for exactly its bytes; or 403."""
    trust = Trust.of(current_app.config["RECIPIENT_LOG_KEYS"])
    try:
        return verify_release(
            request.headers.get(RELEASE_HEADER, ""),
            trust=trust,
            recipient=recipient,
            body=request.get_data(),
        )
    except VerificationError as error:
        _refuse(f"no proof that we may hold it: {error.step}")


def check_content(content: Mapping[str, Any], release: VerifiedRelease) -> None:
    """Refuse what says something else than the proof does."""
    if (
        content["purpose"] != release.purpose
        or content["record"] != release.record
        or not release.data.issuperset(content["data"])
    ):
        _refuse("the proof is about something else")


def _refuse(why: str) -> NoReturn:
    abort(make_response(jsonify(error=why), 403))
