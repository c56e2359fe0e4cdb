"""Who may come in, and how often."""

import pytest
import time_machine
from django.test import Client

from pipeline.models import SourceKey
from pipeline.services.keys import issue_key, revoke_key
from tests.pipeline.api.partner import LEADS, Partner, faults

pytestmark = pytest.mark.django_db


def ask(authorization=None):
    return Client(headers={"Authorization": authorization} if authorization is not None else {}).get(LEADS)


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer lead_nobody", "Bearer \xff", "x" * 10_000]
)
def test_without_a_good_key_nobody_comes_in(authorization):
    answer = ask(authorization)
    assert (answer.status_code, faults(answer)) == (401, {})
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_signed_in_user_is_no_partner(admin_client):
    assert admin_client.get(LEADS).status_code == 401


def test_a_revoked_key_is_refused_at_once_and_another_key_of_the_source_works_on():
    partner = Partner()
    _, second = issue_key(partner.source)
    revoke_key(partner.row)
    answer = partner.get()
    assert (answer.status_code, "revoked" in answer.json()["detail"]) == (401, True)
    assert ask(f"Bearer {second}").status_code == 200


def test_an_inactive_source_is_refused_with_a_clear_answer():
    partner = Partner()
    partner.source.active = False
    partner.source.save()
    answer = partner.post({"email": "ada@acme.example"})
    assert (answer.status_code, "switched off" in answer.json()["detail"]) == (401, True)


def test_only_a_digest_of_the_key_is_kept():
    partner = Partner()
    stored = SourceKey.objects.values().get()
    assert partner.key not in str(stored)
    assert stored["digest"] != partner.key
    assert partner.key.startswith(stored["prefix"])


def test_the_last_use_is_noted_to_the_minute_without_a_write_per_request(django_assert_num_queries):
    partner = Partner()
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False):
        partner.get()
    with time_machine.travel("2026-03-01T10:00:59Z", tick=False), django_assert_num_queries(2):
        partner.get()
    partner.row.refresh_from_db()
    assert partner.row.last_used_at.isoformat() == "2026-03-01T10:00:00+00:00"
    with time_machine.travel("2026-03-01T10:01:01Z", tick=False):
        partner.get()
    partner.row.refresh_from_db()
    assert partner.row.last_used_at.isoformat() == "2026-03-01T10:01:01+00:00"


def test_too_many_requests_are_told_when_to_go_on_and_others_are_not_slowed():
    partner, other = Partner("web", requests_per_minute=2), Partner("fair")
    with time_machine.travel("2026-03-01T10:00:20Z", tick=False):
        assert [partner.get().status_code for _ in range(2)] == [200, 200]
        refused = partner.post({"email": "ada@acme.example"})
        assert (refused.status_code, refused["Retry-After"], faults(refused)) == (429, "40", {})
        assert other.get().status_code == 200
    with time_machine.travel("2026-03-01T10:01:00Z", tick=False):
        assert partner.get().status_code == 200


def test_each_key_of_a_source_has_a_budget_of_its_own():
    first = Partner("web", requests_per_minute=1)
    second = Partner(first.source)
    with time_machine.travel("2026-03-01T10:00:20Z", tick=False):
        assert [first.get().status_code, first.get().status_code] == [200, 429]
        assert second.get().status_code == 200
