"""The page about the roll-out: what agents think of drafts, and which suggested outcomes they kept."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from conversations.models import DraftReview, Entry, Interaction
from conversations.services import roll_out, timeline
from conversations.services.timeline import NewEntry
from reporting.figure import measure
from reporting.metrics import METRICS
from reporting.metrics.draft_agreement import agreements
from reporting.period import Period
from routing.models import AgentProfile
from tests.reporting import cast

pytestmark = pytest.mark.django_db


def drafted(line: Interaction, verdict: str, by: AgentProfile) -> None:
    appended = timeline.append(
        line.conversation_id, NewEntry(kind="draft", actor_kind="assistant", audience="staff", body="We open at 8.", interaction=line)
    )
    draft = Entry.objects.get(conversation=line.conversation_id, seq=appended.seq)
    roll_out.keep_review(draft, tools=[])
    if verdict:
        roll_out.judge(draft, by, verdict)


def test_agreement_by_door_and_reason_and_outcomes_that_were_kept(client: Client) -> None:
    """Shares are of what was judged; every number opens to its rows; strangers do not come in."""
    ann = cast.agent("Ann")
    talk = cast.conversation(cast.customer(), timezone.now(), reason=cast.reason())
    cast.chat(talk)
    line = Interaction.objects.get(conversation=talk)
    for verdict in ("accept", "edit", "reject", ""):
        drafted(line, verdict, ann)
    for suggested in ("solved", "left"):
        timeline.append(
            talk.pk,
            NewEntry(kind="outcome.set", actor_kind="agent", actor_name="Ann", audience="staff",
                     data={"disposition": "solved", "suggested": suggested}),
        )  # fmt: skip
    (row,) = agreements(Period.ending_today(1))
    assert (row.drafts, row.accepted, row.edited, row.rejected, row.taken, row.known) == (4, 1, 1, 1, 2, 3)
    assert row.reason == talk.reason.name
    counted = {code: measure(METRICS[code], Period.ending_today(1)) for code in ("draft_agreement", "suggested_outcomes")}
    assert {code: (each.numerator, each.denominator) for code, each in counted.items()} == {
        "draft_agreement": (2, 3), "suggested_outcomes": (1, 2),
    }  # fmt: skip
    assert client.get("/reports/roll-out/").status_code == 302
    client.force_login(cast.manager())
    page = client.get("/reports/roll-out/?period=today").content.decode()
    assert "2 of 3" in page
    for code, shown in (("draft_agreement", "We open at 8."), ("suggested_outcomes", "left")):
        assert shown in client.get(f"/reports/rows/{code}/?period=today").content.decode()
        assert shown in client.get(f"/reports/rows/{code}/?period=today&of=all").content.decode()
    assert DraftReview.objects.count() == 4
