"""How many examples a property that writes to the database is tried with.

`make test` tries the same examples each time, so that trying twice as many finds nothing more from one run to the next. New ones are
looked for, and more of them, with `pytest --hypothesis-profile explore`.
"""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, settings

EXPLORING: Final = 5
"""So many times as many examples are tried when others are looked for."""


def examples(often: int) -> settings:
    """Tries a property so often, or five times as often with the profile `explore`; a fixture of the function's is no harm to it."""
    is_exploring = settings.get_current_profile_name() == "explore"
    return settings(
        max_examples=often * EXPLORING if is_exploring else often,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
