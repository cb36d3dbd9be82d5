"""Saved replies by what an agent typed."""

from django.db.models import Case, IntegerField, Q, Value, When

from conversations.models import SavedReply


def matching(typed: str, language: str, limit: int) -> list[SavedReply]:
    """Active replies that have every typed word in shortcut, title or body.

    A shortcut that begins with what was typed comes first, then titles; at equal rank replies in the customer's
    language, or in none, before the others.
    """
    typed = typed.strip().lower()
    wanted = Q()
    for word in typed.split():
        wanted &= Q(shortcut__contains=word) | Q(title__icontains=word) | Q(body__icontains=word)
    rank = Case(
        When(shortcut=typed, then=Value(0)),
        When(shortcut__startswith=typed, then=Value(1)),
        When(title__icontains=typed, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    spoken = language.split("-", maxsplit=1)[0].lower()
    fits = Case(When(Q(language="") | Q(language__istartswith=spoken), then=Value(0)), default=Value(1), output_field=IntegerField())
    found = SavedReply.objects.filter(wanted, active=True).annotate(rank=rank, fits=fits)
    return list(found.order_by("rank", "fits", "title", "pk")[:limit])
