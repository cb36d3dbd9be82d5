"""Which number may be rung because somebody gave it: a person's or an office's, in a country that calls are made to."""

from __future__ import annotations

from django.conf import settings

from conversations.models import EntryPoint
from conversations.services import identity, numbers


class NotToBeRung(Exception):
    """It is none, or none that is rung from here. `reason` is one of `not_a_number`, `special`, `abroad`; `number` it, when it is one."""

    def __init__(self, reason: str, number: str = "") -> None:
        super().__init__(reason)
        self.reason, self.number = reason, number


def number_to_ring(written: str, door: EntryPoint) -> str:
    """The number in E.164, as it was written or keyed at a door of ours. Raises NotToBeRung. One query."""
    region = door.default_region
    if numbers.is_emergency(written, region):
        raise NotToBeRung("special")
    try:
        number = identity.normalise("phone", written, region)
    except identity.InvalidIdentifier:
        raise NotToBeRung("not_a_number") from None
    if not numbers.is_ordinary(number) or EntryPoint.objects.filter(channel="voice", address=number).exists():
        raise NotToBeRung("special", number)
    if not numbers.is_in(number, [region, *settings.CALL_ME_REGIONS]):
        raise NotToBeRung("abroad", number)
    return number
