"""Measurements of messages: `manage.py bench notify`."""
