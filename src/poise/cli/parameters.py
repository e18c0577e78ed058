"""Command-line flags made from a dataclass of options, so that each is described once."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from poise.errors import UsageError


def take_options(**kinds: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command one flag for each field of some dataclasses.

    The command's keyword parameters of these names, such as ``options: Options``, are filled from
    the flags, whose types, defaults and help texts are those of the fields
    (``Annotated[type, "help"]``). Flags that are not made of the field's name follow the help
    text: ``Annotated[type, "help", "-m", "--model"]``.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        flags = {name: _flags(kind) for name, kind in kinds.items()}
        signature = inspect.signature(command)
        hints = get_type_hints(command, include_extras=True)
        shown = [
            p.replace(annotation=hints[name])
            for name, p in signature.parameters.items()
            if name not in kinds
        ] + [flag for each in flags.values() for flag in each]

        @functools.wraps(command)
        def wrapper(**values: Any) -> Any:
            for name, kind in kinds.items():
                chosen = {flag.name: values.pop(flag.name) for flag in flags[name]}
                values[name] = _make(kind, chosen)
            return command(**values)

        wrapper.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in shown}
        del wrapper.__wrapped__
        return wrapper

    return decorate


def _make(kind: type[Any], chosen: dict[str, Any]) -> Any:
    try:
        return kind(**chosen)
    except UsageError as error:
        name = str(error.where).rpartition(".")[2]
        if name not in chosen:
            raise
        flag = f"--{name.replace('_', '-')}"  # as the user wrote it
        raise UsageError(error.what, where=flag, remedy=error.remedy) from error


def _flags(kind: type[Any]) -> list[inspect.Parameter]:
    """One flag for each field: a dataclass's own fields first, then those that it inherits."""
    hints = get_type_hints(kind, include_extras=True)
    fields = sorted(dataclasses.fields(kind), key=lambda field: field.name not in vars(kind))
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=_flag(hints[field.name]),
        )
        for field in fields
    ]


def one_flag(kind: type[Any], field: str) -> Any:
    """Return the flag of one field, for a command that takes not all of a dataclass."""
    _, option = get_args(_flag(get_type_hints(kind, include_extras=True)[field]))
    return option


def _flag(hint: Any) -> Any:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"an option field needs Annotated[type, help], got {hint}")
    plain, text, *names = get_args(hint)
    word = "FILE" if "Path" in str(plain) else None
    return Annotated[plain, typer.Option(*names, help=text, metavar=word)]
