"""Classifiers learned from the user's own examples.

Naming needs numpy only; learning needs scikit-learn (``pip install 'poise[teach]'``).
"""

from poise.classification.learning.file import load_classifier, save_classifier
from poise.classification.learning.prediction import Classifier

__all__ = ["Classifier", "load_classifier", "save_classifier"]
