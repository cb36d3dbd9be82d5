"""Secrets that a development or demo machine makes for itself."""

import secrets
from collections.abc import Callable
from pathlib import Path

from cxhub.embedded.places import make_private


def kept_secret(folder: Path, name: str) -> str:
    """The secret kept in `folder`/`name`, drawn and written (mode 600) on first use. 64 characters."""
    return _kept(folder, name, lambda: secrets.token_urlsafe(48))


def kept_private_key(folder: Path, name: str) -> str:
    """The RSA key kept in `folder`/`name`, made and written (mode 600) on first use. PEM, PKCS#8, 2048 bits."""
    return _kept(folder, name, _new_private_key)


def _kept(folder: Path, name: str, draw: Callable[[], str]) -> str:
    make_private(folder)
    file = folder / name
    if not file.exists():
        draft = folder / f"{name}.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(draw())
        try:
            file.hardlink_to(draft)  # fails when another process was first; its secret then counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()


def _new_private_key() -> str:
    from cryptography.hazmat.primitives import serialization  # slow to import, and needed once
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
