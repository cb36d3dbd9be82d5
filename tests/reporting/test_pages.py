"""The report, its rows and downloads, through the browser's door."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Customer
from reporting.attention import CONCERNS
from reporting.csv_export import harmless
from reporting.metrics import METRICS
from routing.models import ChannelException
from tests.reporting import cast

pytestmark = pytest.mark.django_db
PAGES = ["/reports/", "/reports/rows/conversations/", "/reports/rows/conversations/?format=csv", "/reports/attention/waiting/"]
SCRIPT = "<script>document.title='broken'</script>"


@pytest.fixture
def manager(client):
    user = cast.manager()
    client.force_login(user)
    return user


@pytest.mark.parametrize("page", PAGES)
class TestWhoMayRead:
    def test_strangers_are_asked_to_sign_in(self, client, page):
        response = client.get(page)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/accounts/login/")

    def test_agents_are_refused(self, client, page):
        client.force_login(cast.agent().user)
        assert client.get(page).status_code == 403

    def test_a_manager_who_left_is_refused(self, client, page):
        client.force_login(User.objects.create_user("left", is_staff=True, is_active=False))
        assert client.get(page).status_code in (302, 403)

    def test_managers_read(self, client, manager, page):
        assert client.get(page).status_code == 200

    def test_nothing_is_changed_by_posting(self, client, manager, page):
        assert client.post(page).status_code == 405


class TestReport:
    def test_an_empty_record_says_what_would_appear(self, client, manager):
        text = client.get("/reports/").content.decode()
        assert "When customers write or call" in text
        assert "Nothing to count yet" in text

    def test_each_number_leads_to_its_rows_of_the_same_period(self, client, manager):
        page = client.get("/reports/?from=2026-11-01&to=2026-11-03").content.decode()
        assert "/reports/rows/duplicate_conversations/?from=2026-11-01&amp;to=2026-11-03" in page

    def test_what_a_share_was_looked_for_in_opens_too(self, client, manager):
        """0 of 1 duplicates, 1 of 1 session and 1 of 1 decision: each whole leads to the rows it counts."""
        talk = cast.conversation(cast.customer(), timezone.now())
        session = cast.chat(talk, timezone.now())
        cast.rules()
        cast.decision(reason="boiler_repair")
        for code, row in (("duplicate_conversations", "Mary Price"), ("journey_accuracy", session), ("routing_consistency", "Version")):
            page = client.get("/reports/?period=today").content.decode()
            assert f"/reports/rows/{code}/?" in page
            whole = client.get(f"/reports/rows/{code}/?period=today&of=all").content.decode()
            assert "All that was looked at" in whole
            assert "1 row" in whole
            assert row in whole

    def test_declared_channel_exceptions_stand_beside_the_figure(self, client, manager):
        """None by default, then one, and the way to the page where they are declared."""
        assert "0 channel exceptions" in client.get("/reports/").content.decode()
        ChannelException.objects.create(fact="facts.way_in", reason="A trial", declared_by=manager)
        page = client.get("/reports/").content.decode()
        assert '<a href="/admin/routing/channelexception/">1 channel exception</a>' in page

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("from=2026-11-03&to=2026-11-01", "Swap them"),
            ("from=tomorrow", "Enter a date such as"),
            ("from=2020-01-01&to=2026-11-01", "more than a year"),
            ("from=2999-01-01&to=2999-01-02", "not begun"),
            ("period=century", "century is not one of"),
            ("from=%00", "Enter a date such as"),
        ],
    )
    def test_a_period_that_makes_no_sense_is_explained_and_the_usual_one_shown(self, client, manager, query, said):
        response = client.get(f"/reports/?{query}")
        assert response.status_code == 200
        assert said in response.content.decode()

    @pytest.mark.parametrize("period", ["today", "7d", "30d"])
    def test_every_span_is_drawn(self, client, manager, period):
        now = timezone.now()
        for number in range(4):
            talk = cast.conversation(cast.customer(), now - timedelta(hours=number * 20), reason=cast.reason())
            cast.chat(talk)
            cast.call(talk)
            cast.handoff(talk, now - timedelta(minutes=5), accepted_after=20)
        text = client.get(f"/reports/?period={period}").content.decode()
        assert "<polyline" in text or period == "today"
        assert 'class="band fill-chat"' in text
        assert "Boiler repair" in text
        assert " style=" not in text

    def test_the_number_of_queries_is_bounded(self, client, manager):
        cast.rules()

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get("/reports/")
            return len(captured)

        def fill() -> None:
            for _number in range(5):
                talk = cast.conversation(cast.customer(), timezone.now() - timedelta(minutes=9), reason=cast.reason())
                cast.chat(talk)
                cast.says(talk, "customer", "Hello")
                cast.handoff(talk, timezone.now() - timedelta(minutes=9), accepted_after=20)
                cast.decision()

        fill()
        queries()
        first = queries()
        fill()
        assert queries() == first
        assert first <= 60

    def test_what_customers_wrote_is_text(self, client, manager):
        talk = cast.conversation(cast.customer(SCRIPT), timezone.now() - timedelta(minutes=1), reason=cast.reason())
        cast.says(talk, "customer", SCRIPT, timezone.now() - timedelta(minutes=1))
        for page in ("/reports/", "/reports/rows/messages/", "/reports/rows/conversations/"):
            assert "<script>document" not in client.get(page).content.decode()
        assert "&lt;script&gt;" in client.get("/reports/rows/messages/").content.decode()


class TestRows:
    def test_pages_of_fifty(self, client, manager):
        person = cast.customer()
        for number in range(51):
            cast.conversation(person, timezone.now() - timedelta(minutes=number + 2), closed_after=timedelta(minutes=1))
        first = client.get("/reports/rows/conversations/").content.decode()
        assert "51 rows" in first
        assert "Page 1 of 2" in first
        second = client.get("/reports/rows/conversations/?page=2").content.decode()
        assert second.count("<tr>") == 2

    @pytest.mark.parametrize("page", ["0", "x", "99", "-1", "%00"])
    def test_a_page_that_is_none_shows_one_that_is(self, client, manager, page):
        assert client.get(f"/reports/rows/conversations/?page={page}").status_code == 200

    def test_unknown_figures_and_lists_are_not_found(self, client, manager):
        assert client.get("/reports/rows/nothing/").status_code == 404
        assert client.get("/reports/attention/nothing/").status_code == 404

    @pytest.mark.parametrize("code", CONCERNS)
    def test_every_list_that_needs_attention_opens_empty(self, client, manager, code):
        response = client.get(f"/reports/attention/{code}/")
        assert response.status_code == 200


class TestCsv:
    @pytest.mark.parametrize("code", METRICS)
    def test_every_figure_can_be_downloaded(self, client, manager, code):
        response = client.get(f"/reports/rows/{code}/?format=csv")
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{code}.csv"'

    @pytest.mark.parametrize("name", ["=1+1", "+44", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "=HYPERLINK(\"http://x\",\"y\")"])
    def test_a_name_that_a_spreadsheet_would_run_is_text(self, client, manager, name):
        cast.conversation(cast.customer(name), timezone.now() - timedelta(minutes=1))
        body = client.get("/reports/rows/conversations/?format=csv").content.decode("utf-8-sig")
        header, row = csv.reader(io.StringIO(body, newline=""))
        assert header[0] == "Customer"
        assert row[0] == f"'{name}"

    def test_quotes_commas_and_lines_stay_in_their_cell(self, client, manager):
        Customer.objects.update(name="")
        cast.conversation(cast.customer('Price, "Mary"\nJr'), timezone.now() - timedelta(minutes=1))
        body = client.get("/reports/rows/conversations/?format=csv").content.decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(body, newline="")))[1][0] == 'Price, "Mary"\nJr'

    def test_numbers_stay_numbers(self):
        assert harmless(-5) == -5
        assert harmless(None) == ""
        assert harmless("Mary -5") == "Mary -5"
