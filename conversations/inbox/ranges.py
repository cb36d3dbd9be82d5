"""Which bytes of a file a browser asks for. Source: RFC 9110, section 14."""

import re
from typing import Final

ONE_RANGE: Final = re.compile(r"\s*bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")


class NotSatisfiable(ValueError):
    """None of the bytes that are asked for is there."""


def wanted_range(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that a `Range` header asks for, of a file of `size`; None when it is answered with all of it.

    So is a header that asks for several ranges or cannot be read, which may be ignored. Raises NotSatisfiable.
    """
    asked = ONE_RANGE.fullmatch(header)
    if asked is None or asked.groups() == ("", ""):
        return None
    if not asked[1]:
        count = min(int(asked[2]), size)
        if count == 0:
            raise NotSatisfiable(header)
        return size - count, size - 1
    first, last = int(asked[1]), min(int(asked[2] or size - 1), size - 1)
    if asked[2] and int(asked[2]) < first:
        return None
    if first >= size:
        raise NotSatisfiable(header)
    return first, last
