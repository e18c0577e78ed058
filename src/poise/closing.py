"""What holds something open, and lets go of it or completes it at the end of a ``with``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """Closed at the end of a ``with``, however that ends."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it; closing twice does nothing more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Completing(Closing):
    """Completed by closing it, but discarded where its ``with`` ends in an error."""

    @abstractmethod
    def discard(self) -> None:
        """Leave nothing behind; does nothing once it is closed."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()
