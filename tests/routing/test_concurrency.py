"""Several real connections at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from routing.models import AgentProfile, Reservation, RuleSet, WorkItem
from routing.need import Need
from routing.rules.publish import PublishRefused, publish, roll_back_to
from routing.services import presence, queueing, reservations
from routing.services.decide import decide
from routing.services.dispatch import dispatch_all
from tests.routing.conftest import Company, make_draft
from tests.support.processes import child_environment


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs the tasks in threads that start together; returns what each returned or raised."""
    together = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return task()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def enqueue(subject: str, kind: str = "messaging") -> WorkItem:
    need = Need(asked_for_human=True)
    return queueing.enqueue(subject=subject, kind=kind, decision=decide(need, subject=subject))


def test_one_of_many_who_publish_the_same_draft_wins(committed_company: Company) -> None:
    """The others are told that it is not a draft any more."""
    draft = make_draft()
    outcomes = at_once([lambda: publish(draft, by="tests")] * 4)
    assert sum(isinstance(outcome, RuleSet) for outcome in outcomes) == 1
    refusals = [str(outcome) for outcome in outcomes if isinstance(outcome, PublishRefused)]
    assert len(refusals) == 3
    assert all("is not a draft any more: tests published it at" in refusal for refusal in refusals)
    assert RuleSet.objects.filter(status="published").count() == 1


def test_different_drafts_published_at_once_leave_one_published(committed_company: Company) -> None:
    """Each gets its own number; the last one decides."""
    drafts = [make_draft() for _number in range(3)]
    outcomes = at_once([lambda draft=draft: publish(draft, by="tests") for draft in drafts])
    assert all(isinstance(outcome, RuleSet) for outcome in outcomes)
    published = RuleSet.objects.get(status="published")
    assert published.version == max(RuleSet.objects.values_list("version", flat=True))


def test_a_publication_is_followed_at_once_by_every_connection(committed_company: Company) -> None:
    """No process keeps deciding by the version before."""
    publish(make_draft(), by="tests")
    assert at_once([lambda: decide(Need(), subject="a").handler]) == ["assistant"]
    publish(make_draft([("Later", {}, {"handler": "callback"})]), by="tests")
    assert at_once([lambda: decide(Need(), subject="b").handler] * 3) == ["callback"] * 3


ANOTHER_PROCESS = """
import sys, django
django.setup()
from routing.need import Need
from routing.services.decide import decide, score
for line in sys.stdin:
    print(decide(Need(), subject="other").handler, score(Need()), flush=True)
"""


def test_a_process_that_keeps_its_tables_follows_what_another_one_publishes(committed_company: Company) -> None:
    """It has decided, and keeps the compiled tables; the next decision is by what was published here meanwhile, or gone."""
    environment = child_environment(DJANGO_SETTINGS_MODULE="cxhub.settings", DATABASE_POOL_SIZE="0")
    first = publish(make_draft(), by="tests")
    with subprocess.Popen(
        [sys.executable, "-c", ANOTHER_PROCESS], cwd=settings.BASE_DIR, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip

        def asked() -> list[str]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("decide\n")
            process.stdin.flush()
            return process.stdout.readline().split()

        assert asked() == ["assistant", "0"]
        publish(make_draft([("Later", {}, {"handler": "callback"})]), by="tests")
        publish(make_draft([("All", {}, {"points": 7})], "scoring"), by="tests")
        assert asked() == ["callback", "7"]
        roll_back_to(first, by="tests")
        assert asked() == ["assistant", "7"]


def test_the_same_subject_enqueued_at_once_waits_once(committed_company: Company) -> None:
    """Ten calls, one item."""
    publish(make_draft(), by="tests")
    outcomes = at_once([lambda: enqueue("c1")] * 6)
    assert {outcome.pk for outcome in outcomes} == {WorkItem.objects.get().pk}


def test_one_offer_is_accepted_or_cancelled_never_both(committed_company: Company) -> None:
    """Whoever comes first wins; the other one is told or does nothing."""
    publish(make_draft(), by="tests")
    ann = committed_company.agent("ann")
    for number in range(5):
        subject = f"c{number}"
        enqueue(subject)
        pending = Reservation.objects.get(state="pending")
        at_once(
            [
                lambda pk=pending.pk: reservations.accept(pk, ann),
                lambda subject=subject: queueing.cancel(subject),
                lambda pk=pending.pk: reservations.accept(pk, ann),
            ]
        )
        pending.refresh_from_db()
        item = WorkItem.objects.get(subject=subject)
        assert (item.state, pending.state) in {("assigned", "accepted"), ("canceled", "canceled")}
        reservations.complete(subject)
    ann.refresh_from_db()
    assert ann.load == 0


def customers(first: int) -> None:
    """Six customers in a row, every third of them calling."""
    for number in range(first, first + 6):
        enqueue(f"c{number}", "live_voice" if number % 3 == 0 else "messaging")


def working(agent: AgentProfile) -> None:
    """An agent who takes and finishes whatever is offered, and stays available."""
    for _round in range(6):
        for offered in Reservation.objects.filter(agent=agent, state="pending").select_related("work_item"):
            try:
                reservations.accept(offered.pk, agent)
            except reservations.ReservationGone:
                continue
            reservations.complete(offered.work_item.subject)
        presence.set_state(agent, "available")


def sweeping() -> None:
    """The sweeps, again and again."""
    for _round in range(6):
        dispatch_all()
        reservations.expire_due()


def test_a_busy_morning_keeps_every_promise(committed_company: Company) -> None:
    """Customers, agents, sweeps and transfers at once: no double offer, no overload, no deadlock, nothing lost."""
    publish(make_draft(), by="tests")
    agents = [committed_company.agent(name) for name in ("ann", "bob", "cem")]

    outcomes = at_once(
        [lambda: customers(0), lambda: customers(100), sweeping, *(lambda agent=agent: working(agent) for agent in agents)]
    )
    assert outcomes == [None] * 6
    for agent in agents:
        agent.refresh_from_db()
        live = Reservation.objects.filter(agent=agent, state__in=Reservation.LIVE_STATES)
        assert agent.load == (live.aggregate(weight=Sum("weight"))["weight"] or 0)
    assert WorkItem.objects.count() == 12
    for agent in agents:
        working(agent)
    assert set(WorkItem.objects.values_list("state", flat=True)) == {"completed"}
