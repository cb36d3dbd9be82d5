"""The admin and the report in a real browser: nothing breaks the site's strict policy, nothing runs that customers wrote."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from conversations.models import KnowledgeArticle
from tests.reporting import cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCRIPT = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
WIDTHS = [1360, 390]


@pytest.fixture
def talk():
    """Written in a thread of its own: Playwright keeps an event loop in this one, where pushes could not be sent."""
    with ThreadPoolExecutor(1) as writer:
        return writer.submit(write_talk).result()


def write_talk():
    try:
        return _write_talk()
    finally:
        connection.close()


def _write_talk():
    cast.rules()
    cast.playbook()
    talk = cast.conversation(cast.customer(SCRIPT, phone="+441632960111"), timezone.now(), reason=cast.reason())
    cast.chat(talk)
    cast.call(talk)
    cast.says(talk, "customer", SCRIPT)
    cast.handoff(talk, timezone.now(), accepted_after=20)
    cast.booking(talk)
    KnowledgeArticle.objects.create(slug="boiler", title="Boiler", body="Turn it on.", url="/boiler")
    return talk


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_keep_the_policy_fit_the_window_and_run_nothing(live_server, open_page, talk, width, scheme):
    window = open_page(
        live_server.url, user=cast.manager(), viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    for address in (
        "/admin/",
        "/reports/",
        "/reports/rows/messages/",
        "/admin/conversations/customer/",
        f"/admin/conversations/customer/{talk.customer_id}/change/",
        f"/admin/conversations/conversation/{talk.pk}/change/",
        f"/admin/conversations/playbook/{cast.Playbook.objects.get().pk}/change/",
        "/admin/conversations/technician/add/",
        "/admin/conversations/knowledgearticle/add/",
        "/admin/conversations/entrypoint/add/",
    ):
        window.goto(address)
        assert window.title() != "broken"
        too_wide = window.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, address


def test_a_definition_is_read_by_keyboard_and_the_table_is_one_click_away(live_server, open_page, talk):
    window = open_page(live_server.url, user=cast.manager())
    window.goto("/reports/?period=30d")
    button = window.locator("#figure-journey_accuracy .about-button")
    window.keyboard.press("Tab")
    button.focus()
    assert window.locator("#about-journey_accuracy").is_visible()
    table = window.locator("#journeys table")
    assert not table.is_visible()
    window.locator("#journeys summary").click()
    assert table.is_visible()
    window.locator("#figure-conversations .figure-value").click()
    assert "1 row" in window.locator(".pages").inner_text()


def test_the_chosen_colours_hold_in_admin_and_report(live_server, open_page, talk):
    window = open_page(live_server.url, user=cast.manager(), color_scheme="light")
    window.goto("/admin/")
    light = window.evaluate("getComputedStyle(document.body).backgroundColor")
    window.locator("[popovertarget=account-menu]").click()
    window.locator("[data-choose-theme=dark]").click()
    dark = window.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    window.goto("/reports/")
    assert window.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark
