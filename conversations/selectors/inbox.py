"""What an agent's lists show: offers, my work, waiting, everything open, and finding a conversation."""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import CombinedSearchQuery, SearchQuery, SearchRank, SearchVector
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from conversations.models import Conversation, Entry, Handoff, Interaction, KnowledgePassage
from conversations.models.knowledge import OTHER_WORD_FORMS, WORD_FORMS
from conversations.selectors import customer_search, history, naming
from conversations.selectors.articles import FOR_STAFF, readable_passages
from routing.models import AgentProfile, Interruption, Reservation, WorkItem
from routing.selectors.line import in_order

Tab = Literal["mine", "waiting", "open"]
Level = Literal["ok", "warn", "danger", ""]

PAGE = 50
PACKAGE = ("why", "summary", "facts", "tried", "next_step")
LAST_QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as a list shows it.

    `since` is the moment that the waiting time counts from. `level` compares now with the service
    level's deadline: `ok`, `warn` in the last quarter, `danger` after it; empty when nobody waits.
    `unanswered` says that the customer spoke last and a person owes the answer, `laid_aside` that this person has laid it aside
    for other work. `kind` is the kind of its live work, empty without any.
    """

    conversation: Conversation
    name: str
    words: str
    words_by: str
    channels: tuple[str, ...]
    on_the_phone: bool
    since: datetime
    deadline: datetime | None
    level: Level
    queue: str
    kind: str
    unanswered: bool
    laid_aside: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A pending reservation of this agent, with what helps to decide: why, summary, and how long it stands."""

    reservation: Reservation
    row: Row
    why: str
    summary: str
    seconds: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers in the tabs."""

    mine: int
    waiting: int
    open: int


def subject_of(conversation: Conversation) -> str:
    """The name routing knows this conversation by."""
    return conversation.public_id.hex


def live_work(conversation: Conversation) -> WorkItem | None:
    """The work that waits for a person, is offered, or is with one; None when the AI agent has it alone."""
    return WorkItem.objects.filter(subject=subject_of(conversation), state__in=WorkItem.LIVE_STATES).select_related("queue").first()


def pending_offer(work: WorkItem | None, agent: AgentProfile | None) -> Reservation | None:
    """The offer of this work to this agent that still stands."""
    if work is None or agent is None:
        return None
    return work.reservations.filter(agent=agent, state=Reservation.State.PENDING, expires_at__gt=timezone.now()).first()


def wrap_up(work: WorkItem | None) -> Reservation | None:
    """The reservation under which this work is being written up, with when that ends by itself; None while it is not."""
    if work is None or work.state != WorkItem.State.WRAPPING:
        return None
    return work.reservations.filter(state=Reservation.State.WRAPPING).first()


def unanswered_package(conversation: Conversation) -> Entry | None:
    """The last hand-over package that no person has answered since, with what was added to it while the customer waited.

    None in a closed conversation. The entry of the history, as it was when it was handed over, stays as it is.
    """
    if conversation.status == Conversation.Status.CLOSED:
        return None
    own = Entry.objects.filter(conversation=conversation)
    package = own.filter(kind="handoff.requested").order_by("-seq").first()
    if package is None or own.filter(kind="message", actor_kind=Entry.Actor.AGENT, seq__gt=package.seq).exists():
        return None
    latest = Handoff.objects.filter(conversation=conversation).order_by("-pk").values(*PACKAGE).first()
    if latest and not package.redacted_at:
        package.data = package.data | latest
    return package


def offers(agent: AgentProfile) -> list[Offer]:
    """What is offered to this agent now, the one that runs out first on top."""
    now = timezone.now()
    reservations = list(
        Reservation.objects.filter(agent=agent, state=Reservation.State.PENDING, expires_at__gt=now)
        .select_related("work_item__queue", "work_item__handoff")
        .order_by("expires_at", "id")
    )
    works = [each.work_item for each in reservations]
    by_subject = _conversations_of(works)
    found = []
    for reservation in reservations:
        conversation = by_subject.get(reservation.work_item.subject)
        if conversation is None:
            continue
        handoff: Handoff | None = getattr(reservation.work_item, "handoff", None)
        found.append(
            Offer(
                reservation=reservation,
                row=_row(conversation, reservation.work_item, now),
                why=handoff.why if handoff else reservation.reason,
                summary=handoff.summary if handoff else "",
                seconds=max(1, round((reservation.expires_at - reservation.offered_at).total_seconds())),
                seconds_left=max(0.0, (reservation.expires_at - now).total_seconds()),
            )
        )
    return found


def my_work(agent: AgentProfile) -> list[Row]:
    """Open conversations that this agent has, by deadline; those never queued come last, oldest first."""
    rows = _rows(_listed(Conversation.objects.filter(owner_agent=agent, status="open", joined_into=None)))
    return sorted(rows, key=lambda row: (row.deadline is None, row.deadline or row.since, row.conversation.pk))


def waiting() -> list[Row]:
    """Everything that waits for a person, in the order in which routing offers it."""
    now = timezone.now()
    line = WorkItem.objects.filter(state__in=[WorkItem.State.QUEUED, WorkItem.State.RESERVED]).select_related("queue")
    works = list(in_order(line)[: 10 * PAGE])
    by_subject = _conversations_of(works)
    return [_row(by_subject[work.subject], work, now) for work in works if work.subject in by_subject]


def all_open(show: int = PAGE) -> list[Row]:
    """Every open conversation, newest activity first, at most `show` of them."""
    return _rows(_listed(Conversation.objects.filter(status="open", joined_into=None)).order_by("-last_entry_at")[:show])


def counts(agent: AgentProfile | None) -> Counts:
    """How many rows each tab has; a manager without an agent profile has no work of their own."""
    open_ones = Conversation.objects.filter(status="open", joined_into=None)
    return Counts(
        mine=open_ones.filter(owner_agent=agent).count() if agent else 0,
        waiting=WorkItem.objects.filter(state__in=[WorkItem.State.QUEUED, WorkItem.State.RESERVED]).count(),
        open=open_ones.count(),
    )


def find(text: str, limit: int = 12, *, elsewhere: Sequence[customer_search.Elsewhere] = ()) -> list[Row]:
    """One conversation of each customer that `text` may mean, the best first; see `customer_search.search`, also for `elsewhere`.

    It is the one in which the text was said, or what that goes on in; else the open one, else the newest.
    """
    found = customer_search.search(text, limit=limit, elsewhere=elsewhere)
    places = {each.customer.pk: place for place, each in enumerate(found)}
    said_in = Conversation.objects.filter(pk__in=[each.conversation_id for each in found if each.conversation_id])
    others = Conversation.objects.filter(customer__in=[each.customer.pk for each in found if not each.conversation_id], joined_into=None)
    one_each = others.order_by("customer_id", "-status", "-last_entry_at").distinct("customer_id")
    wanted = Q(pk__in=said_in.values(goes_on_in=Coalesce("joined_into", "pk"))) | Q(pk__in=one_each.values("pk"))
    rows = _rows(_listed(Conversation.objects.filter(wanted)))
    return sorted(rows, key=lambda row: places[row.conversation.customer_id])


def _typed(words: Sequence[str], configs: Iterable[str]) -> CombinedSearchQuery | SearchQuery:
    """Whatever has all these words, the last of which may be half typed, in the forms of any of these languages or as they are."""
    raw = " & ".join(words) + ":*"
    query: CombinedSearchQuery | SearchQuery = SearchQuery(raw, config=OTHER_WORD_FORMS, search_type="raw")
    for config in sorted(set(configs) - {OTHER_WORD_FORMS}):
        query = query | SearchQuery(raw, config=config, search_type="raw")
    return query


def answers(text: str, limit: int) -> list[KnowledgePassage]:
    """Passages of articles that are valid now for a reply, staff's own too: by the words of the passage or of the title, best first.

    The last word may be half typed. Without words: where each article begins, by title.
    """
    published = KnowledgePassage.objects.filter(readable_passages(FOR_STAFF)).select_related("article")
    words = re.findall(r"\w+", text)
    if not text.strip():
        first = published.filter(article=OuterRef("article")).order_by("position").values("pk")[:1]
        return list(published.filter(pk=Subquery(first)).order_by("article__title")[:limit])
    if not words:
        return []
    languages = set(published.values_list("language", flat=True))
    query = _typed(words, {WORD_FORMS.get(language, OTHER_WORD_FORMS) for language in languages})
    title = SearchVector("article__title", config=OTHER_WORD_FORMS)
    return list(
        published.annotate(title=title, by_title=SearchRank(title, query), by_words=SearchRank(F("words"), query))
        .filter(Q(words=query) | Q(title=query) | Q(article__title__icontains=text.strip()))
        .order_by("-by_title", "-by_words", "article__title", "position")[:limit]
    )


def earlier(conversation: Conversation, limit: int = 10) -> list[Conversation]:
    """The customer's other conversations, newest first, with the channels they went over as `channels`."""
    return list(
        _listed(Conversation.objects.filter(customer=conversation.customer_id, joined_into=None))
        .exclude(pk=conversation.pk)
        .order_by("-opened_at")[:limit]
    )


