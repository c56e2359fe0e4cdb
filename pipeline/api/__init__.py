"""The partner API, version 1: what sources send and may ask. Described at ``/api/v1/docs/``."""
