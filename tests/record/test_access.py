"""What a party may see of a conversation."""

import pytest

from conversations.selectors import access
from conversations.services import timeline
from conversations.services.timeline import NewEntry
from tests.record import rows

pytestmark = pytest.mark.django_db


def test_a_number_that_calls_again_is_not_taken_for_the_caller_before() -> None:
    """A caller ID can be shown by anybody, and withheld numbers all look the same; a signed visitor token cannot."""
    conversation = rows.conversation()
    for door, own_only in ((rows.phone_line(), True), (rows.entry_point(), False)):
        before, now = (rows.interaction(conversation, door=door, party="same", provider_id=f"{door.channel}-{n}") for n in (1, 2))
        for line in (before, now):
            body = f"said on {line.provider_id}"
            timeline.append(conversation.pk, NewEntry(kind="message", actor_kind="customer", body=body, interaction=line))
        seen = {entry.body for entry in access.seen_by_party(now)}
        assert seen == ({f"said on {now.provider_id}"} if own_only else {f"said on {line.provider_id}" for line in (before, now)})
