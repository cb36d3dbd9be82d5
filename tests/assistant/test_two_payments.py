"""A promise to pay with another one to come: nothing that was said is lost, and what is done is not gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from conversations.models import PaymentPromise
from tests.assistant.conftest import Line
from tests.assistant.test_errands import on, proves

pytestmark = pytest.mark.usefixtures("monday")
TOM, FIRST, SECOND = "tom.adeyemi@example.com", "HH-T5C7GH", "HH-V2N6WR"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    PaymentPromise.objects.all().delete()


async def tom() -> Line:
    """Tom, who has proven it and has two invoices to pay."""
    line = await on("chat")
    await line.say("where is my order?")
    await proves(line, TOM)
    return line


async def promised() -> list[tuple[str, str, date]]:
    rows = PaymentPromise.objects.order_by("pk").values_list("invoice__reference", "amount", "pay_by")
    return [(reference, str(amount), day) async for reference, amount, day in rows]


async def test_the_first_day_stands_and_the_rest_comes_afterwards() -> None:
    line = await tom()
    asked = await line.say("I can pay 100 pounds next Friday")
    assert FIRST in asked
    assert SECOND in asked
    told = await line.say("the rest on 20 December")
    assert "the rest on 20 December" in told
    told = await line.say(FIRST)
    assert "4 December" in told
    assert "£100" in told
    told = await line.say("yes")
    assert "the rest on 20 December" in told
    assert "the payment" not in told
    told = await line.say("yes")
    assert SECOND in told
    assert "20 December" in told
    told = await line.say("yes")
    assert "go on with that" not in told
    assert [(each, day) for each, _amount, day in await promised()] == [(FIRST, date(2026, 12, 4)), (SECOND, date(2026, 12, 20))]


async def test_the_second_invoice_is_promised_too() -> None:
    line = await tom()
    for words in ("I can pay 100 pounds next Friday", FIRST):
        await line.say(words)
    told = await line.say("yes")
    assert "had begun" not in told
    told = await line.say(f"and invoice {SECOND} on 20 December")
    assert SECOND in told
    assert "Is that right" in told
    await line.say("yes")
    assert [(each, day) for each, _amount, day in await promised()] == [(FIRST, date(2026, 12, 4)), (SECOND, date(2026, 12, 20))]
