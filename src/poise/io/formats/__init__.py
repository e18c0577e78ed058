"""Keypoint file formats, one module each; ``registry.py`` lists them."""
