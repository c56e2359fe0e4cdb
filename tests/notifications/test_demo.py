"""The demo company answers its leads, over the channels that they agreed to."""

import pytest
from django.utils import timezone

from distribution.demo.making import make_demo
from notifications.kinds import KINDS
from notifications.models import Notification, Sequence, SequenceRun, SequenceStep
from notifications.services.fanout import fan_out
from notifications.services.sequences import sweep_sequences
from pipeline.models import Lead

pytestmark = pytest.mark.django_db(transaction=True)


def test_new_leads_that_agreed_are_answered_and_the_others_are_not():
    before = timezone.now()
    make_demo(7, new_leads=8, days=2)
    fan_out()
    sweep_sequences()
    leads = Lead.objects.filter(created_at__gte=before)
    answers = Notification.objects.filter(kind="first_response", lead__in=leads)
    queued = answers.filter(state=Notification.State.QUEUED)
    assert queued.exists()
    assert all(answer.lead.consents.filter(channel="email", granted=True).exists() for answer in queued)
    refused = answers.filter(state=Notification.State.SUPPRESSED)
    assert refused.exists()
    assert not refused.filter(lead__consents__granted=True).exists()


def test_its_history_is_not_written_to():
    make_demo(7, new_leads=0, days=2)
    fan_out()
    assert Sequence.objects.count() == 2
    assert not SequenceRun.objects.exists()
    assert set(SequenceStep.objects.values_list("kind", flat=True)) <= set(KINDS)
