"""What a manager should look at now. Each concern counts its rows with one query and can list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import (
    Conversation,
    EntryPoint,
    FieldConflict,
    Handoff,
    Interaction,
    KnowledgeArticle,
    MatchCandidate,
    Playbook,
)
from conversations.selectors import articles, limbo, merge_trail, questions
from reporting.cells import conversation_cell, customer_cell, time_cell
from reporting.figure import Cell, Table, Text
from reporting.metrics.journey_accuracy import mismatch_table
from reporting.metrics.volumes import handoff_table, interaction_table
from reporting.period import Period
from routing.models import Queue, RoutingStep, RuleSet, WorkItem
from routing.selectors.untaken import steps_into_work_nobody_takes

HANDOFF_PATIENCE = timedelta(minutes=5)
RECONCILED_DAYS = 7


class Severity(models.TextChoices):
    """How soon somebody should look."""

    DANGER = "danger", _("Now")
    WARN = "warn", _("Today")
    INFO = "info", _("When there is time")


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that may be wrong: its rows now, and how they are shown."""

    code: str
    name: Text
    advice: Text
    severity: Severity
    rows: Callable[[datetime], Any]
    table: Callable[[Any], Table]

    def count(self, now: datetime) -> int:
        """How many rows there are."""
        rows = self.rows(now)
        return rows.count() if isinstance(rows, QuerySet) else len(rows)

    @property
    def url(self) -> str:
        return reverse("reporting:attention", args=[self.code])


def overdue_work(now: datetime) -> QuerySet[WorkItem]:
    """Work that waits or is offered, past its deadline."""
    return WorkItem.objects.filter(state__in=[WorkItem.State.QUEUED, WorkItem.State.RESERVED], deadline__lt=now)


def unaccepted_handoffs(now: datetime) -> QuerySet[Handoff]:
    """Hand-overs asked for some minutes ago that nobody accepted and nobody cancelled."""
    return Handoff.objects.filter(
        accepted_at__isnull=True, requested_at__lt=now - HANDOFF_PATIENCE, work_item__ended_at__isnull=True
    )


def endless_interactions(now: datetime) -> QuerySet[Interaction]:
    """Calls longer than a call can be, and silent chat sessions, that the sweep should have ended."""
    return limbo.endless_interactions(now - limbo.SWEPT_WITHIN)


def overdue_turns(now: datetime) -> QuerySet[Conversation]:
    """Conversations in which the AI agent owes an answer and nobody is working on it, though the sweep should have seen to it."""
    return limbo.turns_nobody_works_on(now - limbo.SWEPT_WITHIN)


def unreconciled(now: datetime) -> list[Any]:
    """The mismatches between transports and record of the last days."""
    return list(mismatch_table(Period.ending_today(RECONCILED_DAYS)).source)


def doors_without_playbook(now: datetime) -> QuerySet[EntryPoint]:
    """Entry points that are not off and whose playbook has no published version."""
    published = Playbook.objects.filter(status=Playbook.Status.PUBLISHED).values("code")
    return EntryPoint.objects.exclude(mode=EntryPoint.Mode.OFF).exclude(playbook_code__in=published)


def kinds_without_rules(now: datetime) -> list[str]:
    """Kinds of decision table that work needs and that have no published version."""
    has_routing = RuleSet.objects.filter(kind=RuleSet.Kind.ROUTING, status=RuleSet.Status.PUBLISHED).exists()
    return [] if has_routing else [str(RuleSet.Kind.ROUTING.label)]


def untaken_steps(now: datetime) -> QuerySet[RoutingStep]:
    """Steps of queues after which work would wait for nobody."""
    return steps_into_work_nobody_takes()


def unsearchable_articles(now: datetime) -> QuerySet[KnowledgeArticle]:
    """Published articles that were never cut into passages, so that the AI agent cannot find them."""
    return KnowledgeArticle.objects.filter(published=True, passages__isnull=True)


def articles_to_review(now: datetime) -> QuerySet[KnowledgeArticle]:
    """Articles whose review is due, or will be within two weeks."""
    return articles.due_for_review()


def unanswered_questions(now: datetime) -> QuerySet[Any]:
    """What customers asked in vain, one row for each thing."""
    return questions.open_groups()


def open_candidates(now: datetime) -> QuerySet[MatchCandidate]:
    """Pairs of customer records that may be one person."""
    return MatchCandidate.objects.filter(state=MatchCandidate.State.OPEN)


def open_conflicts(now: datetime) -> QuerySet[FieldConflict]:
    """What joined records say differently and nobody has settled."""
    return merge_trail.open_conflicts()


def draft_rule_sets(now: datetime) -> QuerySet[RuleSet]:
    """Decision tables that somebody began to change and has not published."""
    return RuleSet.objects.filter(status=RuleSet.Status.DRAFT)


def draft_playbooks(now: datetime) -> QuerySet[Playbook]:
    """Playbooks that somebody began to change and has not published."""
    return Playbook.objects.filter(status=Playbook.Status.DRAFT)


def _admin(model: type[models.Model], number: int) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[number])


def _work_table(rows: QuerySet[WorkItem]) -> Table:
    return Table(
        columns=(_("Work"), _("Queue"), _("Priority class"), _("Waiting since"), _("Deadline"), _("State")),
        source=rows.select_related("queue").order_by("deadline"),
        cells=lambda each: (
            Cell(str(each), _admin(WorkItem, each.pk)),
            Cell(str(each.queue)),
            Cell(each.priority_class),
            time_cell(each.enqueued_at),
            time_cell(each.deadline),
            Cell(each.get_state_display()),
        ),
    )


