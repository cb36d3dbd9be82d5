"""The admin and the report in a real browser: nothing breaks the site's strict policy, nothing runs that customers wrote."""

import re
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
    cast.says(talk, "system", "The two conversations are kept apart again.", kind="conversation.separated", audience="staff")
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
        "/admin/conversations/knowledgearticle/import/",
        "/admin/conversations/unansweredquestion/",
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


A4_WIDTH, MARGIN = 210 / 25.4 * 96, 14 / 25.4 * 96
"""Of the sheet and of the edge left free, in CSS pixels."""
A4_IN_POINTS = (595, 842)
TOO_WIDE = """() => [...document.querySelectorAll('.figure-name, .figure-value, .bar-label, .bar-value, .flow-label, .day')]
  .filter((node) => {
    const inner = node.getBoundingClientRect(), outer = node.closest('.card').getBoundingClientRect();
    return inner.left < outer.left - 1 || inner.right > outer.right + 1 || node.scrollWidth > node.clientWidth + 1 && node.clientWidth;
  })
  .map((node) => node.textContent.trim())"""


def test_the_report_prints_on_a4_with_its_figures(live_server, open_page, talk):
    """Without what is for pressing, in light colours whatever the screen has, nothing over an edge."""
    width = round(A4_WIDTH - 2 * MARGIN)
    window = open_page(live_server.url, user=cast.manager(), viewport={"width": width, "height": 1000}, color_scheme="dark")
    window.goto("/reports/?period=7d")
    window.emulate_media(media="print")
    for name in ("duplicate_conversations", "journey_accuracy", "routing_consistency", "conversations", "messages", "bookings"):
        assert window.locator(f"#figure-{name} .figure-value").is_visible()
    for name in (".top-bar", ".period", ".about", ".picture-table summary", ".picture-rows"):
        assert not window.locator(name).first.is_visible(), name
    assert window.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert window.evaluate(TOO_WIDE) == []
    sheets = re.findall(rb"/MediaBox ?\[([^\]]*)\]", window.pdf(prefer_css_page_size=True))
    assert sheets
    for sheet in sheets:
        assert tuple(round(float(number)) for number in sheet.split()[2:]) == A4_IN_POINTS


def test_every_figure_has_its_value_change_evidence_and_line(live_server, open_page, talk):
    """The value leads to its rows, the rows of a picture are one click away, and every day can be seen."""
    window = open_page(live_server.url, user=cast.manager())
    window.goto("/reports/?period=7d")
    cards = window.locator(".figure-card")
    assert cards.count() >= 10
    for card in cards.all():
        assert card.locator(".figure-value").get_attribute("href").startswith("/reports/rows/")
        assert card.locator(".evidence").inner_text()
        notes = card.locator(".figure-notes").inner_text()
        assert any(words in notes for words in ("+", "-", "−", "±", "0", "no earlier value", "Nothing to count yet")), notes
    assert window.locator("#figure-journey_accuracy .sparkline polyline").first.evaluate("line => line.getBoundingClientRect().width") >= 1
    assert window.locator(".picture-rows a").count() > 0
