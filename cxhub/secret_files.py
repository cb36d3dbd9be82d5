"""Secrets that a development or demo machine makes for itself."""

import secrets
from pathlib import Path

from cxhub.embedded.places import make_private


def kept_secret(folder: Path, name: str) -> str:
    """The secret kept in `folder`/`name`, drawn and written (mode 600) on first use. 64 characters."""
    make_private(folder)
    file = folder / name
    if not file.exists():
        draft = folder / f"{name}.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            file.hardlink_to(draft)  # fails when another process was first; its secret then counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()
