"""What every connector is made of: operations with typed arguments and results, and errors that say if they last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

ArgumentsT = TypeVar("ArgumentsT")
ResultT = TypeVar("ResultT")


class ConnectorError(Exception):
    """An operation failed. `permanent` says that trying again with the same arguments cannot help.

    `code` is a word for programs; the message is a sentence for people.
    """

    def __init__(self, sentence: str, *, code: str, permanent: bool) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class EraseCustomers:
    """The records of one person by their public ids, and what else a system may know them by: its own number for them, such as
    `crm:10042`, their addresses and their phone numbers."""

    customers: tuple[UUID, ...]
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErasedCopies:
    """That a system holds nothing of the person any more; `count` is how many of its rows it emptied just now."""

    count: int


@dataclass(frozen=True, slots=True)
class Operation(Generic[ArgumentsT, ResultT]):
    """One thing a connector can do. `changes` says that it alters the outside system, so it must be idempotent."""

    name: str
    arguments: type[ArgumentsT]
    run: Callable[[ArgumentsT], ResultT]
    changes: bool = False

    def __call__(self, arguments: ArgumentsT) -> ResultT:
        """Runs it. Raises ConnectorError."""
        if not isinstance(arguments, self.arguments):
            raise TypeError(f"{self.name} takes {self.arguments.__name__}, not {type(arguments).__name__}.")
        return self.run(arguments)


@dataclass(frozen=True, slots=True)
class Connector:
    """One outside system by name, what it stands for (`capability`), and its operations by name.

    Each has one called `erase`, from EraseCustomers to ErasedCopies: asked again, it erases what came since.
    """

    name: str
    capability: str
    operations: dict[str, Operation[Any, Any]]
