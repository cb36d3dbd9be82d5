"""Takes the pictures of the documents while the story plays on the running product: `make pictures`."""

import os
import sys
from pathlib import Path

import django

from tests.support import environment

PICTURES = Path(__file__).resolve().parent.parent.parent / "docs" / "pictures"
SIZE = {"width": 1440, "height": 900}


def main() -> int:
    """Plays the story once and writes docs/pictures/*.png."""
    environment.prepare()
    django.setup()
    services = environment.start_services()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        _take_pictures()
    finally:
        environment.stop_services(services)
    return 0


def _take_pictures() -> None:
    from playwright.sync_api import Page, sync_playwright

    from conversations.demo.load import load
    from tests.story.plot import tell
    from tests.support.browser import launch
    from tests.support.database import throwaway_database
    from tests.support.processes import running_web, running_workers

    PICTURES.mkdir(parents=True, exist_ok=True)

    def look(name: str, page: Page) -> None:
        page.screenshot(path=PICTURES / f"{name}.png")
        print(f"docs/pictures/{name}.png", flush=True)

    with throwaway_database("pictures"):
        load()
        with running_web(1, DEBUG="true") as (web,), running_workers(1, beat=True), sync_playwright() as playwright:
            chromium = launch(playwright)
            tell(lambda: chromium.new_context(base_url=web.url, viewport=SIZE).new_page(), look)  # type: ignore[arg-type]
            chromium.close()


if __name__ == "__main__":
    sys.exit(main())
