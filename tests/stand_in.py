"""A session of a network for tests: it answers with what it was given."""

from __future__ import annotations


class StandIn:
    """A session that answers with what it was given, and remembers what it was asked."""

    precision = "f32"

    def __init__(self, *outputs):
        self.outputs, self.seen = list(outputs), []

    def run(self, pictures):
        self.seen.append(pictures)
        return self.outputs
