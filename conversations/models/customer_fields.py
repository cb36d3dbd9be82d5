"""What a record itself says about a person, field by field, found by introspection; what joining two records compares.

A value is text in the spelling of the field, or for an attribute any JSON. A new column
of the customer takes part unless `NOT_ABOUT_THE_PERSON` says why not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.text import capfirst

from conversations.models.customer import Customer

ATTRIBUTE = "attributes."
"""What the name of an attribute's field begins with."""

NOT_ABOUT_THE_PERSON: Mapping[str, str] = {
    "id": "It names the row.",
    "public_id": "It names the row.",
    "root": "It says which record this one counts for.",
    "created_at": "It says when the row was made.",
    "attributes": "Each attribute is a field of its own.",
    "erased_at": "It says that the record is nobody's any more.",
}
"""Columns of a customer that joining leaves alone, and why."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of which a joined record says more than, or something else than, the record it is joined into.

    `fills` when that one says nothing. Values as `values_of` gives them.
    """

    field: str
    root_value: Any
    joined_value: Any

    @property
    def fills(self) -> bool:
        return self.root_value is None

    @property
    def label(self) -> str:
        """What people call the field."""
        return label_of(self.field)


def columns() -> dict[str, "models.Field[Any, Any]"]:
    """The columns that say something about the person, by name."""
    return {field.name: field for field in Customer._meta.concrete_fields if not field.generated and field.name not in NOT_ABOUT_THE_PERSON}


def values_of(customer: Customer) -> Values:
    """Everything a record says, by field. What is empty, and an attribute that is null, is left out."""
    said = {name: _text(field, customer) for name, field in columns().items()}
    said |= {f"{ATTRIBUTE}{key}": value for key, value in customer.attributes.items()}
    return {name: value for name, value in said.items() if value is not None}


def differences(root: Values, joined: Values) -> list[Difference]:
    """What a joined record says that the record it is joined into does not say, or says otherwise; in the order of the columns."""
    return [
        Difference(name, root.get(name), value)
        for name, value in joined.items()
        if not says_nothing(name, value) and value != root.get(name)
    ]


def says_nothing(name: str, value: Any) -> bool:
    """Whether a joined record's value adds nothing: it is empty, or what every new record says."""
    if value in (None, "", [], {}):
        return True
    if name.startswith(ATTRIBUTE):
        return False
    field = columns()[name]
    return field.has_default() and bool(field.to_python(value) == field.get_default())


def write(customer: Customer, name: str, value: Any) -> str:
    """Sets a field of an instance, not yet stored, to a value as `values_of` gives it. Returns the column to store."""
    if name.startswith(ATTRIBUTE):
        key = name.removeprefix(ATTRIBUTE)
        customer.attributes.pop(key, None)
        if value is not None:
            customer.attributes[key] = value
        return "attributes"
    field = columns()[name]
    setattr(customer, name, field.to_python(value) if value is not None else None if field.null else "")
    return name


def label_of(name: str) -> str:
    """What people call a field."""
    if name.startswith(ATTRIBUTE):
        return capfirst(name.removeprefix(ATTRIBUTE).replace("_", " "))
    return capfirst(str(columns()[name].verbose_name))


def _text(field: "models.Field[Any, Any]", customer: Customer) -> str | None:
    value = getattr(customer, field.attname)
    return None if value in (None, "") else field.value_to_string(customer)
