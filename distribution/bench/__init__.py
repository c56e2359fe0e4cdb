"""Measurements of routing, for `manage.py bench`. Importing a module registers what it measures."""

from distribution.bench import fairness as fairness
