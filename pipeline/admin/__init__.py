"""Admin pages of leads and of where they come from. The lead's own page is registered by the app that routes leads."""

from pipeline.admin import accounts, attributes, history, money, pipelines, sources, tasks, teams

__all__ = ["accounts", "attributes", "history", "money", "pipelines", "sources", "tasks", "teams"]
