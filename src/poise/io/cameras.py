"""The cameras of this machine, by number."""

from __future__ import annotations

import sys
from pathlib import Path

from poise.errors import InputError
from poise.io.videos import VideoFeed


def open_camera(number: int, timeout: float) -> VideoFeed:
    """Open a camera of this machine.

    Args:
        number: Zero-based; on Linux the number in ``/dev/video0``.
        timeout: Seconds without a frame after which the camera is given up.

    Raises:
        InputError: There is no such camera, or it gives no picture; says which there are.
    """
    name = f"camera {number}"
    options: dict[str, str] = {}
    if sys.platform == "linux":
        device, form, there = f"/dev/video{number}", "v4l2", _linux_cameras()
        if not Path(device).exists():
            found = f"cameras here: {', '.join(there)}" if there else "this machine shows no camera"
            raise InputError(f"there is no {device}", where=name, remedy=found)
    elif sys.platform == "darwin":
        # Many of Apple's cameras refuse the 29.97 frames per second that FFmpeg asks for.
        device, form, options = str(number), "avfoundation", {"framerate": "30"}
    else:
        device, form = _windows_camera(number, name), "dshow"
    return VideoFeed(device, name, options, form=form, timeout=timeout)


def _linux_cameras() -> list[str]:
    numbers = sorted(int(path.name[5:]) for path in Path("/dev").glob("video[0-9]*"))
    return [str(number) for number in numbers]


def _windows_camera(number: int, name: str) -> str:
    import av

    cameras = [
        device.name
        for device in av.enumerate_input_devices("dshow")
        if "video" in device.media_types
    ]
    if number >= len(cameras):
        found = ", ".join(f"{i} {camera}" for i, camera in enumerate(cameras)) or "none"
        raise InputError("there is no such camera", where=name, remedy=f"cameras here: {found}")
    return f"video={cameras[number]}"
