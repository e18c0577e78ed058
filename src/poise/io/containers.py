"""Opening what FFmpeg reads, and only what it should. FFmpeg's errors are translated here.

Only the containers, protocols and decoders named below are used, so that a text that pretends to
be a video cannot make FFmpeg open other files or addresses, and decoders that few people need and
many have attacked stay shut.

Decoding runs in one thread for pictures of up to a megapixel: on two cores that inference wants
too, it cost a tenth less processor time than FFmpeg's own threads.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import IO, Any

from poise.errors import InputError
from poise.io.feeds import MAX_FRAME_PIXELS, READABLE

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,ivf,yuv4mpegpipe"
STREAM_CONTAINERS = f"{CONTAINERS},rtsp,mpjpeg,mjpeg,hls"
STREAM_PROTOCOLS = "rtsp,rtsps,rtp,udp,tcp,tls,http,https,httpproxy,crypto"

# FFmpeg's names of the codecs (not of its decoders). Left out on purpose: MagicYUV, JPEG 2000 and
# FFV1, and everything rare.
_CODECS = (
    "h264,hevc,vp8,vp9,av1,mjpeg,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4v3,mpeg1video,mpeg2video,h263,"
    "flv1,wmv1,wmv2,wmv3,vc1,theora,prores,dnxhd,dvvideo,png,rawvideo"
)
# The same for FFmpeg's own look into the first packets, with the decoders' names where they differ
# and with common sound, without which it would search a transport stream for seconds.
_PROBED = (
    f"{_CODECS},libdav1d,msmpeg4,flv,aac,ac3,eac3,mp2float,mp3float,opus,libopus,vorbis,flac,"
    "pcm_s16le,pcm_alaw,pcm_mulaw"
)

# From here on FFmpeg may use a thread a core.
_MANY_PIXELS = 1_100_000


def open_container(
    place: str | IO[bytes],
    name: str,
    options: dict[str, str],
    *,
    form: str | None = None,
    timeout: float | None = None,
) -> tuple[Any, Any]:
    """Open a container and prepare the decoder of its video.

    Args:
        place: What FFmpeg opens.
        name: What to call it in messages.
        options: FFmpeg's options for opening: which containers and protocols may be used.
        form: FFmpeg's name of the container, where it cannot be found out.
        timeout: Seconds without data after which a camera or stream is given up.

    Returns:
        PyAV's container and its video stream.

    Raises:
        InputError: It cannot be opened, holds no video, or one that Poise does not read.
    """
    container = open_demuxer(place, name, options, form=form, timeout=timeout)
    try:
        stream = _pick(container, name)
        prepare_video(stream.codec_context, name)
    except BaseException:
        container.close()
        raise
    return container, stream


def open_demuxer(
    place: str | IO[bytes],
    name: str,
    options: dict[str, str],
    *,
    form: str | None = None,
    timeout: float | None = None,
) -> Any:
    """Open a container and prepare no decoder; takes and raises what ``open_container`` does."""
    import av

    with translated(name, timeout):
        return av.open(
            place,
            format=form,
            options={"codec_whitelist": _PROBED, **options},
            timeout=timeout,
            **_lenient(),
        )


def _lenient() -> dict[str, str]:
    """Titles and comments that are not UTF-8 are no reason to refuse; PyAV 19 does so itself."""
    from av import __version__

    return {"metadata_errors": "replace"} if int(__version__.partition(".")[0]) < 19 else {}


@contextlib.contextmanager
def translated(name: str, timeout: float | None = None) -> Iterator[None]:
    """Turn FFmpeg's errors into one line of ours.

    Args:
        name: What to call the source in messages.
        timeout: Seconds after which FFmpeg was told to give up; what it says then is not why.
    """
    from av import error as av_error

    start = time.monotonic()
    try:
        yield
    except (av_error.FFmpegError, OSError, UnicodeError) as error:
        late = timeout is not None and time.monotonic() - start >= timeout
        if late or isinstance(error, av_error.ExitError | av_error.TimeoutError):
            raise InputError(
                "no data came in time", where=name, remedy="try a longer timeout"
            ) from error
        if isinstance(error, _malformed()):
            what = "not a picture or video that can be read, or damaged at its beginning"
            if "://" in name:
                what = "not a video that can be read"
                remedy = "only videos and streams are read from addresses; save a picture first"
                raise InputError(what, where=name, remedy=remedy) from error
            raise InputError(what, where=name, remedy=READABLE) from error
        reason = (getattr(error, "strerror", None) or type(error).__name__).lower()
        raise InputError(f"cannot be read ({reason})", where=name) from error
    except MemoryError as error:
        raise InputError("does not fit into memory", where=name) from error


def _malformed() -> tuple[type[Exception], ...]:
    from av import error

    return error.InvalidDataError, error.EOFError, error.ArgumentError, error.PatchWelcomeError


def find_video(container: Any) -> Any | None:
    """Return the first video stream of a container, or None; cover art of a song is none."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _pick(container: Any, name: str) -> Any:
    stream = find_video(container)
    if stream is not None:
        return stream
    sound = "only sound" if container.streams.audio else "no picture"
    raise InputError(f"the file holds {sound}", where=name, remedy="name a video")


def prepare_video(context: Any, name: str) -> None:
    """Check the codec and the size of a video's frames, and choose the threads.

    Raises:
        InputError: The codec is not read, or the frames are too large.
    """
    codec = "unknown" if context is None else context.codec.canonical_name
    if codec not in _CODECS.split(","):
        remedy = "convert it to a common codec such as H.264, HEVC, VP9 or AV1"
        raise InputError(f"codec {codec} is not read", where=name, remedy=remedy)
    pixels = context.width * context.height
    if pixels > MAX_FRAME_PIXELS:
        what = f"frames of {context.width}x{context.height} pixels are too large"
        most = f"the most is {MAX_FRAME_PIXELS // 1_000_000} million pixels"
        raise InputError(what, where=name, remedy=most)
    context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    if pixels > _MANY_PIXELS:
        context.thread_type = "AUTO"
    else:
        context.thread_count = 1
