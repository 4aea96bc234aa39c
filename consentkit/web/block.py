"""A block that has to be entered: before that it has decided nothing."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from typing import Generic
from typing import NoReturn
from typing import ParamSpec
from typing import TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Block", "entered_first"]

P = ParamSpec("P")
T = TypeVar("T")


class Block(AbstractContextManager[T], Generic[T]):
    """What ``with`` enters, and ``if`` refuses: any object would be true to it."""

    def __init__(self, inner: AbstractContextManager[T], *, name: str) -> None:
        self._inner = inner
        self._name = name

    def __enter__(self) -> T:
        return self._inner.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._inner.__exit__(kind, error, traceback)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"expected 'with consent.{self._name}(…):'; got it as a condition, where "
            "it has decided nothing yet: 'consent.check(…)' is the one to ask"
        )


def entered_first(
    made: Callable[P, AbstractContextManager[T]],
) -> Callable[P, Block[T]]:
    """A decorator for what makes such a block; its name is that of the call."""

    @functools.wraps(made)
    def make(*args: P.args, **kwargs: P.kwargs) -> Block[T]:
        return Block(made(*args, **kwargs), name=made.__name__)

    return make
