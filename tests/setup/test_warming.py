"""A process reads what a turn needs before anybody speaks, as far as it can."""

from __future__ import annotations

import logging

import pytest

from conversations.assistant.warming import warm_in_background
from conversations.models import Playbook
from routing.compiled import CompiledOnce, Given
from routing.models import ReasonCode
from tests.support.company import demo_company


@pytest.mark.django_db(transaction=True)
def test_what_is_compiled_once_is_compiled_and_nothing_goes_wrong(caplog: pytest.LogCaptureFixture) -> None:
    made: list[str] = []
    reasons = CompiledOnce(lambda: made.append("made") or ReasonCode.objects.filter(code=Given("code")))
    with demo_company(), caplog.at_level(logging.ERROR):
        warm_in_background().join()
        assert reasons.first(code="talk_to_person") is not None
    assert made == ["made"]
    assert not caplog.records


@pytest.mark.django_db(transaction=True)
def test_a_company_that_is_not_set_up_yet_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    with demo_company():
        pass
    assert not Playbook.objects.exists()
    with caplog.at_level(logging.ERROR):
        warm_in_background().join()
    assert not caplog.records
