"""Journey reporting accuracy: whether the record has every call, chat session and text message, once, and right.

Raw truth is what the transports delivered (see `reporting.reconcile`); nothing in reporting writes it.

    accuracy     = sessions recorded exactly once with every compared field agreeing
                   / (raw sessions + interactions without a raw session)
    completeness = raw sessions with exactly one interaction / raw sessions
    phantoms     = interactions without a raw session
    fields       = compared fields that agree / compared fields

For calls the fields are direction, start (within 2 s), how it ended, and length (within 2 s), each compared as soon as the
platform has said it. The platform's start is when the call was answered, so it is compared with `answered_at`, or with
`started_at` while the call was not answered. For chat sessions and text messages only their presence is compared.

Duplicates are looked for although the database refuses a second interaction of the same id; the count is taken, not
assumed. Evidence level: observed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from conversations.models.entry_point import Channel
from reporting.cells import interaction_number, time_cell
from reporting.figure import Better, Cell, DayCount, Metric, Table, Unit
from reporting.period import Period
from reporting.reconcile import Session, mismatches, sessions

Count = Callable[[Session], tuple[int, int]]
"""(numerator, denominator) of one session."""


def _accuracy(session: Session) -> tuple[int, int]:
    return int(session.is_recorded_once and not session.mismatches), 1


def _completeness(session: Session) -> tuple[int, int]:
    return int(session.is_recorded_once), int(session.is_raw)


def _phantoms(session: Session) -> tuple[int, int]:
    return int(session.is_phantom), 1


def _duplicates(session: Session) -> tuple[int, int]:
    return int(session.is_duplicate), 1


def _fields(session: Session) -> tuple[int, int]:
    return session.fields_agreeing, session.fields_compared


def _daily(period: Period, count: Count) -> Sequence[DayCount]:
    numerators: dict[date, int] = defaultdict(int)
    denominators: dict[date, int] = defaultdict(int)
    for session in _once(sessions(period)):
        day = session.at.astimezone(period.zone).date()
        numerator, denominator = count(session)
        numerators[day] += numerator
        denominators[day] += denominator
    return [DayCount(day, numerators[day], denominators[day]) for day in denominators]


def _once(found: Iterable[Session]) -> Iterable[Session]:
    """Each session once, also when it has several interactions."""
    seen: set[tuple[str, str]] = set()
    for session in found:
        if (session.channel, session.session_id) not in seen:
            seen.add((session.channel, session.session_id))
            yield session


def _table(rows: list[Session]) -> Table:
    return Table(
        columns=(_("When"), _("Channel"), _("Session"), _("Interaction"), _("What differs"), _("Transport says"), _("Record says")),
        source=[(session, each) for session in rows for each in session.mismatches],
        cells=lambda pair: (
            time_cell(pair[0].at),
            Cell(str(Channel(pair[0].channel).label)),
            Cell(pair[0].session_id),
            interaction_number(pair[0].interaction_id),
            Cell(str(pair[1].label)),
            Cell(pair[1].raw),
            Cell(pair[1].recorded),
        ),
        empty=_("Every session is in the record, once, and right."),
    )


def _session_table(rows: list[Session]) -> Table:
    """Every session, seen or recorded, with what differs in it."""
    return Table(
        columns=(_("When"), _("Channel"), _("Session"), _("Interaction"), _("What differs")),
        source=rows,
        cells=lambda session: (
            time_cell(session.at),
            Cell(str(Channel(session.channel).label)),
            Cell(session.session_id),
            interaction_number(session.interaction_id),
            Cell(", ".join(str(each.label) for each in session.mismatches) or gettext("Nothing")),
        ),
    )


def mismatch_table(period: Period) -> Table:
    """Every mismatch of the period, one row each."""
    return _table(mismatches(period))


def _rows_with(*fields: str) -> Callable[[Period], Table]:
    def table(period: Period) -> Table:
        return _table([session for session in mismatches(period) if any(each.field in fields for each in session.mismatches)])

    return table


ACCURACY = Metric(
    code="journey_accuracy",
    name=_("Journey reporting accuracy"),
    definition=_(
        "Calls, chat sessions and text messages that are in the record exactly once, calls with direction, start, end and length as "
        "the phone platform and the web server saw them (times within 2 seconds). Divided by all sessions seen or recorded."
    ),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=lambda period: _daily(period, _accuracy),
    rows=mismatch_table,
    rows_are=_("Mismatches"),
    basis=lambda period: _session_table(list(_once(sessions(period)))),
)
COMPLETENESS = Metric(
    code="journey_completeness",
    name=_("Sessions in the record"),
    definition=_("Calls, chat sessions and text messages that the transport saw and that the record has exactly once."),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=lambda period: _daily(period, _completeness),
    rows=_rows_with("missing", "duplicate"),
    rows_are=_("Missing or doubled"),
)
PHANTOMS = Metric(
    code="phantom_interactions",
    name=_("Interactions without a session"),
    definition=_("Interactions in the record that no transport saw, divided by all sessions seen or recorded."),
    unit=Unit.SHARE,
    better=Better.LOWER,
    daily=lambda period: _daily(period, _phantoms),
    rows=_rows_with("phantom"),
    rows_are=_("Interactions without a session"),
)
DUPLICATES = Metric(
    code="duplicate_interactions",
    name=_("Sessions recorded twice"),
    definition=_("Sessions with more than one interaction, divided by all sessions seen or recorded."),
    unit=Unit.SHARE,
    better=Better.LOWER,
    daily=lambda period: _daily(period, _duplicates),
    rows=_rows_with("duplicate"),
    rows_are=_("Sessions recorded twice"),
)
FIELDS_AGREEING = Metric(
    code="field_agreement",
    name=_("Details that agree"),
    definition=_("Of the details compared for calls (direction, start, end, length), those that agree within 2 seconds."),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=lambda period: _daily(period, _fields),
    rows=_rows_with("direction", "start", "end_status", "duration"),
    rows_are=_("Details that differ"),
)
METRICS = (ACCURACY, COMPLETENESS, PHANTOMS, DUPLICATES, FIELDS_AGREEING)
