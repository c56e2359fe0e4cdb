"""What a lead is and where it stands."""

from pipeline.models.accounts import Account
from pipeline.models.consents import Consent
from pipeline.models.events import Event
from pipeline.models.leads import Lead
from pipeline.models.money import ExchangeRate
from pipeline.models.pipelines import LostReason, Pipeline, Stage
from pipeline.models.search import SearchText
from pipeline.models.sources import AttributeDefinition, IdempotencyKey, LeadSource, SourceKey
from pipeline.models.tasks import Task
from pipeline.models.teams import Team
from pipeline.models.views import SavedView

__all__ = [
    "Account",
    "AttributeDefinition",
    "Consent",
    "Event",
    "ExchangeRate",
    "IdempotencyKey",
    "Lead",
    "LeadSource",
    "LostReason",
    "Pipeline",
    "SavedView",
    "SearchText",
    "SourceKey",
    "Stage",
    "Task",
    "Team",
]
