"""Loading the model that the flags name."""

from __future__ import annotations

import functools
from collections.abc import Callable

from poise.cli.progress import Ticker
from poise.models import load_model
from poise.models.base import PoseModel
from poise.options import ModelOptions


def load_named(model: ModelOptions, precision: str, ticker: Ticker) -> PoseModel:
    """Load a model, and say on the terminal what is chosen and fetched."""
    return load_model(
        model.model,
        precision=precision,
        weights=model.weights or None,
        card=model.card,
        accept_licence=model.accept_licence,
        engine=model.engine,
        report=ticker.say,
        progress=ticker.fetch,
    )


def load_once(model: ModelOptions, precision: str, ticker: Ticker) -> Callable[[], PoseModel]:
    """Return what loads a model the first time it is asked."""
    return functools.cache(functools.partial(load_named, model, precision, ticker))
