"""The simulator does what a stand-in for the phone platform has to do; rooms and recordings have files of their own."""

import pytest

from tests.voice.checklist import ROWS, outcomes, posted, requests
from tests.voice.exchange_side import Application

__all__ = ["outcomes", "posted", "requests"]


@pytest.mark.parametrize("name", ROWS)
async def test_the_checklist(application: Application, name: str) -> None:
    await ROWS[name](application)
