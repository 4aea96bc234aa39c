"""Errors as they may be printed: what they are and where, not what they say.

A database says which key is there already, a driver which parameters it was given, an
app whose row it could not write: a person's id each time. So what is logged or raised
again is not such an error but its type and its frames. Our own messages are never about
a person, and the system's say what the disk or the network did.
"""

from __future__ import annotations

from consentkit.errors import ConsentKitError

__all__ = ["wordless"]


def wordless(error: BaseException | None) -> BaseException | None:
    """The same error and its causes by type and frames, for ``exc_info`` and ``from``.

    Of what a database said its ``sqlstate`` stays. None for None.
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
