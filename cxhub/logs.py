"""Structured logs: readable lines while developing, one JSON object a line otherwise, and no customer in either."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.core.exceptions import PermissionDenied

from conversations.services.redaction import MASK, SMALLEST_CARD, mask

_EMAIL: Final = re.compile(r"[^\s@<>()\[\]'\"“”,;:=]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"(?<![\w+])\+\d(?:[ ()-]{0,2}\d){6,14}(?!\d)")
_ROW: Final = re.compile(
    r"^DETAIL: .*?(?=^CONTEXT: |^The above exception was|^During handling of the above|^Traceback \(most recent|\Z)",
    re.MULTILINE | re.DOTALL,
)
"""What PostgreSQL adds to a refused row: the row itself, with what the customer wrote."""
_ANY_PHONE: Final = re.compile(r"(?<![\w.:-])\+?\(?\d(?:[ ()/-]{0,2}\d){8,14}(?![\w.:-]*\w)")
"""A phone number as people write it in their own country; event texts hold times and amounts that would look like one."""
OURS: Final = ("cxhub", "reporting", "conversations", "routing")
_KEPT_AS_IT_IS: Final = ("timestamp", "level", "logger")


def with_our_details(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """A structlog processor: adds what our own code logs beside the event (`extra=`): plain values, without phone numbers in them.

    What libraries add is left out, for it may be anything: a request with its address and form, a task with its arguments.
    """
    record = event.get("_record")
    if record is None or record.name.split(".")[0] not in OURS:
        return event
    given = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
    for name, value in given.items():
        if isinstance(value, str):
            event[name] = _ANY_PHONE.sub(MASK * 3, value)
        elif value is None or isinstance(value, bool | int | float):
            event[name] = value
    return event


_OF_EVERY_RECORD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "event", "level", "timestamp"}
SHARED_PROCESSORS: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    with_our_details,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def without_customers(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """A structlog processor: takes card numbers, email addresses, international phone numbers and refused rows out of every value.

    A safety net for what an error's text may quote. What we log ourselves names conversations, calls and numbers of
    entries, never what somebody wrote or is called.
    """
    return {key: value if key in _KEPT_AS_IT_IS else _harmless(value) for key, value in event.items()}


def without_traces_of_answers(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """A structlog processor: a page that somebody may not open is an answer and no fault, so its line tells the page alone."""
    match event.get("exc_info"):
        case (_, PermissionDenied(), _):
            del event["exc_info"]
    return event


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return _PHONE.sub(MASK * 3, _EMAIL.sub(MASK * 3, mask(_ROW.sub("", value))))
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return mask(str(value)) if abs(value) >= SMALLEST_CARD else value
    if isinstance(value, Mapping):
        return {str(key): _harmless(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_harmless(each) for each in value]
    return value if isinstance(value, float) else _harmless(str(value))


def logging_configuration(*, level: str, as_json: bool) -> dict[str, Any]:
    """Configure structlog and return what Django's LOGGING wants; both write the same lines to standard error."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Rich tracebacks would take seconds each, and print the values of variables: what customers wrote among them.
    plain = structlog.dev.plain_traceback
    written: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    )
    last = [without_traces_of_answers, structlog.processors.format_exc_info, without_customers, written]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED_PROCESSORS,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "daphne": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
        },
    }
