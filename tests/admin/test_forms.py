"""Forms that managers fill in: every field says what it is for, and none asks for JSON."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.forms import Form, HiddenInput, JSONField
from django.test import RequestFactory
from django.urls import reverse

from routing.models import Queue, Team
from tests.reporting import cast

pytestmark = pytest.mark.django_db
OURS = ("routing", "conversations")


def forms_to_fill_in() -> list[tuple[str, type[Form]]]:
    """Every form of our admin that a manager may fill in, rows within a page too."""
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_staff=True, is_active=True)
    found = []
    for model, page in admin.site._registry.items():
        if model._meta.app_label not in OURS or not (page.has_add_permission(request) or page.has_change_permission(request)):
            continue
        found.append((model.__name__, page.get_form(request)))
        for rows in page.get_inline_instances(request):
            found.append((f"{model.__name__}, {rows.model.__name__}", rows.get_formset(request).form))
    return found


def test_every_field_says_what_it_is_for():
    forms = forms_to_fill_in()
    assert len(forms) > 15
    silent = [
        f"{name}: {field_name}"
        for name, form in forms
        for field_name, field in form.base_fields.items()
        if not field.help_text and not isinstance(field.widget, HiddenInput) and not is_the_page_itself(name, form, field_name)
    ]
    assert silent == []


def is_the_page_itself(name: str, form: type[Form], field_name: str) -> bool:
    """Whether a row's field is the link to the page it stands on, which is never shown."""
    if ", " not in name:
        return False
    target = form._meta.model._meta.get_field(field_name).related_model
    return target is not None and target.__name__ == name.split(", ", maxsplit=1)[0]


def test_no_field_asks_for_json():
    assert [(name, field) for name, form in forms_to_fill_in() for field, of in form.base_fields.items() if isinstance(of, JSONField)] == []


def test_pages_are_named_for_what_they_show_and_say_their_section(client):
    client.force_login(cast.manager())
    queue = cast.queue()
    for address, heading in (
        (reverse("admin:routing_queue_changelist"), "<h1>Queues</h1>"),
        (reverse("admin:routing_queue_change", args=[queue.pk]), f"<h1>{queue}</h1>"),
        (reverse("admin:routing_queue_history", args=[queue.pk]), f"<h1>{queue}</h1>"),
        (reverse("admin:conversations_entrypoint_changelist"), "<h1>Entry points</h1>"),
    ):
        text = client.get(address).content.decode()
        assert heading in text
        crumbs = text.split('class="breadcrumbs"')[1].split("</nav>")[0]
        assert ("#routing" if "/routing/" in address else "#ai-agents") in crumbs


def test_every_change_of_a_policy_is_read_on_its_history(client):
    client.force_login(cast.manager())
    queue = cast.queue()
    history = reverse("admin:routing_queue_history", args=[queue.pk])
    data = {"name": "First line", "service_level": queue.service_level_id, "hours": "", "group": "main", "min_proficiency": "1"}
    data |= {"steps-TOTAL_FORMS": "0", "steps-INITIAL_FORMS": "0"}
    assert client.post(reverse("admin:routing_queue_change", args=[queue.pk]), data).status_code == 302
    assert Queue.objects.get(pk=queue.pk).name == "First line"
    text = client.get(history).content.decode()
    assert "First line" in text
    assert "manager" in text
    assert "<form" not in text.split('id="content"')[1]


def test_a_new_row_is_headed_so(client):
    client.force_login(cast.manager())
    Team.objects.create(name="Harbor desk")
    text = client.get(reverse("admin:routing_team_add")).content.decode()
    assert "<h1>Add team</h1>" in text
    assert "New" in text.split('class="breadcrumbs"')[1].split("</nav>")[0]
