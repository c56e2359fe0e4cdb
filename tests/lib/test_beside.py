"""Calls beside the caller, each with its own database connection."""

import threading

import pytest
from django.db import connection

from leadcrm.lib.beside import beside
from pipeline.models import Account

WAIT = 30.0


@pytest.mark.django_db(transaction=True)
def test_calls_run_in_order_while_the_caller_goes_on():
    gone_on, done = threading.Event(), []

    def first():
        assert gone_on.wait(WAIT)
        Account.objects.create(name="A")
        done.append(1)

    with beside() as run:
        run(first)
        gone_on.set()
        run(lambda: done.append(2 if Account.objects.count() == 1 else 0))
    assert done == [1, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("more", [[lambda: None], []], ids=["at the next call", "at the end"])
def test_an_error_reaches_the_caller(more):
    def fail():
        raise LookupError("no such lead")

    def run_all(*calls):
        with beside() as run:
            for call in calls:
                run(call)

    with pytest.raises(LookupError):
        run_all(fail, *more)


@pytest.mark.django_db
def test_inside_a_transaction_all_happens_at_once():
    Account.objects.create(name="A")
    seen = []
    with beside() as run:
        run(lambda: seen.append((Account.objects.count(), connection.in_atomic_block)))
        assert seen == [(1, True)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("needed", [True, False])
def test_a_thread_is_opened_only_when_something_is_done_meanwhile(needed):
    seen = []
    with beside(needed) as run:
        run(lambda: seen.append(threading.current_thread()))
    assert (seen == [threading.current_thread()]) is not needed
