"""Onboarding in the admin: upload, read the plan, confirm."""

import io
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from distribution.admin import onboard
from distribution.models import Rep
from pipeline.models import Account
from tests.distribution.test_onboarding import FILES

pytestmark = pytest.mark.django_db

URL = "/admin/distribution/rep/onboard/"


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }


@pytest.fixture
def boss() -> Client:
    return signed_in(User.objects.create_superuser("boss"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def upload(client: Client, files=FILES, **more):
    sent = [SimpleUploadedFile(name, text.encode()) for name, text in files.items()]
    return client.post(URL, {"exports": sent, **more}, secure=True)


def confirm(client: Client, ticket: str):
    return client.post(URL, {"ticket": ticket}, secure=True, follow=True)


def test_the_menu_leads_to_the_page(boss):
    assert reverse("admin:distribution_onboard") == URL
    assert URL in boss.get("/admin/", secure=True).content.decode()


def test_an_upload_shows_the_plan_and_changes_nothing(boss):
    shown = upload(boss).content.decode()
    assert "reps: 3 to create" in shown
    assert "sales_pipeline.csv, row 3, column product: &quot;ZephyrX&quot; is not a product." in shown
    assert not Rep.objects.exists()


def test_confirming_carries_the_plan_out_once(boss):
    ticket = upload(boss).context["ticket"]
    assert "reps: 3 created" in confirm(boss, ticket).content.decode()
    assert Rep.objects.count() == 3
    assert "not kept any more" in confirm(boss, ticket).content.decode()
    assert not default_storage.listdir("onboard")[1]


def test_a_second_upload_of_the_same_files_has_nothing_to_confirm(boss):
    confirm(boss, upload(boss).context["ticket"])
    assert "is here already" in upload(boss).content.decode()


def test_a_zip_holds_the_files_and_a_mapping_can_be_typed_in(boss):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"../../exports/{name}", text)
    sent = SimpleUploadedFile("all.zip", packed.getvalue())
    mapping = '[values.product]\nZephyrX = "Zephyr X"\n'
    shown = boss.post(URL, {"exports": [sent], "mapping": mapping}, secure=True)
    assert "opportunities: 5 to create" in shown.content.decode()


@pytest.mark.parametrize(
    ("files", "mapping", "sentence"),
    [
        ({"team.exe": "x"}, "", "team.exe is not a CSV file"),
        ({"team.zip": "x"}, "", "team.zip is not a zip file that can be read"),
        ({"team.csv": "PK\x03\x04"}, "", "Save it as CSV"),
        ({"team.csv": "colour\nred\n"}, "", "No file of a team"),
        (FILES, "[team", "is not TOML"),
        ({}, "", "This field is required"),
    ],
)
def test_what_cannot_be_used_is_told_on_the_form(boss, files, mapping, sentence):
    shown = upload(boss, files, mapping=mapping)
    assert shown.status_code == 200
    assert sentence in shown.content.decode()


def test_text_of_the_files_is_shown_as_text(boss):
    shown = upload(boss, {"team.csv": "name,office\n<script>alert(1)</script>,<b>North</b>\n"}).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;b&gt;North" in shown


def test_a_plan_belongs_to_the_one_who_uploaded_it(boss):
    ticket = upload(boss).context["ticket"]
    other = signed_in(User.objects.create_superuser("other"))
    assert "not kept any more" in confirm(other, ticket).content.decode()
    assert "not kept any more" in confirm(boss, ticket + "x").content.decode()
    assert not Rep.objects.exists()


def test_a_plan_can_be_confirmed_for_a_day(boss):
    ticket = upload(boss).context["ticket"]
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        boss.force_login(User.objects.get())
        assert "not kept any more" in confirm(boss, ticket).content.decode()
    assert not Rep.objects.exists()


def test_uploads_that_nobody_confirmed_are_removed_after_a_day(boss):
    upload(boss)
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        boss.force_login(User.objects.get())
        upload(boss)
    assert len(default_storage.listdir("onboard")[1]) == 1


def test_more_than_one_request_can_carry_out_is_left_to_the_command(boss, monkeypatch):
    monkeypatch.setattr(onboard, "MOST_STEPS", 3)
    shown = upload(boss)
    assert "manage.py onboard" in shown.content.decode()
    confirm(boss, shown.context["ticket"])
    assert not Account.objects.exists()


def test_only_who_may_add_people_and_companies_may_onboard():
    user = User.objects.create_user("half", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_rep"))
    assert signed_in(user).get(URL, secure=True).status_code == 403
    for name in ("add_user", "add_team", "add_account"):
        user.user_permissions.add(Permission.objects.get(codename=name))
    assert signed_in(User.objects.get(pk=user.pk)).get(URL, secure=True).status_code == 200


def test_nobody_onboards_without_signing_in():
    assert Client().get(URL, secure=True).status_code == 302
