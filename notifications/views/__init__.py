"""The pages and webhooks of notifications."""
