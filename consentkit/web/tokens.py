"""Form tokens: stateless, signed, and good for one person, one notice and one use.

A token says nothing that could be agreed to: it names the notice, and the notice says
what was offered. Loading a page therefore writes nothing, and a form that somebody
else made up, edited or kept for too long is refused before anything is read from it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import asdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from itsdangerous import BadData
from itsdangerous import SignatureExpired
from itsdangerous import URLSafeTimedSerializer

from consentkit.core import canonical
from consentkit.errors import InvalidRequestError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.log.encoding import decode_base64url
from consentkit.log.encoding import encode_base64url
from consentkit.service.awaiting import Awaited
from consentkit.service.openings import Opening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.act import Millis

__all__ = ["AnswerToken", "Errand", "LinkToken", "StopToken", "Tokens"]

_ANSWER = "consentkit/answer@v1"
_STOP = "consentkit/stop@v1"
_ERASURE = "consentkit/erasure@v1"
_DELEGATION = "consentkit/delegation@v1"
_AGAIN = "consentkit/again@v1"
_LINK = "consentkit/link@v1"
_ERRAND = "consentkit/errand@v1"
_NONCE_BYTES = 16
_MAX_TOKEN = 2_048  # ours are some 300 characters
_MAX_LINK = 6_000  # what a web server takes as a line; ours are some 500 characters
_STOP_LIFETIME = 30 * 24 * 3_600  # a page left open must still be able to stop sharing


@dataclass(frozen=True, slots=True)
class AnswerToken:
    """A genuine token of an answer form.

    ``challenge`` is the SHA-256 of what makes it single-use, in hex; ``opened`` what
    was known of the person when it was made.
    """

    notice: str
    challenge: str
    opened: Opening


@dataclass(frozen=True, slots=True)
class StopToken:
    """A genuine token of a stop button: what it stops, None for all."""

    purpose: str | None
    recipient: str | None


@dataclass(frozen=True, slots=True)
class LinkToken:
    """A genuine link that confirms a yes: what it was said to, and what it said.

    ``challenge`` is the SHA-256 of what makes it single-use, in hex.
    """

    notice: str
    awaited: tuple[Awaited, ...]
    challenge: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What somebody wanted when they were sent to a question.

    ``data`` are the categories that it needs, ``assurance`` how well proven the yes has
    to be. ``back`` is the page they came from and ``onward`` the one they wanted: paths
    of this app, or empty. Without ``recipient`` they wanted to answer, and no more.
    """

    purpose: str
    recipient: str = ""
    data: tuple[str, ...] = ()
    assurance: str = "session"
    back: str = ""
    onward: str = ""


