"""Measurements of messages, for `manage.py bench`. Importing a module registers what it measures."""

from notifications.bench import notifying as notifying
