"""Every admin page loads, and what cannot be changed is not offered."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from conversations.models import Customer, CustomerLink, Entry, EntryPoint, KnowledgeArticle, MatchCandidate, Playbook, PlaybookForm
from tests.reporting import cast

pytestmark = pytest.mark.django_db
SCRIPT = "<script>document.title='broken'</script>"
MODELS = sorted(
    (model for model in apps.get_models() if admin.site.is_registered(model)), key=lambda model: model._meta.label_lower
)
HAPPENED = ["conversation", "interaction", "handoff", "entry", "webhookrecord", "chatsessionrecord", "booking", "conversationlink"]


@pytest.fixture
def manager(client):
    user = cast.manager()
    client.force_login(user)
    return user


@pytest.fixture
def story():
    """One customer with a chat, a call, a decision, a hand-over, a booking and a note."""
    cast.rules()
    cast.playbook(status="published")
    mary = cast.customer("Mary Price", phone="+441632960111", email="mary@example.com")
    talk = cast.conversation(mary, timezone.now() - timedelta(hours=1), reason=cast.reason())
    cast.chat(talk)
    cast.call(talk)
    cast.says(talk, "customer", "My boiler is cold")
    cast.says(talk, "assistant", "I can book a visit")
    cast.says(talk, "agent", "Nice customer", kind="note", audience="staff", actor_name="Ann")
    cast.says(
        talk, "system", "Emergency goes to a person", kind="routing.decided", audience="staff",
        data={"handler": "human", "queue": "service", "rule": {"row": 1}},
    )
    cast.decision()
    cast.handoff(talk, accepted_after=20)
    cast.booking(talk)
    return talk


def url(model, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_the_board_is_one_press_away_for_who_may_supervise(client, manager):
    """As from the inbox and the reports; who may not is shown no way to it."""
    board = reverse("inbox:board")
    assert board in client.get("/admin/").content.decode()
    User.objects.filter(pk=manager.pk).update(is_superuser=False)
    assert board not in client.get("/admin/").content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
class TestEveryModel:
    def test_its_list_opens_and_can_be_searched(self, client, manager, story, model):
        assert client.get(url(model, "changelist")).status_code == 200
        if admin.site._registry[model].search_fields:
            response = client.get(url(model, "changelist"), {"q": "Mary 0163' \" %"})
            assert response.status_code == 200

    def test_adding_opens_or_is_refused(self, client, manager, model):
        assert client.get(url(model, "add")).status_code in (200, 403)

    def test_a_row_opens(self, client, manager, story, model):
        row = model._default_manager.first()
        if row is not None:
            assert client.get(url(model, "change", row.pk)).status_code == 200

    def test_a_row_that_is_not_there_is_no_error(self, client, manager, model):
        assert client.get(url(model, "change", 999_999)).status_code in (302, 404)

    def test_pages_have_no_inline_style_or_script(self, client, manager, story, model):
        row = model._default_manager.first()
        pages = [url(model, "changelist"), *([url(model, "change", row.pk)] if row else [])]
        for page in pages:
            text = client.get(page).content.decode()
            assert " style=" not in text
            assert " onclick=" not in text


@pytest.mark.parametrize("name", HAPPENED)
def test_what_happened_cannot_be_added_changed_or_deleted(client, manager, story, name):
    model = apps.get_model("conversations", name)
    assert client.get(url(model, "add")).status_code == 403
    row = model._default_manager.first()
    if row is not None:
        before = type(row)._default_manager.filter(pk=row.pk).values().get()
        assert client.post(url(model, "change", row.pk), {"status": "closed"}).status_code == 403
        assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert type(row)._default_manager.filter(pk=row.pk).values().get() == before


class TestCustomerPage:
    def test_it_shows_one_history_across_channels_in_order(self, client, manager, story):
        text = client.get(url(Customer, "change", story.customer_id)).content.decode()
        places = [text.index(words) for words in ("My boiler is cold", "I can book a visit", "Nice customer", "Emergency goes to a person")]
        assert places == sorted(places)
        for words in ("+441632960111", "Verified", "mary@example.com", "HH-", "Boiler repair", "Staff note"):
            assert words in text

    def test_a_decision_is_read_without_json(self, client, manager, story):
        text = client.get(url(Customer, "change", story.customer_id)).content.decode()
        assert "<dt>Rule › Row</dt><dd dir=\"auto\">1</dd>" in text

    @pytest.mark.parametrize("search", ["Mary", "mary@example", "+44 1632 960111", "01632 960 111", "(01632) 960111", "1632960111"])
    def test_customers_are_found_by_anything_they_are_known_by(self, client, manager, story, search):
        cast.customer("Somebody Else", phone="+441632960222")
        response = client.get(url(Customer, "changelist"), {"q": search})
        assert [str(row) for row in response.context["cl"].result_list] == ["Mary Price"]

    def test_customers_are_found_by_booking(self, client, manager, story):
        reference = story.bookings.get().reference
        response = client.get(url(Customer, "changelist"), {"q": reference})
        assert [str(row) for row in response.context["cl"].result_list] == ["Mary Price"]

    def test_what_customers_wrote_and_are_called_is_text(self, client, manager):
        mallory = cast.customer(SCRIPT, external=f"crm:{SCRIPT}")
        talk = cast.conversation(mallory, timezone.now())
        cast.says(talk, "customer", SCRIPT, actor_name=SCRIPT)
        cast.says(talk, "system", SCRIPT, kind="fact.learned", data={SCRIPT: SCRIPT})
        cast.handoff(talk)
        for page in (
            url(Customer, "changelist"),
            url(Customer, "change", mallory.pk),
            url(type(talk), "change", talk.pk),
            url(type(talk), "changelist"),
            url(Entry, "changelist"),
            url(Entry, "change", talk.entries.latest("seq").pk),
        ):
            text = client.get(page).content.decode()
            assert "<script>document" not in text
            assert "&lt;script&gt;document" in text

    def test_a_long_history_is_shown_in_parts(self, client, manager):
        talk = cast.conversation(cast.customer(), timezone.now())
        for number in range(303):
            cast.says(talk, "customer", f"Message number {number}.")
        page = url(Customer, "change", talk.customer_id)
        text = client.get(page).content.decode()
        assert "Show 3 earlier entries" in text
        assert "Message number 302." in text
        assert "Message number 2." not in text
        assert "Message number 2." in client.get(f"{page}?entries=100000").content.decode()

    @pytest.mark.parametrize("entries", ["x", "-1", "9" * 30, "²"])
    def test_a_strange_number_of_entries_is_no_error(self, client, manager, story, entries):
        assert client.get(url(Customer, "change", story.customer_id), {"entries": entries}).status_code in (200, 302)

    def test_the_number_of_queries_does_not_grow_with_the_history(self, client, manager, story):
        page = url(Customer, "change", story.customer_id)

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(page)
            return len(captured)

        first = queries()
        for _number in range(20):
            cast.chat(story)
            cast.says(story, "customer", "Hello")
            cast.booking(story)
        assert queries() <= first
        assert first <= 30

    def test_details_are_changed_and_the_change_is_kept(self, client, manager, story):
        page = url(Customer, "change", story.customer_id)
        data = {"name": "Mary Jones", "language": "en", "time_zone": "Europe/London", "tier": "gold", "open_balance": "12.50"}
        assert client.post(page, data).status_code == 302
        customer = Customer.objects.get(pk=story.customer_id)
        assert (customer.name, customer.tier, customer.time_zone) == ("Mary Jones", "gold", "Europe/London")
        assert "Mary Jones" in client.get(url(Customer, "history", customer.pk)).content.decode()


class TestSettlingCandidates:
    @pytest.fixture
    def candidate(self):
        mary, unknown = cast.customer("Mary"), cast.customer("M. Price")
        cast.conversation(mary)
        cast.conversation(unknown, cast.NOON, closed_after=timedelta(minutes=1))
        return MatchCandidate.objects.create(customer=mary, other=unknown, evidence={"phone": "+441632960111"})

    def settle(self, client, candidate, decision: str):
        return client.post(reverse("admin:conversations_matchcandidate_settle", args=[candidate.pk]), {"decision": decision}, follow=True)

    def test_joining_files_everything_under_one_and_can_be_taken_back(self, client, manager, candidate):
        assert client.get(url(MatchCandidate, "change", candidate.pk)).status_code == 200
        assert self.settle(client, candidate, "join").status_code == 200
        assert candidate.customer.conversations.count() == 2
        link = CustomerLink.objects.get()
        assert link.made_by == "manager"
        assert client.post(reverse("admin:conversations_customerlink_separate", args=[link.pk]), follow=True).status_code == 200
        assert candidate.customer.conversations.count() == 1

    def test_different_people_stay_apart(self, client, manager, candidate):
        self.settle(client, candidate, "dismiss")
        candidate.refresh_from_db()
        assert (candidate.state, candidate.settled_by) == ("dismissed", manager)
        assert not CustomerLink.objects.exists()

    def test_a_pair_is_settled_once(self, client, manager, candidate):
        self.settle(client, candidate, "dismiss")
        assert "settled this pair already" in self.settle(client, candidate, "join").content.decode()
        assert not CustomerLink.objects.exists()

    def test_only_by_posting_and_only_by_those_who_may(self, client, manager, candidate):
        address = reverse("admin:conversations_matchcandidate_settle", args=[candidate.pk])
        assert client.get(address).status_code == 405
        type(manager).objects.update(is_superuser=False)
        assert client.post(address, {"decision": "join"}).status_code == 403


class TestPlaybooks:
    def test_a_published_one_is_read_and_a_draft_of_it_has_its_forms(self, client, manager):
        published = cast.playbook()
        form = PlaybookForm.objects.create(playbook=published, code="booking", name="Booking", tool="book")
        form.reasons.add(cast.reason())
        form.fields.create(order=1, fact="postcode", prompt="What is your postcode?")
        Playbook.objects.filter(pk=published.pk).update(status="published")
        page = url(Playbook, "change", published.pk)
        text = client.get(page).content.decode()
        assert "Make a new draft" in text
        assert 'name="persona"' not in text
        assert client.post(page, {"persona": "Rude"}).status_code == 403
        client.post(reverse("admin:conversations_playbook_draft", args=[published.pk]))
        draft = Playbook.objects.get(status="draft")
        copy = draft.forms.get()
        assert (draft.version, copy.pk != form.pk, copy.fields.get().fact) == (2, True, "postcode")
        assert list(copy.reasons.all()) == list(form.reasons.all())
        client.post(reverse("admin:conversations_playbook_draft", args=[published.pk]))
        assert Playbook.objects.count() == 2
        assert client.get(url(PlaybookForm, "change", form.pk)).status_code == 200
        assert client.post(url(PlaybookForm, "change", form.pk), {"name": "Changed"}).status_code == 403

    def test_what_a_form_does_is_chosen_in_words(self, client, manager):
        form = PlaybookForm.objects.create(playbook=cast.playbook(), code="booking", name="Booking", tool="book")
        page = url(PlaybookForm, "change", form.pk)
        text = client.get(page).content.decode()
        assert '<option value="book" selected>Book a visit</option>' in text
        data = {"name": "Booking", "code": "booking", "closing": "", "fields-TOTAL_FORMS": "0", "fields-INITIAL_FORMS": "0"}
        assert "Select a valid choice" in client.post(page, data | {"tool": "fly"}).content.decode()
        assert client.post(page, data | {"tool": "reschedule"}).status_code == 302
        assert PlaybookForm.objects.get(pk=form.pk).tool == "reschedule"

    def test_publishing_retires_the_one_before(self, client, manager):
        old, new = cast.playbook(status="published"), cast.playbook(version=2)
        client.post(reverse("admin:conversations_playbook_publish", args=[new.pk]))
        assert [Playbook.objects.get(pk=each.pk).status for each in (old, new)] == ["retired", "published"]
        response = client.post(reverse("admin:conversations_playbook_publish", args=[old.pk]), follow=True)
        assert "Only a draft can be published" in response.content.decode()

    def test_a_draft_is_changed_with_ticks_and_lines(self, client, manager):
        draft = cast.playbook()
        data = {
            "name": "Harbor", "persona": "Calm.", "disclosure": "I am an AI.", "policies": "", "tools": ["book", "cancel"],
            "languages": "en\n\nes\nen", "reason_threshold": "0.4", "knowledge_threshold": "0.3",
            "forms-TOTAL_FORMS": "0", "forms-INITIAL_FORMS": "0", "openings-TOTAL_FORMS": "0", "openings-INITIAL_FORMS": "0",
        }
        assert client.post(url(Playbook, "change", draft.pk), data).status_code == 302
        draft.refresh_from_db()
        assert (draft.tools, draft.languages, draft.persona) == (["book", "cancel"], ["en", "es"], "Calm.")

    @pytest.mark.parametrize("field", ["reason_threshold", "knowledge_threshold"])
    def test_a_threshold_is_from_zero_to_one(self, client, manager, field):
        data = {field: "7", "forms-TOTAL_FORMS": "0", "forms-INITIAL_FORMS": "0"}
        text = client.post(url(Playbook, "change", cast.playbook().pk), data).content.decode()
        assert "Ensure this value is less than or equal to 1" in text
        assert "Constraint" not in text

    def test_a_code_that_is_taken_is_explained(self, client, manager):
        cast.playbook()
        response = client.post(url(Playbook, "add"), {"code": "home", "forms-TOTAL_FORMS": "0", "forms-INITIAL_FORMS": "0"})
        assert "make a new draft" in response.content.decode()


class TestEntryPoints:
    def post(self, client, **changes):
        cast.playbook(status="published")
        data = {
            "name": "Chat", "company_name": "Harbor", "channel": "chat", "address": "/harborhome", "playbook_code": "home", "mode": "live",
            "live_share_percent": "100", "time_zone": "Europe/London", "language": "en-GB", "default_region": "gb", "allowed_origins": "",
            "recording_policy": "not_recorded", "live_hours": "always", "live_reasons": "all",
        }
        return client.post(url(EntryPoint, "add"), data | changes)

    def test_one_is_added_without_json(self, client, manager):
        assert self.post(client, allowed_origins="https://a.example\nhttps://b.example").status_code == 302
        door = EntryPoint.objects.get()
        assert (door.allowed_origins, door.default_region) == (["https://a.example", "https://b.example"], "GB")

    def test_an_emptied_number_of_a_voice_is_the_usual_voice(self, client, manager):
        assert self.post(client, voice_style="").status_code == 302
        assert EntryPoint.objects.get().voice_style == 0

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"allowed_origins": "javascript:alert(1)"}, "Write each web site as"),
            ({"address": "harborhome"}, "begins with a slash"),
            ({"channel": "voice", "address": "01632"}, "Write a phone number, such as +441632960100."),
            ({"channel": "voice", "address": "999"}, "This is an emergency number."),
            ({"voice_style": "100"}, "entry_point_voice_style_is_in_the_platforms_list"),
            ({"live_share_percent": "101"}, "Ensure this value is less than or equal to 100."),
            ({"playbook_code": "none"}, "Select a valid choice"),
            ({"live_hours": "outside"}, "Choose the opening hours that the AI agent goes by."),
            ({"live_reasons": "only"}, "Choose at least one reason"),
        ],
    )
    def test_what_cannot_be_is_explained(self, client, manager, changes, said):
        response = self.post(client, **changes)
        assert response.status_code == 200
        assert said in response.content.decode()
        assert not EntryPoint.objects.exists()


def test_an_article_can_be_found_as_soon_as_it_is_saved(client, manager):
    about = {"title": "Boiler pressure", "slug": "boiler-pressure", "url": "/help", "language": "en", "audience": "public"}
    data = about | {"body": "Open the valve slowly.", "_publish": "Publish"}
    assert client.post(url(KnowledgeArticle, "add"), data).status_code == 302
    article = KnowledgeArticle.objects.get()
    assert article.passages.count() == 1
    client.post(url(KnowledgeArticle, "change", article.pk), data | {"body": "Call us."})
    assert "Call us." in article.passages.get().text
