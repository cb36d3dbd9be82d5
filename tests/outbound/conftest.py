"""Where campaigns dial."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.voice.rest_side import Platform, serving


@pytest.fixture
def platform(settings: Any) -> Iterator[Platform]:
    """A platform that takes as many calls as there are."""
    settings.OUTBOUND_CALLS_PER_SECOND = 100
    with serving() as (platform, port):
        settings.PORT = port
        yield platform
