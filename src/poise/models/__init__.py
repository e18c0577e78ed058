"""Pose models: one file per family, the table that names them, and the way to load one."""

from __future__ import annotations

from poise.models.card import Card, read_card
from poise.models.loading import choose_model, load_model
from poise.models.recipe import Recipe, find_cards, find_model, list_cards, model_names, plain_name

__all__ = [
    "Card",
    "Recipe",
    "choose_model",
    "find_cards",
    "find_model",
    "list_cards",
    "load_model",
    "model_names",
    "plain_name",
    "read_card",
]
