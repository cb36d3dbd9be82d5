"""Selects that are compiled once: the hottest reads, whose SQL costs more to put together than to run.

Django's ORM builds the SQL of a query anew each time: for a row with the rows that belong to it that takes over a millisecond,
for a statement that PostgreSQL answers in a tenth of one. What is compiled once is an ordinary queryset with places for values,
and the ORM makes its rows as ever. This is the one module that knows how Django compiles; see docs/decisions/selects-compiled-once.md.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import connections, transaction
from django.db.models import Expression, Field, Lookup, QuerySet
from django.db.transaction import TransactionManagementError
from psycopg.types.numeric import Int8

RowT = TypeVar("RowT")


class Given(Expression):
    """The place of a value in a queryset that is compiled once, by its name: `filter(pk=Given("call"))`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name: Final = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """A parameter that stands for itself until it is known."""
        return "%s", (self,)


@Field.register_lookup
class AnyOf(Lookup):
    """`filter(pk__any_of=Given("calls"))`: one of a list, however long, as one parameter."""

    lookup_name = "any_of"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """A list in a queryset that is not compiled once is a parameter as well."""
        return "%s", (_dumped(value),)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """See PostgreSQL, "Row and Array Comparisons"."""
        column, before = self.process_lhs(compiler, connection)
        values, given = self.process_rhs(compiler, connection)
        return f"{column} = ANY({values})", (*before, *given)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A queryset with the compiler that has put its SQL together."""

    queryset: Any
    compiler: Any
    sql: str
    parameters: tuple[Any, ...]


class CompiledOnce(Generic[RowT]):
    """A queryset whose SQL is put together at its first use in a process and kept.

    `make` returns the queryset, with `Given` where a value changes from one use to the next. All else in it stays as it was
    at the first use, so nothing of a request, a time or a language may be part of it. Values are those that the database
    compares with: a UUID for a UUID, a number for a row, a list of them for `any_of`.
    """

    def __init__(self, make: Callable[[], QuerySet[Any, RowT]]) -> None:
        self._make = make
        self._kept: _Compiled | None = None
        _made.append(self)

    def all(self, **values: Any) -> list[RowT]:
        """The rows for these values. One statement.

        Raises KeyError when a value is missing, TransactionManagementError when rows are to be locked outside a transaction.
        """
        kept = self._kept or self._compiled()
        connection = connections[kept.queryset.db]
        if kept.queryset.query.select_for_update and not connection.in_atomic_block:
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        parameters = tuple(_value(each, values) for each in kept.parameters)
        compiler, query = copy.copy(kept.compiler), copy.copy(kept.queryset.query)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (kept.sql, parameters)
        query.get_compiler = lambda *_, **__: compiler
        rows: Any = QuerySet(kept.queryset.model, query=query, using=kept.queryset.db)
        rows._fields = kept.queryset._fields
        return list(kept.queryset._iterable_class(rows))

    def first(self, **values: Any) -> RowT | None:
        """The first row, None when there is none. The queryset says itself in which order, and how many it wants. See `all`."""
        return next(iter(self.all(**values)), None)

    def get(self, **values: Any) -> RowT:
        """The one row. Raises the model's DoesNotExist when there is none. See `all`."""
        for row in self.all(**values):
            return row
        model = self._make().model
        missing: type[ObjectDoesNotExist] = model.DoesNotExist
        raise missing(f"{model._meta.object_name} matching query does not exist.")

    def compile(self) -> None:
        """Puts the SQL together now, unless that was done."""
        if self._kept is None:
            self._compiled()

    def _compiled(self) -> _Compiled:
        queryset: Any = self._make()
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([each[0] for each in compiler.select[: compiler.col_count]])
        compiler.get_converters = lambda expressions: converters
        self._kept = _Compiled(queryset, compiler, sql, tuple(parameters))
        return self._kept


_made: Final[list[CompiledOnce[Any]]] = []


def compile_all() -> None:
    """Puts the SQL of all that were made so far together, for a process that is about to serve. Takes a millisecond or two for each."""
    # Django puts those that lock together in a transaction alone.
    with transaction.atomic():
        for each in list(_made):
            each.compile()


def _value(parameter: Any, values: dict[str, Any]) -> Any:
    return _dumped(values[parameter.name]) if isinstance(parameter, Given) else parameter


def _dumped(value: Any) -> Any:
    """One type for every number, however small, so that PostgreSQL prepares one statement."""
    if isinstance(value, list | tuple | set | frozenset):
        return [_dumped(each) for each in value]
    return Int8(value) if type(value) is int else value
