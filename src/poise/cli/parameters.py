"""Command-line flags made from a dataclass of options, so that each is described once."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from poise.errors import UsageError


def take_options(kind: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command one flag for each field of a dataclass.

    The command's last keyword parameter must be ``options: kind``; it is filled from the flags,
    whose types, defaults and help texts are those of the fields (``Annotated[type, "help"]``).
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        flags = _flags(kind)
        signature = inspect.signature(command)
        hints = get_type_hints(command, include_extras=True)
        kept = [
            p.replace(annotation=hints[name])
            for name, p in signature.parameters.items()
            if name != "options"
        ]

        @functools.wraps(command)
        def wrapper(**values: Any) -> Any:
            chosen = {flag.name: values.pop(flag.name) for flag in flags}
            return command(**values, options=_make(kind, chosen))

        wrapper.__signature__ = inspect.Signature([*kept, *flags])  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in [*kept, *flags]}
        del wrapper.__wrapped__
        return wrapper

    return decorate


def _make(kind: type[Any], chosen: dict[str, Any]) -> Any:
    try:
        return kind(**chosen)
    except UsageError as error:
        if error.where not in chosen:
            raise
        flag = f"--{str(error.where).replace('_', '-')}"  # as the user wrote it
        raise UsageError(error.what, where=flag, remedy=error.remedy) from error


def _flags(kind: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=_flag(hints[field.name]),
        )
        for field in dataclasses.fields(kind)
    ]


def _flag(hint: Any) -> Any:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"an option field needs Annotated[type, help], got {hint}")
    plain, text = get_args(hint)
    return Annotated[plain, typer.Option(help=text)]