def _turn_table(rows: QuerySet[Conversation]) -> Table:
    return Table(
        columns=(_("Customer"), _("Conversation"), _("Waiting since"), _("Answer owed to entry"), _("Last worker")),
        source=rows.select_related("customer").order_by("last_entry_at"),
        cells=lambda each: (
            customer_cell(each.customer),
            conversation_cell(each),
            time_cell(each.last_entry_at),
            Cell(each.turn_wanted_seq),
            Cell(each.turn_worker),
        ),
    )


def _candidate_table(rows: QuerySet[MatchCandidate]) -> Table:
    return Table(
        columns=(_("Pair"), _("Customer"), _("May also be"), _("How alike"), _("Found")),
        source=rows.select_related("customer", "other").order_by("-score", "-found_at"),
        cells=lambda each: (
            Cell(_("Look at it"), _admin(MatchCandidate, each.pk)),
            customer_cell(each.customer, told_apart=True),
            customer_cell(each.other, told_apart=True),
            Cell(f"{each.score:.0%}"),
            time_cell(each.found_at),
        ),
    )


def _conflict_table(rows: QuerySet[FieldConflict]) -> Table:
    return Table(
        columns=(_("Customer"), _("Field"), _("Joined"), _("By")),
        source=rows,
        cells=lambda each: (
            customer_cell(each.link.joined.root or each.link.into),
            Cell(each.label),
            time_cell(each.link.made_at),
            Cell(each.link.made_by),
        ),
    )


def _named_rows(rows: QuerySet[Any]) -> Table:
    return Table(columns=(_("Name"),), source=rows, cells=lambda each: (Cell(str(each), _admin(type(each), each.pk)),))


def _text_rows(rows: list[str]) -> Table:
    return Table(columns=(_("Kind"),), source=rows, cells=lambda each: (Cell(each, reverse("admin:routing_ruleset_changelist")),))


def _step_table(rows: QuerySet[RoutingStep]) -> Table:
    return Table(
        columns=(_("Queue"), _("Seconds waited"), _("Becomes")),
        source=rows,
        cells=lambda each: (
            Cell(str(each.queue), _admin(Queue, each.queue_id)),
            Cell(each.after_seconds),
            Cell(each.becomes_kind),
        ),
    )


def _unreconciled_table(rows: list[Any]) -> Table:
    return mismatch_table(Period.ending_today(RECONCILED_DAYS))


CONCERNS: Mapping[str, Concern] = {
    concern.code: concern
    for concern in (
        Concern(
            "waiting", _("Customers waiting beyond the service level"),
            _("Ask somebody to go available, or move the work to another queue."), Severity.DANGER, overdue_work, _work_table,
        ),
        Concern(
            "handoffs", _("Hand-overs nobody accepted"),
            _("The customer was promised a person more than 5 minutes ago."), Severity.DANGER, unaccepted_handoffs, handoff_table,
        ),
        Concern(
            "turns", _("Answers the AI agent owes"),
            _("These are taken up again by themselves. If the number stays, check that the worker runs."), Severity.DANGER,
            overdue_turns, _turn_table,
        ),
        Concern(
            "rules", _("Decision tables without a published version"),
            _("Nothing can be routed until a version is published."), Severity.DANGER, kinds_without_rules, _text_rows,
        ),
        Concern(
            "doors", _("Entry points without a playbook"),
            _("Publish the playbook that is named there, or turn the entry point off."), Severity.DANGER,
            doors_without_playbook, _named_rows,
        ),
        Concern(
            "untaken", _("Queues whose work comes to wait for nobody"),
            _("A step makes it a kind of work, such as callback, that no agent of the queue takes. Add the kind to a routing profile."),
            Severity.DANGER, untaken_steps, _step_table,
        ),
        Concern(
            "endless", _("Calls and chats that never ended"),
            _("The end was not reported. They are closed by themselves; if the number stays, check that the worker runs."),
            Severity.WARN, endless_interactions, interaction_table,
        ),
        Concern(
            "unreconciled", _("Sessions that the record has differently"),
            _("What the phone platform or the web server saw in the last 7 days and the record does not have, or has otherwise."),
            Severity.WARN, unreconciled, _unreconciled_table,
        ),
        Concern(
            "articles", _("Articles the AI agent cannot find"),
            _("Open them and press Publish, so that they are cut into passages."), Severity.WARN, unsearchable_articles, _named_rows,
        ),
        Concern(
            "reviews", _("Articles to be read again"),
            _("Read them, put right what is wrong, and press “Read and found right”."), Severity.INFO, articles_to_review, _named_rows,
        ),
        Concern(
            "questions", _("Questions nobody could answer"),
            _("Write an article, or say that it is not for us to answer."), Severity.INFO, unanswered_questions, _named_rows,
        ),
        Concern(
            "candidates", _("Customers who may be one person"),
            _("Decide whether to join them. Nothing is joined until you do."), Severity.INFO, open_candidates, _candidate_table,
        ),
        Concern(
            "conflicts", _("Joined records that say different things"),
            _("Choose on the customer's page which of the two counts. Both are kept until you do."), Severity.INFO, open_conflicts,
            _conflict_table,
        ),
        Concern(
            "draft-rules", _("Drafts of decision tables"),
            _("Publish them, or delete what is not needed."), Severity.INFO, draft_rule_sets, _named_rows,
        ),
        Concern(
            "draft-playbooks", _("Drafts of playbooks"),
            _("Publish them, or delete what is not needed."), Severity.INFO, draft_playbooks, _named_rows,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Raised:
    """A concern with its number of rows at this moment."""

    concern: Concern
    count: int


def raised() -> list[Raised]:
    """The concerns that have rows now, the urgent ones first. One query each."""
    now = timezone.now()
    counted = [Raised(concern, concern.count(now)) for concern in CONCERNS.values()]
    return [each for each in counted if each.count]
