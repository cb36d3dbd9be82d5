#!/usr/bin/env python
"""Django's command line for CX Hub: `manage.py up` runs everything, `manage.py doctor` says what is wrong."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}\nEach setting is explained in .env.example.")


if __name__ == "__main__":
    main()
