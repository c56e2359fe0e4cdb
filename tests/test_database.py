import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_tests_run_on_a_real_postgresql():
    assert connection.vendor == "postgresql"
