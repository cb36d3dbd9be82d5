"""Several managers at one draft: nobody's change is undone unseen, and what is published is what was looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client

from routing.models import Rule, RuleSet
from routing.rules.evaluate import table_of
from routing.rules.publish import PublishRefused, as_written, new_draft_from, publish
from tests.routing.conftest import Company, make_draft
from tests.routing.test_rule_admin import form_data, save, text_of, url


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
    return client


def test_who_saves_a_page_that_is_out_of_date_is_told(manager: Client, company: Company, published: RuleSet) -> None:
    """The other one's row stays, and what was typed is kept on the page."""
    draft = new_draft_from(published)
    opened = form_data(manager.get(url("change", draft)).content)
    assert save(manager, draft, {"rules-0-description": "Gas first, always"}).status_code == 302
    late = opened | {"rules-1-description": "Who asks gets one", "_save": "Save"}
    refused = manager.post(url("change", draft), late)
    assert "Somebody else changed this draft after you opened it" in text_of(refused)
    assert "Who asks gets one" in refused.content.decode()
    assert [row.description for row in draft.rules.all()][:2] == ["Gas first, always", "Whoever asks for a person gets one"]
    assert manager.post(url("change", draft), late).status_code == 200, "it stays refused"
    assert save(manager, draft, {"rules-1-description": "Who asks gets one"}).status_code == 302


def test_what_was_not_looked_at_is_not_published(manager: Client, company: Company, published: RuleSet) -> None:
    """The page shows what the draft would do now; publishing that is accepted."""
    draft = new_draft_from(published)
    review = form_data_of_review(manager.get(url("publish", draft)))
    draft.rules.filter(position=2).update(outputs={"handler": "callback"})
    refused = manager.post(url("publish", draft), review | {"note": "Looked at."})
    assert "The draft was changed since you looked at it." in text_of(refused)
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert manager.post(url("publish", draft), form_data_of_review(refused) | {"note": "Looked at again."}).status_code == 302
    draft.refresh_from_db()
    assert draft.status == "published"


def form_data_of_review(page: Any) -> dict[str, Any]:
    found = page.context["form"]
    return {name: found[name].value() for name in found.fields}


def test_a_digest_changes_with_each_row_and_example(company: Company) -> None:
    """And only with them."""
    draft = make_draft()
    seen = {as_written(draft)}
    RuleSet.objects.update(note="Another note")
    assert as_written(draft) in seen
    draft.rules.filter(position=1).update(conditions={"reason": "no_heating"})
    seen.add(as_written(draft))
    draft.cases.update(expected={"handler": "callback"})
    seen.add(as_written(draft))
    draft.rules.filter(position=1).delete()
    seen.add(as_written(draft))
    assert len(seen) == 4
    with pytest.raises(PublishRefused, match="changed since"):
        publish(draft, by="tests", seen="0" * 64)


def meanwhile(act: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Another connection that does something; what came of it. Returned once it waits for a lock, or is done."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(act())
        except Exception as error:
            came.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive() and not _somebody_waits():
        thread.join(0.01)
    return thread, came


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())")
        return bool(cursor.fetchone()[0])


def test_publishing_waits_for_a_row_that_is_being_changed(committed_company: Company) -> None:
    """And publishes it as it is then, so that what is shown is what decides."""
    draft = make_draft()
    with transaction.atomic():
        draft.rules.filter(position=2).update(outputs={"handler": "callback"})
        thread, came = meanwhile(lambda: publish(draft, by="tests"))
        assert came == [], "it waits"
    thread.join()
    assert isinstance(came[0], RuleSet)
    assert table_of(came[0]).rows[1].outputs["handler"] == "callback"


def test_a_row_does_not_come_into_a_table_that_is_being_published(committed_company: Company) -> None:
    """Neither a changed one nor a new one: who was late is refused by the database."""
    for act in (
        lambda draft: draft.rules.filter(position=2).update(outputs={"handler": "callback"}),
        lambda draft: Rule.objects.create(rule_set=draft, position=9, description="Late", outputs={"handler": "callback"}),
    ):
        draft = make_draft()
        with transaction.atomic():
            publish(draft, by="tests")
            thread, came = meanwhile(lambda act=act, draft=draft: act(draft))  # type: ignore[misc]
            assert came == [], "it waits"
        thread.join()
        assert isinstance(came[0], IntegrityError)
        assert [row.outputs["handler"] for row in draft.rules.all()] == ["human", "human", "human", "assistant"]
