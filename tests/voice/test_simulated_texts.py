"""Text messages from the simulator's page, all the way: written on a phone, answered on it, and told of as delivered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conversations.models import EntryPoint, Interaction, SentText
from tests.support.locks import until
from tests.support.processes import WebProcess, running_web

PHONE = "+447700900321"


@pytest.fixture(scope="module")
def web(company: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with django_db_blocker.unblock(), running_web(1) as processes:
        yield processes[0]


def test_a_text_goes_to_and_fro(web: WebProcess, number: EntryPoint) -> None:
    """The reply is on the phone, and its state has come back as a signed webhook; a picture gets an answer, too."""
    EntryPoint.objects.filter(pk=number.pk).update(takes_texts=True)
    try:
        with httpx.Client(base_url=web.url, trust_env=False) as phone:
            phone.get("/simulator/phone/")
            headers = {"X-CSRFToken": phone.cookies["csrftoken"], "Referer": web.url}
            about = {"from": PHONE, "to": number.address}
            assert phone.post("/simulator/phone/texts/write/", json=about | {"text": ""}, headers=headers).status_code >= 400
            assert phone.post("/simulator/phone/texts/write/", json=about | {"text": "HELP"}, headers=headers).status_code == 202
            until(SentText.objects.filter(state="delivered").exists)
            got = phone.get("/simulator/phone/texts/", params={"number": PHONE}).json()["texts"]
            assert [each.get("to", "") for each in got] == [number.address[1:], ""]
            assert "Reply STOP to end messages." in got[1]["text"]
            assert phone.post("/simulator/phone/texts/write/", json=about | {"picture": True}, headers=headers).status_code == 202
            until(lambda: SentText.objects.filter(state="delivered").count() == 2)
        assert Interaction.objects.get().party == PHONE
    finally:
        EntryPoint.objects.filter(pk=number.pk).update(takes_texts=False)
