"""Work done by one thread beside the caller's, in order, with a bounded queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Background(Generic[Item]):
    """Hands items to a function in a thread of its own.

    Args:
        work: Called with each item, in order. After it has raised once, it is not called again.
        waiting: How many items may wait; then ``put`` waits too.
    """

    def __init__(self, work: Callable[[Item], None], waiting: int) -> None:
        self._work = work
        self._items: queue.Queue[Item | None] = queue.Queue(waiting)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="poise-pictures", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Add an item; raises what the work on an earlier one raised."""
        self._raise()
        self._items.put(item)

    def finish(self) -> None:
        """Wait until all is done; raises what the work raised."""
        self._end()
        self._raise()

    def stop(self) -> None:
        """Drop what waits, and wait for the item in work."""
        self._work = _do_nothing
        self._end()

    def _end(self) -> None:
        if self._thread.is_alive():
            self._items.put(None)
            self._thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            if self._error is None:
                try:
                    self._work(item)
                except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                    self._error = error


def _do_nothing(_: object) -> None:
    return
