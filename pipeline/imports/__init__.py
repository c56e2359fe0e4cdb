"""Leads from CSV files: read with the source's own names, stored like any others, then routed."""
