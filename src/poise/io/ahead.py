"""Threads of the reader: one that decodes a few frames ahead, one that opens what may hang."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable

from poise.errors import InputError
from poise.io.feeds import Feed, Window
from poise.poses import Frame

# Frames decoded ahead of the consumer. More would hold memory and gain nothing.
_AHEAD = 4


class FrameQueue:
    """A few frames between the thread that decodes and the one that consumes.

    Args:
        drop: Whether a full queue loses its oldest frame (live) or makes the decoder wait.
    """

    def __init__(self, drop: bool) -> None:
        self._frames: deque[Frame] = deque()
        self._drop = drop
        self._changed = threading.Condition()
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def put(self, frame: Frame) -> bool:
        """Add a frame, as soon as there is room; False once nobody wants another."""
        with self._changed:
            if self._drop and len(self._frames) >= _AHEAD:
                self._frames.popleft()
            self._changed.wait_for(lambda: self._closed or len(self._frames) < _AHEAD)
            if not self._ended:
                self._frames.append(frame)
            self._changed.notify_all()
            return not (self._closed or self._ended)

    def end(self, error: BaseException | None) -> None:
        """No more frames will come, perhaps because of an error."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def get(self, timeout: float | None) -> Frame | None:
        """Return the next frame, or None after the last; raise what stopped the decoder."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._frames or self._ended, timeout):
                raise TimeoutError
            if self._frames:
                self._changed.notify_all()
                return self._frames.popleft()
            error, self._error = self._error, None
            if error is not None:
                raise error
            return None

    def close(self) -> None:
        """Nobody wants more frames."""
        with self._changed:
            self._closed = True
            self._frames.clear()
            self._changed.notify_all()


def fill(feed: Feed, window: Window, queue: FrameQueue) -> None:
    """The decoding thread: it alone touches the feed, and closes it."""
    error = None
    try:
        for frame in feed.frames(window):
            if not queue.put(frame):
                break
    except BaseException as caught:  # noqa: BLE001 - raised again where the frames are consumed
        error = caught
    finally:
        feed.close()
        queue.end(error)


def open_within(timeout: float, make: Callable[[], Feed], name: str) -> Feed:
    """Open a camera or stream in a thread of its own, so that the caller can be interrupted.

    Args:
        timeout: Seconds after which it is given up, whatever the driver or server does.
        make: Opens it.
        name: What to call it in messages.

    Raises:
        InputError: It was given up, or ``make`` raised one.
    """
    made: queue.SimpleQueue[Feed | BaseException] = queue.SimpleQueue()
    given_up = threading.Event()

    def work() -> None:
        try:
            feed = make()
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            made.put(error)
        else:
            made.put(feed)
            if given_up.is_set():
                feed.close()

    threading.Thread(target=work, name="poise-open", daemon=True).start()
    try:
        result = made.get(timeout=timeout)
    except queue.Empty:
        given_up.set()
        what = f"no picture came in {timeout:g} s"
        raise InputError(what, where=name, remedy="try a longer timeout") from None
    except BaseException:
        given_up.set()
        raise
    if isinstance(result, BaseException):
        raise result
    return result
