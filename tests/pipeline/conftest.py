"""Fixtures that several tests of the pipeline share."""

import pytest

from pipeline.models import Stage
from tests.distribution.world import stages


@pytest.fixture
def talks():
    return Stage.objects.create(pipeline=stages()["open"].pipeline, name="Talks", slug="talks", position=1)
