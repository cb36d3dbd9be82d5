"""What may stand in a log line: nothing that a customer wrote, is called, or can be reached by."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from conversations.models import Identifier
from cxhub.logs import logging_configuration
from tests.record import rows

CARD = "4242 4242 4242 4242"


@pytest.fixture(params=[True, False], ids=["json", "readable"])
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is written to the log, in both forms, through a logger of its own."""
    configuration = logging_configuration(level="INFO", as_json=request.param)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    given = configuration["formatters"]["structured"]
    handler.setFormatter(given["()"](foreign_pre_chain=given["foreign_pre_chain"], processors=given["processors"]))
    loggers = [logging.getLogger(name) for name in ("tests.logs", "conversations.assistant")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    yield written
    for logger in loggers:
        logger.removeHandler(handler)
        logger.propagate = True


def test_card_numbers_addresses_and_numbers_of_people_are_taken_out(lines: io.StringIO) -> None:
    """Wherever they stand; what helps to find a fault stays."""
    logger = logging.getLogger("tests.logs")
    logger.warning("call %s refused: %s, %s, %s", "c7d1", CARD, "sam.okafor@example.com", {"phone": "+44 7700 900123"})
    try:
        raise ValueError(f"sam.okafor@example.com said {CARD}")
    except ValueError:
        logger.exception("turn_failed")
    text = lines.getvalue()
    assert "call c7d1 refused" in text
    assert "ValueError" in text
    assert "Traceback" in text
    for secret in ("4242 4242", "okafor", "900123"):
        assert secret not in text


@pytest.mark.django_db
def test_a_refused_row_is_not_quoted(lines: io.StringIO) -> None:
    """PostgreSQL's error quotes the row; the constraint's name is enough to find the fault."""
    customer = rows.customer()
    try:
        with transaction.atomic():
            Identifier.objects.create(
                customer=customer, original_customer=customer, kind="email", value="secret\n\nwords", assurance="sure", source="test"
            )
    except IntegrityError:
        logging.getLogger("tests.logs").exception("row_refused")
    text = lines.getvalue()
    assert "identifier_assurance_is_known" in text
    assert "secret" not in text
    assert "words" not in text


def test_a_line_of_ours_says_why(lines: io.StringIO) -> None:
    """A model that fails is logged with the reason; what would tell of a customer is taken out of it."""
    extra = {"why": "rate_limit", "detail": "429 for sam.okafor@example.com"}
    logging.getLogger("conversations.assistant.model.falling_back").warning("model_failed", extra=extra)
    text = lines.getvalue()
    assert "model_failed" in text
    assert "rate_limit" in text
    assert "429" in text
    assert "okafor" not in text


@pytest.mark.parametrize("written", ["07700 900123", "447700900123", "(020) 7946 0123", "+44 7700 900123"])
def test_no_number_of_a_person_is_among_the_details(lines: io.StringIO, written: str) -> None:
    call = "1f0a1111-2222-4333-8444-555555555555"
    extra = {"call": call, "attempt": 3, "at": "2026-11-26T14:34:34", "error": f"refused for {written}", "who": User(username="sam")}
    logging.getLogger("conversations.assistant").warning("text_not_sent", extra=extra)
    text = lines.getvalue()
    assert call in text
    assert "2026-11-26T14:34:34" in text
    assert "refused for" in text
    assert written not in text
    assert "sam" not in text, "objects may hold anything"


def test_what_libraries_add_is_left_out(lines: io.StringIO) -> None:
    logging.getLogger("tests.logs").warning("task_failed", extra={"arguments": "the spare key lies under the pot"})
    assert "spare key" not in lines.getvalue()


def test_identifiers_and_times_stay(lines: io.StringIO) -> None:
    """What is logged to find things again is not taken for a card or a phone number."""
    told = "conversation a4111111111111111bcdefabcdefabcd at 2026-11-26T14:34:34.262166+00:00 took 0.1234 s, entry 4711"
    logging.getLogger("tests.logs").warning(told)
    text = lines.getvalue()
    assert told in (json.loads(text)["event"] if text.startswith("{") else text)


def test_a_page_that_one_may_not_open_is_a_line_without_a_traceback(lines: io.StringIO, client: Client, db: None) -> None:
    """An agent who tries a manager's page is told so; nothing has failed."""
    django = logging.getLogger("django.request")
    handler = logging.getLogger("tests.logs").handlers[0]
    django.addHandler(handler)
    client.force_login(User.objects.create_user("ann"))
    assert client.get("/reports/").status_code == 403
    django.removeHandler(handler)
    assert "/reports/" in lines.getvalue()
    assert "Traceback" not in lines.getvalue()
