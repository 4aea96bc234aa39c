"""Every exception that consentkit raises on purpose.

::

    ConsentKitError
    ├── ConfigurationError        the installation is set up wrongly      (operator)
    ├── DeclarationError          a purpose, recipient or text is wrong   (developer)
    ├── InvalidRequestError       what was sent cannot be accepted        (client)
    ├── ConsentDeniedError        the gate said no; see ``.decision``     (nobody)
    │   └── UngatedSendError      a request went past the gate            (developer)
    ├── LogError                  the evidence log could not take it
    │   ├── LogConflictError      it contradicts what is already there
    │   │   └── StaleProcessError this process goes on with what was ended (operator)
    │   └── LogUnavailableError   it cannot be reached or written
    └── VerificationError         evidence does not hold; ``.step`` and ``.entry``
        ├── MalformedError        the bytes are not what the format says
        ├── UnknownKeyError       signed, but by nobody we were told to trust
        ├── InvalidSignatureError a key that we trust did not sign this
        ├── InclusionError        the entry is not in that tree
        └── ConsistencyError      one tree does not continue the other

Whatever is raised, ``wordless`` makes of it what may be printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.decision import Decision

__all__ = [
    "ConfigurationError",
    "ConsentDeniedError",
    "ConsentKitError",
    "ConsistencyError",
    "DeclarationError",
    "InclusionError",
    "InvalidRequestError",
    "InvalidSignatureError",
    "LogConflictError",
    "LogError",
    "LogUnavailableError",
    "MalformedError",
    "StaleProcessError",
    "UngatedSendError",
    "UnknownKeyError",
    "VerificationError",
    "wordless",
]


class ConsentKitError(Exception):
    """The root: catching it catches everything consentkit raises on purpose."""


class ConfigurationError(ConsentKitError):
    """The installation cannot work as configured; the message names the key."""


class DeclarationError(ConsentKitError):
    """A declared purpose, recipient, data category or text is not acceptable.

    ``missing`` lists every absent element of a notice when the declaration as a
    whole is incomplete (GDPR Art. 13; ISO/IEC 29184 5.3), else it is empty.
    """

    def __init__(self, message: str, *, missing: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)


class InvalidRequestError(ConsentKitError):
    """What a client sent cannot be accepted; nothing was stored.

    ``code`` is a stable word for the cause, the last part of a problem's type URI.
    """

    def __init__(self, message: str, *, code: str = "invalid-request") -> None:
        super().__init__(message)
        self.code = code


class ConsentDeniedError(ConsentKitError):
    """A share was refused; ``decision`` says why. The refusal is on record."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(
            f"sharing for purpose {decision.purpose!r} with recipient "
            f"{decision.recipient!r} is denied: {decision.reason}"
        )
        self.decision = decision


class UngatedSendError(ConsentDeniedError):
    """A request to a recipient's host outside of a share with it; nothing was sent.

    ``host`` is where it was to go, ``recipients`` whose host that is. ``decision``
    says that the gate was not asked.
    """

    def __init__(
        self,
        message: str,
        *,
        decision: Decision,
        host: str,
        recipients: frozenset[str],
    ) -> None:
        super().__init__(decision)
        self.args = (message,)
        self.host = host
        self.recipients = recipients


class LogError(ConsentKitError):
    """The evidence log could not take or give what was asked."""


class LogConflictError(LogError):
    """The write contradicts what the log already holds.

    ``size`` is how long a log of this name somebody else has seen, if that is it.
    """

    def __init__(self, message: str, *, size: int = 0) -> None:
        super().__init__(message)
        self.size = size


class StaleProcessError(LogConflictError):
    """This process holds a key that was retired, or a log that was closed: restart it.

    Nothing was stored, and nothing will be until then.
    """


class LogUnavailableError(LogError):
    """The log cannot be reached, or did not accept a write in time."""


class VerificationError(ConsentKitError):
    """Evidence does not hold: ``step`` names the check, ``entry`` the leaf index."""

    def __init__(
        self, message: str, *, step: str = "", entry: int | None = None
    ) -> None:
        super().__init__(message)
        self.step = step
        self.entry = entry


class MalformedError(VerificationError):
    """The bytes are not in the form that the format prescribes."""


class UnknownKeyError(VerificationError):
    """Nothing here is signed by a key that the verifier was told to trust."""


class InvalidSignatureError(VerificationError):
    """A trusted key's name stands on it, but the signature is not its own."""


class InclusionError(VerificationError):
    """The inclusion proof does not lead from the leaf to the root."""


class ConsistencyError(VerificationError):
    """The later tree does not continue the earlier one."""


def wordless(error: BaseException | None) -> BaseException | None:
    """The same error and its causes by type and frames, for ``exc_info`` and ``from``.

    A database says which key is there already, a driver which parameters it was given,
    an app whose row it could not write: a person's id each time. So what they said is
    left out; of a database its ``sqlstate`` stays. Our own messages are never about a
    person, and the system's say what the disk or the network did. None for None.
    """
    return _wordless(error, set())


def _wordless(error: BaseException | None, seen: set[int]) -> BaseException | None:
    if error is None or id(error) in seen:
        return None
    seen.add(id(error))
    kind = type(error)
    names = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "sqlstate": getattr(getattr(error, "orig", None) or error, "sqlstate", None),
    }
    copy: BaseException = type(kind.__name__, (Exception,), names)(*_sayable(error))
    copy.__cause__ = _wordless(error.__cause__, seen)
    copy.__context__ = _wordless(error.__context__, seen)
    copy.__suppress_context__ = error.__suppress_context__
    return copy.with_traceback(error.__traceback__)


def _sayable(error: BaseException) -> tuple[str, ...]:
    if isinstance(error, ConsentKitError):
        return (str(error),)
    if isinstance(error, OSError) and error.errno is not None:
        return (f"[Errno {error.errno}] {error.strerror}",)  # not of which file
    return ()
