"""The demo company's pages and the embed script, over HTTP."""

import json
import re

import pytest
from django.test import Client

from conversations.models import EntryPoint, KnowledgeArticle

pytestmark = pytest.mark.django_db


def test_the_page_shows_services_prices_areas_and_articles(company, client: Client):
    """From the tables, not from the template."""
    page = client.get("/harborhome").content.decode()
    for text in ("Harbor Home Services", "01632 960100", "Boiler service", "£89", "North quay", "HB1", "Your boiler loses pressure"):
        assert text in page
    assert "Not finished" not in page
    assert '<script src="/widget.js?entry_point=%2Fharborhome" async>' in page


def test_the_page_has_nothing_inline(company, client: Client):
    """As the Content-Security-Policy demands."""
    for path in ("/harborhome", "/help/", "/help/boiler-pressure"):
        page = client.get(path).content.decode()
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:", page)


def test_an_article_is_shown_as_written_and_its_markup_is_text(company, client: Client):
    """Markdown becomes headings one level down, tables and links; HTML in it is shown, never run."""
    page = client.get("/help/boiler-pressure").content.decode()
    assert "<h1>Your boiler loses pressure</h1>" in page
    assert "<h2>Why pressure drops</h2>" in page
    assert "<strong>1.2 bar</strong>" in page
    assert '<a href="/help/boiler-service" rel="noopener">read on</a>' in page
    assert "<td>too low</td>" in page
    assert "&lt;script&gt;" in page
    assert "What happens at a boiler service" in page


@pytest.mark.parametrize(
    "markdown",
    ["[x](javascript:alert(1))", "<img src=x onerror=alert(1)>", "[x](data:text/html,x)", "![x](http://tracker.example/x.png)"],
)
def test_an_article_cannot_carry_script_or_trackers(company, client: Client, markdown):
    """Whoever may write articles may still not run code in a customer's browser."""
    KnowledgeArticle.objects.create(slug="evil", title="Evil", body=markdown, url="/help/evil")
    article = re.search(r"<article.*</article>", client.get("/help/evil").content.decode(), re.DOTALL)
    assert article is not None
    assert not re.search(r"<(img|script)|href=\"(javascript|data):", article[0])


@pytest.mark.parametrize("path", ["/help/draft", "/help/nothing", "/help/../admin", "/help/%00"])
def test_what_is_not_published_is_not_found(company, client: Client, path):
    """Drafts and unknown articles answer 404."""
    assert client.get(path).status_code == 404


def test_without_a_demo_company_there_is_no_page(company, client: Client):
    """404, no error."""
    EntryPoint.objects.all().delete()
    assert client.get("/harborhome").status_code == 404
    assert client.get("/help/").status_code == 404


def test_the_script_carries_what_the_widget_needs(company, client: Client):
    """Company, zone, texts and addresses; cached for a while; no markup can leave the JSON."""
    EntryPoint.objects.filter(pk=company.pk).update(company_name='</script>"\u2028')
    answer = client.get("/widget.js", {"entry_point": "/harborhome"})
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "public, max-age=300"
    found = re.search(r"const settings = (\{.*\});", answer.content.decode())
    assert found is not None
    settings = json.loads(found[1])
    assert settings["company"] == '</script>"\u2028'
    assert settings["timeZone"] == "Europe/London"
    assert settings["texts"]["talkToPerson"] == "Talk to a person"
    assert "\u2028" not in answer.content.decode()


@pytest.mark.parametrize("address", ["", "/nowhere", "x" * 5000, "\x00", '");alert(1)//'])
def test_an_unknown_entry_point_has_no_chat(company, client: Client, address):
    """404 with a line for the console."""
    answer = client.get("/widget.js", {"entry_point": address})
    assert answer.status_code == 404
    assert answer.content.decode().startswith('console.warn("CX Hub has no chat')
    assert answer.content.decode().count("\n") == 1


def test_an_entry_point_that_is_off_has_no_chat(company, client: Client):
    """Switching it off takes the launcher away."""
    EntryPoint.objects.filter(pk=company.pk).update(mode="off")
    assert client.get("/widget.js", {"entry_point": "/harborhome"}).status_code == 404


def test_only_reading_is_possible(company, client: Client):
    """POST is refused."""
    for path in ("/harborhome", "/help/", "/help/boiler-pressure", "/widget.js"):
        assert client.post(path).status_code == 405