def woven(conversation: Conversation, own: list[Entry], *, before: int | None = None) -> list[Entry]:
    """One page of a history with what was said in conversations joined into it, in the order of recording.

    And with what its own lines said where they went on for a while, until that joining was taken back. `own` is consecutive entries
    of the conversation; `before` the seq that the page ends before, None for the newest page. Every other entry falls into exactly
    one page.
    """
    joined = [each.pk for each in history.going_on_in(conversation.pk)]
    went_on_in = list(conversation.links_out.filter(active=False).values_list("into", flat=True))
    if not (joined or went_on_in) or not own:
        return own
    of_its_lines = Q(conversation__in=went_on_in, interaction__conversation=conversation)
    others = Entry.objects.filter(Q(conversation__in=joined) | of_its_lines).exclude(kind="conversation.joined")
    if own[0].seq > 1:
        others = others.filter(recorded_at__gte=own[0].recorded_at)
    if before is not None:
        bound = Entry.objects.filter(conversation=conversation, seq=before).values("recorded_at")
        others = others.filter(recorded_at__lt=Subquery(bound))
    every = [*own, *others.select_related("interaction__entry_point")]
    return sorted(every, key=lambda entry: (entry.recorded_at, entry.conversation_id, entry.seq))


def _listed(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """The columns that a row needs: last words, channels, a live call, and a number or address to call them by."""
    messages = Entry.objects.filter(conversation=OuterRef("pk"), kind="message").order_by("-seq")
    interactions = Interaction.objects.filter(conversation=OuterRef("pk"))
    return conversations.select_related("customer", "reason", "owner_agent", "disposition").annotate(
        last_message=Subquery(messages.values(found=JSONObject(body="body", by="actor_kind", at="occurred_at"))[:1]),
        channels=ArraySubquery(interactions.order_by().values("channel").distinct()),
        on_the_phone=Exists(interactions.filter(channel="voice").exclude(state="ended")),
        reachable_at=naming.reachable_at("customer"),
    )


def _conversations_of(works: Iterable[WorkItem]) -> dict[str, Conversation]:
    """Subject → conversation, for subjects that are ours."""
    public_ids = {}
    for work in works:
        try:
            public_ids[uuid.UUID(work.subject)] = work.subject
        except ValueError:
            continue
    found = _listed(Conversation.objects.filter(public_id__in=public_ids))
    return {public_ids[conversation.public_id]: conversation for conversation in found}


def _rows(conversations: QuerySet[Conversation]) -> list[Row]:
    """Rows with their live work, in the order given; two statements."""
    listed = list(conversations)
    works = {
        work.subject: work
        for work in WorkItem.objects.filter(subject__in=[subject_of(each) for each in listed], state__in=WorkItem.LIVE_STATES)
        .select_related("queue")
        .annotate(laid_aside=Exists(Interruption.objects.filter(laid_aside__work_item=OuterRef("pk"), ended_at=None)))
    }
    now = timezone.now()
    return [_row(each, works.get(subject_of(each)), now) for each in listed]


def _row(conversation: Conversation, work: WorkItem | None, now: datetime) -> Row:
    last = conversation.last_message or {}  # type: ignore[attr-defined]  # annotated by _listed
    waits = work is not None and work.state in (WorkItem.State.QUEUED, WorkItem.State.RESERVED)
    unanswered = conversation.owner_kind == Conversation.Owner.HUMAN and last.get("by") == Entry.Actor.CUSTOMER
    if waits and work is not None:
        since = work.enqueued_at
    elif unanswered:
        since = datetime.fromisoformat(last["at"])
    else:
        since = conversation.last_entry_at
    return Row(
        conversation=conversation,
        name=naming.calls_by(conversation.customer, conversation.reachable_at),  # type: ignore[attr-defined]
        words=last.get("body", ""),
        words_by=last.get("by", ""),
        channels=tuple(sorted(conversation.channels)),  # type: ignore[attr-defined]
        on_the_phone=conversation.on_the_phone,  # type: ignore[attr-defined]
        since=since,
        deadline=work.deadline if work else None,
        level=_level(work, now) if waits and work is not None else "",
        queue=work.queue.name if work else "",
        kind=work.kind if work else "",
        unanswered=unanswered,
        laid_aside=getattr(work, "laid_aside", False),
    )


def _level(work: WorkItem, now: datetime) -> Level:
    """Where the waiting stands between its beginning and its deadline."""
    if now >= work.deadline:
        return "danger"
    allowed = max(work.deadline - work.enqueued_at, timedelta(seconds=1))
    return "warn" if (work.deadline - now) / allowed <= LAST_QUARTER else "ok"
