"""docs/api.md does what it says: its requests are sent, its answers are compared."""

import argparse
import json
import re
import shlex
import urllib.request
from pathlib import Path
from string import Template
from urllib.error import HTTPError

import pytest
from django.contrib.auth.models import User

from leadcrm.lib import problems
from pipeline.api.inputs import CONSENT_PARTS, FIELDS, PARTS
from pipeline.api.serializers import LeadOut
from pipeline.models import Stage
from pipeline.selectors import STATUSES
from tests.distribution.world import world
from tests.pipeline.api.partner import Partner

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
OF_THE_DAY = {"id", "created_at", "assigned_at", "summary", "detail"}
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```", re.MULTILINE | re.DOTALL)

curl = argparse.ArgumentParser("curl")
curl.add_argument("url")
curl.add_argument("-X", dest="method", default="GET")
curl.add_argument("-H", dest="headers", action="append", default=[])
curl.add_argument("-d", dest="body")


def send(command: str, **variables: str) -> tuple[int, dict]:
    """Sends what the command would send, without needing curl."""
    asked = curl.parse_args(shlex.split(Template(command.replace("\\\n", " ")).substitute(variables))[1:])
    headers = dict(header.split(": ", 1) for header in asked.headers)
    body = asked.body.encode() if asked.body else None
    try:
        with urllib.request.urlopen(urllib.request.Request(asked.url, body, headers, method=asked.method)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def agrees(answer, promised) -> bool:
    """Whether an answer has the names that the page shows, and the same values where they do not depend on the day."""
    if isinstance(promised, dict) and promised:
        return answer.keys() == promised.keys() and all(
            agrees(answer[name], value) for name, value in promised.items() if name not in OF_THE_DAY
        )
    if isinstance(promised, list) and promised:
        return len(answer) == len(promised) and all(map(agrees, answer, promised))
    return promised in ({}, []) or answer == promised  # the page shows {} and [] for "and so on"


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_page_get_the_answers_of_the_page(live_server):
    world("Ann Berg")
    User.objects.filter(username="ann.berg").update(first_name="Ann", last_name="Berg")
    variables = {"URL": live_server.url, "KEY": Partner().key, "ID": ""}
    Stage.objects.filter(slug="open").update(slug="new")
    blocks = BLOCK.findall(PAGE)
    examples = [
        (text, then) for (kind, text), then in zip(blocks, [*blocks[1:], ("", "")], strict=True) if kind == "sh"
    ]
    assert len(examples) > 5
    for command, (kind, text) in examples:
        status, answer = send(command, **variables)
        variables["ID"] = answer.get("id", variables["ID"])
        promised = json.loads(text) if kind == "json" else {}
        assert status == promised["status"] if "type" in promised else status in (200, 201)
        assert agrees(answer, promised), (command, answer)


def told_in_tables() -> set[str]:
    rows = re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_field_is_documented():
    assert {*FIELDS, *PARTS} <= told_in_tables()
    assert set(LeadOut().fields) <= told_in_tables()
    assert all(f"`{part}`" in PAGE for part in (*CONSENT_PARTS, *STATUSES))


def test_every_kind_of_error_is_documented():
    kinds = {*problems._CODES.values(), "invalid", "too-large", "key-reused", "in-flight", "unavailable", "internal"}
    documented = set(re.findall(r"^\| \d{3} \| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    assert documented == kinds - {"forbidden"}
