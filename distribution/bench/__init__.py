"""Measurements of routing, for `manage.py bench`. Importing a module registers what it measures."""

from distribution.bench import assigning as assigning
from distribution.bench import boarding as boarding
from distribution.bench import deciding as deciding
from distribution.bench import fairness as fairness
from distribution.bench import promising as promising
from distribution.bench import requesting as requesting
from distribution.bench import searching as searching
