"""Nothing that routing decides by may name a channel: not its source, not the schema, not a table, but for what is declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import checks
from django.test import Client
from django.urls import reverse

from conversations.models import EntryPoint
from cxhub.checks import routing_cannot_see_a_channel, tables_cannot_see_a_channel
from routing.models import ChannelException, ServiceHours
from routing.rules.channels import names_a_channel, names_in_source, names_of_the_schema, undeclared
from routing.rules.publish import PublishRefused, publish
from tests.routing.conftest import Company, make_draft

CATCH_ALL: tuple[str, dict[str, str], dict[str, Any]] = ("The rest", {}, {"handler": "assistant"})
LAST_ROW: dict[str, dict[str, Any]] = {"routing": {"handler": "assistant"}, "scoring": {"points": 0}, "escalation": {"escalate": False}}


def declare(fact: str) -> ChannelException:
    who = User.objects.get_or_create(username="mia")[0]
    return ChannelException.objects.create(fact=fact, reason="A trial in March", declared_by=who)


@pytest.mark.parametrize(
    "name",
    ["channel", "facts.came_by_phone", "entryPoint", "entry_point", "facts.SMSNumber", "web chat", "IsVoice", "call", "caller_id"],
)
def test_a_name_that_names_a_channel_is_found(name: str) -> None:
    assert names_a_channel(name)


@pytest.mark.parametrize("name", ["callback", "Callable", "chatter", "territory", "line_of_business", "recall", "point", "phonetic"])
def test_a_name_that_only_looks_like_one_is_not(name: str) -> None:
    assert not names_a_channel(name)


def test_the_product_itself_names_none() -> None:
    """The fields of a need, every fact and output, the source of the rules, and what makes a need of a conversation."""
    assert names_of_the_schema() == []
    assert routing_cannot_see_a_channel() == []
    assert [error for error in checks.run_checks() if error.id == "cxhub.E004"] == []


@pytest.mark.parametrize(
    "line",
    [
        "need = Need(reason=line.channel)",
        "def need_of(conversation, entry_point): ...",
        "facts = {'came_by_phone': 'yes'}",
        "from conversations.models import Channel",
        "Need(**{'x': getattr(talk, 'voice')})",
        "class CallFacts: ...",
    ],
)
def test_source_that_reads_a_channel_is_found_by_line(tmp_path: Path, line: str) -> None:
    """However it is written; comments and sentences do not count."""
    source = tmp_path / "need_of.py"
    source.write_text(f'"""Whether a call or a chat."""\n# channel\n{line}\n')
    assert {found.line for found in names_in_source([source])} == {3}


@pytest.mark.parametrize("kind", ["routing", "scoring", "escalation"])
@pytest.mark.parametrize("cells", [{"facts.entry_point": "x"}, {"facts.way_in": "phone"}, {"tier": "gold, web chat"}])
def test_a_table_that_names_a_channel_is_refused_unless_it_is_declared(company: Company, kind: str, cells: dict[str, str]) -> None:
    """Each kind of table, by column and by cell; the refusal says where and what to do."""
    (fact,) = cells
    first = LAST_ROW[kind] | ({"points": 5} if kind == "scoring" else {})
    draft = make_draft([("By the way in", cells, first), ("The rest", {}, LAST_ROW[kind])], kind)
    with pytest.raises(PublishRefused, match=f"Row 1, column “{fact}”: .* names a channel"):
        publish(draft, by="tests")
    declare(fact)
    assert publish(draft, by="tests").status == "published"


def test_an_example_that_names_a_channel_is_found_by_its_name(company: Company) -> None:
    draft = make_draft([CATCH_ALL])
    draft.cases.create(name="On the phone", need={"facts": {"phone": "yes"}}, expected={"handler": "assistant"})
    assert [(found.example, found.fact) for found in undeclared(draft)] == [("On the phone", "facts.phone")]


def test_a_reason_may_be_about_a_call(company: Company) -> None:
    """What a cell chooses from a list that managers keep says what a customer wants, not how they came."""
    company.gas.refresh_from_db()
    draft = make_draft([("Heating", {"reason": "no_heating"}, {"handler": "callback"}), CATCH_ALL])
    assert undeclared(draft) == []


def test_the_check_of_the_database_finds_what_was_published_before(company: Company) -> None:
    """A table whose exception was withdrawn, and doors that make different needs of the same words."""
    assert tables_cannot_see_a_channel(databases=["default"]) == []
    exception = declare("facts.phone_first")
    publish(make_draft([("First", {"facts.phone_first": "yes"}, {"handler": "callback"}), CATCH_ALL]), by="tests")
    assert tables_cannot_see_a_channel(databases=["default"]) == []
    exception.delete()
    (warning,) = tables_cannot_see_a_channel(databases=["default"])
    assert "Row 1, column “facts.phone_first”" in warning.msg
    assert tables_cannot_see_a_channel() == []


def test_the_check_of_the_database_compares_doors(company: Company) -> None:
    """Other hours, or a trial, at one door of two make another need of the same words."""
    hours = [ServiceHours.objects.create(code=code, name=code, time_zone="UTC", expression="24/7") for code in ("a", "b")]
    door = {"company_name": "C", "playbook_code": "p"}
    EntryPoint.objects.create(name="Chat", channel="chat", address="/x", hours=hours[0], **door)
    EntryPoint.objects.create(name="Line", channel="voice", address="+441632960100", hours=hours[1], live_share_percent=10, **door)
    found = {warning.msg for warning in tables_cannot_see_a_channel(databases=["default"])}
    assert len(found) == 2
    declare("in_hours")
    assert len(tables_cannot_see_a_channel(databases=["default"])) == 1


def test_managers_declare_an_exception_with_a_reason(client: Client, company: Company) -> None:
    """Who and when are kept; a fact that there is not is refused; a reason is needed; nothing is edited afterwards."""
    mia = User.objects.create(username="mia", is_staff=True, is_superuser=True)
    client.force_login(mia)
    add = reverse("admin:routing_channelexception_add")
    assert "is not a fact" in client.post(add, {"fact": "channel", "reason": "x"}).content.decode()
    assert client.post(add, {"fact": "facts.channel", "reason": ""}).status_code == 200
    assert not ChannelException.objects.exists()
    assert client.post(add, {"fact": "facts.channel", "reason": "A trial"}).status_code == 302
    declared = ChannelException.objects.get()
    assert (declared.fact, declared.declared_by, declared.since is not None) == ("facts.channel", mia, True)
    page = reverse("admin:routing_channelexception_change", args=[declared.pk])
    assert client.post(page, {"fact": "facts.voice", "reason": "x"}).status_code == 403
    assert "mia" in client.get(reverse("admin:routing_channelexception_history", args=[declared.pk])).content.decode()
