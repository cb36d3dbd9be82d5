"""`manage.py export_customer`: everything that is kept of a person, as one file."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.models import Customer
from conversations.services import export


class Command(BaseCommand):
    """Writes the file, readable by its owner alone, and notes that it was made."""

    help = "Write everything that is kept of a customer, with all records joined with it, into a ZIP file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("customer", type=int, help="The customer's number, as in the address of its admin page.")
        parser.add_argument("--to", required=True, help="The file to write, such as customer.zip. It must not exist yet.")
        parser.add_argument("--by", required=True, help="Who asked for it; it is noted.")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = Customer.objects.filter(pk=options["customer"]).first()
        if customer is None:
            raise CommandError(f"There is no customer {options['customer']}. Look for them in the admin; the number is in the address.")
        path = Path(options["to"])
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        with os.fdopen(descriptor, "wb") as file:
            made = export.write(customer, file, made_by=options["by"])
        told = ", ".join(f"{count} {name}" for name, count in sorted(made.counts.items()) if count)
        self.stdout.write(f"{path} holds {told}.")
