"""Agents who take work themselves, and agents who go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from routing import clock
from routing.models import Presence, WorkItem
from routing.services import presence, reservations
from routing.services.reservations import NoCapacity
from tests.routing.conftest import Company
from tests.routing.line import item, load, offers, wait


@pytest.fixture
def company(deciding_company: Company) -> Company:
    return deciding_company


class TestTakingUnasked:
    def test_an_agent_takes_work_that_waits(self, company: Company) -> None:
        """Without an offer, whatever their presence."""
        wait("c1")
        ann = company.agent("ann", state="away")
        taken = reservations.assign(subject="c1", kind="messaging", agent=ann)
        assert (taken.state, item("c1").state, load(ann)) == ("accepted", "assigned", 2)

    def test_an_agent_takes_what_was_never_in_a_line(self, company: Company) -> None:
        """A conversation that the assistant has gets work of its own, in the agent's first queue."""
        ann = company.agent("ann")
        reservations.assign(subject="c9", kind="messaging", agent=ann)
        assert (item("c9").state, item("c9").queue) == ("assigned", company.profile.queue_rows.first().queue)

    def test_an_offer_to_somebody_else_is_taken_back(self, company: Company) -> None:
        """The other agent's capacity is free again."""
        ann = company.agent("ann")
        wait("c1")
        bob = company.agent("bob")
        reservations.assign(subject="c1", kind="messaging", agent=bob)
        assert (load(ann), load(bob), offers(ann)) == (0, 2, [])

    def test_taking_ones_own_offer_or_work_again_changes_nothing(self, company: Company) -> None:
        """Own offers are accepted, own work is returned."""
        ann = company.agent("ann")
        wait("c1")
        first = reservations.assign(subject="c1", kind="messaging", agent=ann)
        assert reservations.assign(subject="c1", kind="messaging", agent=ann).pk == first.pk
        assert load(ann) == 2

    def test_a_full_agent_and_a_foreign_kind_are_refused(self, company: Company) -> None:
        """Capacity holds for what one takes oneself, too; nothing is left behind."""
        ann = company.agent("ann", capacity=2)
        reservations.assign(subject="c1", kind="messaging", agent=ann)
        for kind, sentence in (("messaging", "no room"), ("back_office", "does not include")):
            with pytest.raises(NoCapacity, match=sentence):
                reservations.assign(subject="c2", kind=kind, agent=ann)
        with pytest.raises(NoCapacity, match="Somebody else"):
            reservations.assign(subject="c1", kind="messaging", agent=company.agent("bob"))
        assert (WorkItem.objects.count(), load(ann)) == (1, 2)


class TestPresence:
    def test_a_silent_screen_makes_its_agent_away_and_keeps_their_work(self, company: Company) -> None:
        """A lost connection stops new offers; what they have stays theirs."""
        ann = company.agent("ann")
        presence.heartbeat(ann)
        reservations.assign(subject="c1", kind="messaging", agent=ann)
        assert presence.leave_the_silent() == 0
        with clock.at(clock.now() + presence.SILENT_FOR + timedelta(seconds=1)):
            assert presence.leave_the_silent() == 1
        state = Presence.objects.get(agent=ann)
        assert (state.state, state.away_reason, load(ann)) == ("away", presence.CONNECTION_LOST, 2)

    def test_an_unknown_state_is_refused(self, company: Company) -> None:
        """Only what the model knows."""
        with pytest.raises(ValueError, match="asleep"):
            presence.set_state(company.agent("ann"), "asleep")
