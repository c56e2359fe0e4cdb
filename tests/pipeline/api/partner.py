"""A partner with a key, who talks to the API."""

import json
from typing import Any

from django.test import Client

from pipeline.models import LeadSource
from pipeline.services.keys import issue_key
from tests.distribution.world import make_source, stages

LEADS = "/api/v1/leads/"
BULK = "/api/v1/leads/bulk/"


class Partner:
    """The partner behind a source; a new one by its short name."""

    def __init__(self, source: LeadSource | str = "web", **more: Any) -> None:
        stages()
        self.source = make_source(source, **more) if isinstance(source, str) else source
        self.row, self.key = issue_key(self.source)
        self.client = Client(headers={"Authorization": f"Bearer {self.key}"})

    def get(self, path: str = LEADS, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, body: Any, path: str = LEADS, *, key: str = "", **headers: str) -> Any:
        """Bytes and texts go as they are, everything else as JSON. ``key``: the Idempotency-Key."""
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        sent = {"Idempotency-Key": key, **headers} if key else headers
        return self.client.post(path, raw, content_type="application/json", headers=sent)

    def bulk(self, *leads: Any, key: str = "") -> Any:
        return self.post({"leads": list(leads)}, BULK, key=key)


def faults(response: Any) -> dict[str, str]:
    """The kinds of fault by field, of an answer that must be a problem."""
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body.keys() == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == response.status_code
    return {error["field"]: error["code"] for error in body["errors"]}
