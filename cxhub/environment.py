"""Reads settings from the environment and refuses what it cannot use.

django-environ parses; this module adds what it leaves out: a value that cannot be used is never replaced by a
default, and every problem is reported at once, with the name of the variable, what was wrong and an example.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = ("true", "1", "yes", "on")
FALSE_WORDS = ("false", "0", "no", "off")


class Environment:
    """The environment, with the problems found while reading it."""

    def __init__(self, env_file: Path) -> None:
        """Read `env_file` if it is there; variables already set in the environment win over it."""
        self._source = environ.Env()
        self._problems: list[str] = []
        if env_file.exists():
            self._source.read_env(env_file)

    def text(self, name: str, default: str = "") -> str:
        """The value as written, without surrounding white space."""
        return str(self._source.str(name, default=default)).strip()

    def folder(self, name: str, default: str, *, within: Path) -> Path:
        """A folder of our own, relative to `within` unless it is absolute; never `within` itself or one around it."""
        found = within / (self.text(name) or default)
        if within.resolve().is_relative_to(found.resolve()):
            self._refuse(name, f"{str(found)!r} holds the program itself", f"{name}={default}")
            return within / default
        return found

    def flag(self, name: str, default: bool) -> bool:
        """A yes-or-no value."""
        written = self.text(name).lower()
        if written in TRUE_WORDS:
            return True
        if written and written not in FALSE_WORDS:
            self._refuse(name, f"{written!r} is neither true nor false", f"{name}=true")
            return default
        return False if written else default

    def whole_number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        """A whole number between `lowest` and `highest`, both included."""
        written = self.text(name)
        if not written:
            return default
        try:
            number = int(written)
        except ValueError:
            self._refuse(name, f"{written!r} is not a whole number", f"{name}={default}")
            return default
        if not lowest <= number <= highest:
            self._refuse(name, f"{number} is not between {lowest} and {highest}", f"{name}={default}")
            return default
        return number

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One word out of `choices`."""
        written = self.text(name, default) or default
        if written not in choices:
            self._refuse(name, f"{written!r} is not one of {', '.join(choices)}", f"{name}={default}")
            return default
        return written

    def words(self, name: str, default: list[str]) -> list[str]:
        """A list written with commas between."""
        written = self.text(name)
        return [word.strip() for word in written.split(",") if word.strip()] if written else default

    def prices(self, name: str, default: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Amounts by name, each as two numbers: `model=3/15,other=1/5`."""
        found = {}
        for each in self.words(name, default.split(",")):
            model, _equals, amounts = each.partition("=")
            try:
                into, out = (Decimal(amount) for amount in amounts.split("/"))
            except (ValueError, InvalidOperation):
                self._refuse(name, f"{each!r} is not a model with two prices", f"{name}={default}")
                continue
            found[model.strip()] = (into, out)
        return found

    def web_address(self, name: str, default: str) -> str:
        """An http or https address without a path, query or trailing slash."""
        written = self.text(name, default) or default
        example = f"{name}=https://service.example.com"
        try:
            parts = urlsplit(written)
            port_is_usable = parts.port is None or parts.port > 0
        except ValueError:
            self._refuse(name, f"{written!r} is not a web address", example)
            return default
        if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_usable:
            self._refuse(name, f"{written!r} is not a web address starting with http:// or https://", example)
            return default
        if parts.path.strip("/") or parts.query or parts.fragment:
            self._refuse(name, f"{written!r} has more than a scheme, a host and a port", example)
            return default
        return written.rstrip("/")

    def database(self, name: str, default: str) -> dict[str, Any]:
        """A Django database configuration from a PostgreSQL address."""
        written = self.text(name, default) or default
        example = f"{name}=postgres://user:password@localhost:5432/cxhub"
        if not written.startswith(("postgres://", "postgresql://")):
            self._refuse(name, "it does not start with postgres://", example)
            return {}
        try:
            configuration: dict[str, Any] = self._source.db_url_config(written)
        except (ValueError, ImproperlyConfigured) as error:
            self._refuse(name, f"it cannot be read ({error})", example)
            return {}
        if not configuration.get("NAME"):
            self._refuse(name, "it names no database", example)
        return configuration

    def valkey(self, name: str, default: str) -> str:
        """The address of a Valkey or Redis server: redis://, rediss:// or unix://."""
        written = self.text(name, default) or default
        if not written.startswith(("redis://", "rediss://", "unix://")):
            self._refuse(name, f"{written!r} does not start with redis://, rediss:// or unix://", f"{name}=redis://localhost:6379/0")
            return default
        return written

    def email(self, name: str, default: str) -> dict[str, Any]:
        """Django's email settings from an address such as smtp+tls://user:password@host:587."""
        written = self.text(name, default) or default
        try:
            configuration: dict[str, Any] = self._source.email_url_config(written)
        except (KeyError, ValueError, ImproperlyConfigured):
            self._refuse(name, "it is not the address of a mail server", f"{name}=smtp+tls://user:password@host:587")
            configuration = self._source.email_url_config(default)
        return configuration

    def text_or_file(self, name: str, folder: Path, *, begins_with: str) -> str:
        """A text given directly (starting with `begins_with`) or as the path of a file, relative to `folder`."""
        written = self.text(name)
        if not written or written.startswith(begins_with):
            return written.replace("\\n", "\n")
        try:
            content = (folder / written).read_text().strip()
        except (OSError, UnicodeDecodeError):
            content = ""
        if not content.startswith(begins_with):
            self._refuse(name, f"it is neither a text starting with {begins_with} nor such a file", f"{name}=private.key")
        return content

    def require(self, name: str, reason: str, example: str) -> None:
        """Note that `name` is missing although it is needed."""
        self._refuse(name, f"it is not set, and {reason}", example)

    def finish(self) -> None:
        """Raise ImproperlyConfigured with everything that was wrong, if anything was."""
        if self._problems:
            raise ImproperlyConfigured("The settings cannot be used:\n" + "\n".join(self._problems))

    def _refuse(self, name: str, problem: str, example: str) -> None:
        self._problems.append(f"  {name}: {problem}. Example: {example}")
