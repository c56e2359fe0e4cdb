"""Log lines as JSON objects, for installations that collect them (LOG_FORMAT=json)."""

import logging

import structlog


def json_formatter() -> logging.Formatter:
    """A formatter that renders every record, ours or a library's, as one JSON object per line."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
