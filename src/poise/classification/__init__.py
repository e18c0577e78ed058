"""Name poses and actions: by rules, from examples, over time."""