class Tokens:
    """Issues and reads the tokens of one installation."""

    def __init__(self, key: bytes, *, lifetime: int) -> None:
        self._key = key
        self._lifetime = lifetime

    def issue_answer(self, subject: str, notice: str, opened: Opening) -> str:
        """A token with which ``subject`` can answer ``notice``, once.

        ``opened`` is what is known of the person whose answer it is.
        """
        return self._issue(
            _ANSWER,
            {
                "h": opened.handle,
                "n": secrets.token_hex(_NONCE_BYTES),
                "p": opened.position,
                "s": self._tag(subject),
                "w": notice,
            },
        )

    def read_answer(self, token: str, subject: str) -> AnswerToken:
        """The token's meaning, once it is known to be genuine, fresh and the person's.

        Raises:
            InvalidRequestError: it is not; the code is ``token-expired``,
                ``token-invalid`` or ``foreign-token``.
        """
        body = self._read(_ANSWER, token, subject, self._lifetime)
        return AnswerToken(
            notice=str(body["w"]),
            challenge=_challenge(_ANSWER, body["n"]),
            # A form of a version before knew neither: it may be as old as can be.
            opened=Opening(str(body.get("h", "")), int(body.get("p", 0))),
        )

    def notice_of(self, token: str, subject: str) -> str:
        """The notice that a genuine token of the person names, however old it is.

        Nothing may be stored on it: it only says which question to ask again.

        Raises:
            InvalidRequestError: it is not genuine, or somebody else's.
        """
        return str(self._read(_ANSWER, token, subject, None)["w"])

    def issue_stop(
        self, subject: str, purpose: str | None = None, recipient: str | None = None
    ) -> str:
        """A token with which ``subject`` can end a grant; repeating it is harmless."""
        return self._issue(
            _STOP, {"p": purpose, "r": recipient, "s": self._tag(subject)}
        )

    def read_stop(self, token: str, subject: str) -> StopToken:
        """The token's meaning, once it is known to be genuine and the person's.

        Raises:
            InvalidRequestError: it is not; the code is ``token-expired``,
                ``token-invalid`` or ``foreign-token``.
        """
        body = self._read(_STOP, token, subject, _STOP_LIFETIME)
        return StopToken(purpose=body["p"], recipient=body["r"])

    def issue_again(self, subject: str, act: str) -> str:
        """A token with which ``subject`` has the link of that act sent again, once."""
        nonce = secrets.token_hex(_NONCE_BYTES)
        return self._issue(_AGAIN, {"a": act, "n": nonce, "s": self._tag(subject)})

    def read_again(self, token: str, subject: str) -> tuple[str, str]:
        """The act, and the challenge of the token, once it is known to be the person's.

        Raises:
            InvalidRequestError: it is not; the code is ``token-expired``,
                ``token-invalid`` or ``foreign-token``.
        """
        body = self._read(_AGAIN, token, subject, self._lifetime)
        return str(body["a"]), _challenge(_AGAIN, body["n"])

    def issue_link(
        self, subject: str, notice: str, awaited: Iterable[Awaited], *, until: Millis
    ) -> str:
        """A link's token, good for ``subject`` alone, once, before ``until``.

        Sealed, for a link travels by mail, and what it is about is nobody's business.
        """
        body = {
            "a": [each.to_dict() for each in awaited],
            "n": secrets.token_hex(_NONCE_BYTES),
            "s": self._tag(subject),
            "u": until,
            "w": notice,
        }
        sealed = sealing.seal(self._link_key, canonical.encode(body), _LINK.encode())
        return encode_base64url(sealed)

    def read_link(self, token: str, subject: str, *, now: Millis) -> LinkToken:
        """What a link confirms, once it is known to be genuine, fresh and the person's.

        Raises:
            InvalidRequestError: it is not; the code is ``link-expired``,
                ``link-invalid`` or ``link-foreign``.
        """
        try:
            if len(token) > _MAX_LINK:
                raise MalformedError("a link of ours is shorter")
            sealed = decode_base64url(token)
            opened = sealing.unseal(self._link_key, sealed, _LINK.encode())
        except VerificationError as error:
            raise InvalidRequestError(
                "this link does not come from here, or is not whole",
                code="link-invalid",
            ) from error
        body: dict[str, Any] = canonical.decode(opened)  # type: ignore[assignment]  # sealed by us
        if not hmac.compare_digest(str(body["s"]), self._tag(subject)):
            raise InvalidRequestError(
                "this link was made for somebody else; nothing was stored",
                code="link-foreign",
            )
        if now >= body["u"]:
            raise InvalidRequestError(
                "this link is too old; nothing was stored", code="link-expired"
            )
        return LinkToken(
            notice=str(body["w"]),
            awaited=tuple(map(Awaited.from_dict, body["a"])),
            challenge=_challenge(_LINK, body["n"]),
        )

    @property
    def _link_key(self) -> bytes:
        return self._sealing_key(_LINK)

    def issue_errand(self, subject: str, errand: Errand) -> str:
        """What ``subject`` wanted, sealed: addresses are logged and looked over."""
        body = {**asdict(errand), "data": list(errand.data), "s": self._tag(subject)}
        key = self._sealing_key(_ERRAND)
        sealed = sealing.seal(key, canonical.encode(body), _ERRAND.encode())
        return encode_base64url(sealed)

    def read_errand(self, token: str, subject: str) -> Errand | None:
        """What they wanted; None if it is not genuine, whole, or not theirs.

        Nothing rests on it, so that a bad one is nobody's fault.
        """
        try:
            if len(token) > _MAX_LINK:
                raise MalformedError("an errand of ours is shorter")
            key = self._sealing_key(_ERRAND)
            opened = sealing.unseal(key, decode_base64url(token), _ERRAND.encode())
        except VerificationError:
            return None
        body: dict[str, Any] = canonical.decode(opened)  # type: ignore[assignment]  # sealed by us
        if not hmac.compare_digest(str(body.pop("s")), self._tag(subject)):
            return None
        return Errand(**{**body, "data": tuple(body["data"])})

    def _sealing_key(self, use: str) -> bytes:
        return hmac.digest(self._key, use.encode(), "sha256")

    def issue_delegation(self, subject: str, delegation: str) -> str:
        """A token with which ``subject`` can take a delegation back; harmless twice."""
        return self._issue(_DELEGATION, {"d": delegation, "s": self._tag(subject)})

    def read_delegation(self, token: str, subject: str) -> str:
        """The delegation, once the token is known to be genuine and the person's.

        Raises:
            InvalidRequestError: it is not; the code is ``token-expired``,
                ``token-invalid`` or ``foreign-token``.
        """
        return str(self._read(_DELEGATION, token, subject, _STOP_LIFETIME)["d"])

    def issue_erasure(self, subject: str, handle: str) -> str:
        """A token with which ``subject`` can erase what stands under ``handle``.

        Single-use by nature: an erased handle never comes back.
        """
        return self._issue(_ERASURE, {"h": handle, "s": self._tag(subject)})

    def read_erasure(self, token: str, subject: str) -> str:
        """The handle that may be erased, once the token is known to be the person's.

        Raises:
            InvalidRequestError: it is not; the code is ``token-expired``,
                ``token-invalid`` or ``foreign-token``.
        """
        return str(self._read(_ERASURE, token, subject, self._lifetime)["h"])

    def _issue(self, salt: str, body: dict[str, Any]) -> str:
        token = self._serializer(salt).dumps(body)
        return token if isinstance(token, str) else token.decode()

    def _read(
        self, salt: str, token: str, subject: str, lifetime: int | None
    ) -> dict[str, Any]:
        if len(token) > _MAX_TOKEN:
            raise _not_ours()
        try:
            body: dict[str, Any] = self._serializer(salt).loads(token, max_age=lifetime)
        except SignatureExpired as error:
            raise InvalidRequestError(
                "this form was open for too long; nothing was stored",
                code="token-expired",
            ) from error
        except BadData as error:
            raise _not_ours() from error
        if not hmac.compare_digest(str(body["s"]), self._tag(subject)):
            raise InvalidRequestError(
                "this form was made for somebody else; nothing was stored",
                code="foreign-token",
            )
        return body

    def _serializer(self, salt: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._key,
            salt=salt,
            signer_kwargs={
                "digest_method": hashlib.sha256,
                "key_derivation": "hmac",
            },
        )

    def _tag(self, subject: str) -> str:
        """The person, recognisable to us and to nobody who sees the page."""
        return hmac.digest(self._key, f"subject\n{subject}".encode(), "sha256").hex()


def _challenge(salt: str, nonce: str) -> str:
    """What makes a token single-use.

    Over the nonce, not over the token's text: base64 has more than one spelling of the
    same bytes, and a second spelling must not be a second use.
    """
    return hashlib.sha256(f"{salt}\n{nonce}\n".encode()).hexdigest()


def _not_ours() -> InvalidRequestError:
    return InvalidRequestError(
        "this form does not come from here; nothing was stored", code="token-invalid"
    )
