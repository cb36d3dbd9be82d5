"""A playbook answers customers only when it says that it is an AI and may do what its forms end in."""

from __future__ import annotations

import pytest
from django.urls import reverse

from conversations.assistant import publishing
from conversations.demo.load import load
from conversations.models import Playbook
from tests.reporting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(client):
    """Presses the button; what the page then says, and whether it was published."""
    client.force_login(cast.manager())

    def press(playbook: Playbook) -> tuple[str, bool]:
        page = client.post(reverse("admin:conversations_playbook_publish", args=[playbook.pk]), follow=True)
        return page.content.decode(), Playbook.objects.get(pk=playbook.pk).status == "published"

    return press


@pytest.mark.parametrize(
    "disclosure",
    ["Hi there!", "Hello, I am Harbor's friendly helper.", "You are speaking with a person and not a machine.", "I am no robot."],
)
def test_nobody_is_greeted_by_an_ai_that_does_not_say_so(published, disclosure):
    page, is_published = published(cast.playbook(disclosure=disclosure))
    assert not is_published
    assert "Please let its disclosure say in English that an AI, an automated assistant or a machine speaks" in page


@pytest.mark.parametrize(
    "disclosure",
    [
        "Hello, I am Harbor's AI assistant, a computer program and not a person.", "I am an A.I.", "This is our automated assistant.",
        "You talk to a bot.", "I am not a person but a machine.",
    ],
)  # fmt: skip
def test_one_that_says_so_is_published(published, disclosure):
    assert published(cast.playbook(disclosure=disclosure))[1]


def test_it_says_so_in_each_of_its_languages(published):
    playbook = cast.playbook(languages=["en", "es"])
    page, is_published = published(playbook)
    assert not is_published, "the English sentence would be read to those who speak Spanish"
    assert "in Español" in page
    assert "in English that" not in page
    Playbook.objects.filter(pk=playbook.pk).update(translations={"es": {"disclosure": "Hola, ¿qué tal?"}})
    assert not published(playbook)[1]
    Playbook.objects.filter(pk=playbook.pk).update(translations={"es": {"disclosure": "Soy un asistente automático."}})
    assert published(playbook)[1]


def test_it_speaks_only_languages_that_are_known(client, published):
    playbook = cast.playbook(languages=["en", "xx"])
    page, is_published = published(playbook)
    assert not is_published
    assert "Choose its languages among those that the AI agent speaks: en (English) and es (Español)." in page
    data = {"languages": "en\nxx", "forms-TOTAL_FORMS": "0", "forms-INITIAL_FORMS": "0"}
    page = client.post(reverse("admin:conversations_playbook_change", args=[playbook.pk]), data).content.decode()
    assert "The AI agent does not speak “xx”. It speaks: en (English), es (Español)." in page


def test_a_form_needs_the_tools_that_it_uses(published):
    playbook = cast.playbook(tools=["check_area"])
    playbook.forms.create(code="booking", name="Come round", tool="book")
    page, is_published = published(playbook)
    assert not is_published
    assert "The form “Come round” needs what the AI agent may not do: tick “Book a visit” and “Find free time windows”" in page
    Playbook.objects.filter(pk=playbook.pk).update(tools=["check_area", "book", "find_slots"])
    assert published(playbook)[1]


def test_a_question_that_is_not_translated_is_named(published):
    said = {"disclosure": "Soy una IA.", "forms": {"quote": {"fields": {"name": {"prompt": "¿Cómo se llama?"}}}}}
    playbook = cast.playbook(languages=["en", "es"], translations={"es": said})
    form = playbook.forms.create(code="quote", name="Quote", closing="We ring you.")
    form.fields.create(order=1, fact="name", prompt="What is your name?")
    form.fields.create(order=2, fact="details", prompt="How many bedrooms?")
    page, is_published = published(playbook)
    assert is_published
    assert "Not in Español yet, of the form “Quote”: “How many bedrooms?” and “We ring you.”." in page


def test_a_question_is_put_between_others_without_numbering_them_anew(client):
    client.force_login(cast.manager())
    form = cast.playbook().forms.create(code="quote", name="Quote")
    rows = [form.fields.create(order=place, fact=fact, prompt="?") for place, fact in enumerate(("name", "phone", "email"), start=1)]
    data = {"name": "Quote", "code": "quote", "tool": "", "closing": "", "fields-TOTAL_FORMS": "4", "fields-INITIAL_FORMS": "3"}
    for index, row in enumerate(rows):
        data |= {f"fields-{index}-id": row.pk, f"fields-{index}-form": form.pk, f"fields-{index}-place": index + 1}
        data |= {f"fields-{index}-fact": row.fact, f"fields-{index}-prompt": "?", f"fields-{index}-required": "on"}
    data |= {"fields-3-form": form.pk, "fields-3-place": "2", "fields-3-fact": "details", "fields-3-prompt": "What for?"}
    page = reverse("admin:conversations_playbookform_change", args=[form.pk])
    assert client.post(page, data).status_code == 302
    assert list(form.fields.values_list("order", "fact")) == [(1, "name"), (2, "details"), (3, "phone"), (4, "email")]
    kept = {key: value for key, value in data.items() if not key.startswith("fields-3")} | {"fields-TOTAL_FORMS": "3"}
    assert client.post(page, kept | {"fields-1-DELETE": "on", "fields-2-place": "1"}).status_code == 302
    assert list(form.fields.values_list("order", "fact")) == [(1, "email"), (2, "name"), (3, "details")]


def test_the_demo_company_s_may_be_published():
    load()
    playbook = Playbook.objects.get()
    assert list(publishing.problems_of(playbook)) == []
    assert publishing.wordings_missing(playbook) == []
