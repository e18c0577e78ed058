"""Sources as clips: what a user names, estimated or read, with everybody under one id."""

from poise.loading.footage import Footage, resize, track_rate
from poise.loading.options import LoadingOptions
from poise.loading.people import choose_track, identify, main_person, weigh_people
from poise.loading.sources import (
    Report,
    expand_sources,
    find_footage,
    is_clip,
    load_clip,
    name_sources,
)

__all__ = [
    "Footage",
    "LoadingOptions",
    "Report",
    "choose_track",
    "expand_sources",
    "find_footage",
    "identify",
    "is_clip",
    "load_clip",
    "main_person",
    "name_sources",
    "resize",
    "track_rate",
    "weigh_people",
]
