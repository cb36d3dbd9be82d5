"""Texts without capitals and accents, as the database folds them, so that “Zebik” finds “Zębik”."""

from typing import Any

from django.contrib.postgres.search import SearchVector
from django.db.models import Func, TextField

FOLDED = "conversations_folded"
"""The database function that folds; migration `0009_customer_search` makes it."""


def folded(expression: Any) -> Func:
    """A text in small letters without accents; ł, ø, ß and their like become the letters that they are typed as."""
    return Func(expression, function=FOLDED, output_field=TextField())


def folded_words(expression: Any) -> SearchVector:
    """The folded words of a text in whatever language; none is left out and none cut to its stem."""
    return SearchVector(folded(expression), config="simple")
