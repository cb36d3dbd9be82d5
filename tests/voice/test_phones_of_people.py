"""The list of the phones of the company's people, which the simulator has as pages."""

from django.test import Client

from conversations.models import EntryPoint
from tests.record import rows


def test_every_phone_is_listed_by_its_number_or_its_address(number: EntryPoint) -> None:
    """One who has both is rung at the address, and may be rung at the number, where a colleague is asked."""
    made = [rows.agent("Ann", phone_number="+441632960111"), rows.agent("Kim", sip_address="sip:kim@pbx.example.com"), rows.agent("Lee")]
    try:
        page = Client().get("/simulator/phone/people/").content.decode()
    finally:
        for agent in made:
            agent.delete()
    assert "/simulator/phone/at/+441632960111/" in page
    assert "/simulator/phone/at/sip:kim@pbx.example.com/" in page
    assert "Lee" not in page
