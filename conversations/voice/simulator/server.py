"""Where this very server can be reached from this machine, for the simulator's two directions of HTTP."""

from urllib.parse import urlsplit

from django.conf import settings

ASKED_HOST = "X-Platform-Host"
"""The header that says to which of the platform's hosts a request would have gone."""
EVERY_ADDRESS = ("", "0.0.0.0", "::")


def local_address() -> str:
    """The server's address as http://host:port, whatever its public address is."""
    bound = settings.BIND_ADDRESS
    host = "127.0.0.1" if bound in EVERY_ADDRESS else bound
    return f"http://[{host}]:{settings.PORT}" if ":" in host else f"http://{host}:{settings.PORT}"


def local_url(url: str) -> str:
    """A public address of this server as one that this machine can reach; any other address unchanged."""
    if url.startswith(f"{settings.PUBLIC_URL}/"):
        return local_address() + url.removeprefix(settings.PUBLIC_URL)
    return url


def headers() -> dict[str, str]:
    """The headers with which a local request looks like one that came through the public address."""
    public = urlsplit(settings.PUBLIC_URL)
    return {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
