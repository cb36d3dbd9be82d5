"""Who is on the other end, as a transport knows it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class IdentifierClaim:
    """One identifier of a party: `kind` of Identifier.Kind, `value` as it came, `assurance` of Assurance.

    `until` is when somebody who vouched for it stops vouching; None when nobody did, or for as long as the line lasts.
    """

    kind: str
    value: str
    assurance: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """The other end of an interaction: its identifiers, and how it is shown (a number, a visitor id).

    `name` and `language` are what somebody who vouches for the party says of it, or "".
    """

    claims: tuple[IdentifierClaim, ...]
    display: str
    name: str = ""
    language: str = ""

    @property
    def assurance(self) -> str:
        """The best assurance among identifiers that name a person; a visitor token names only a browser."""
        for level in ("verified", "network_hint"):
            if any(claim.assurance == level and claim.kind != "visitor" for claim in self.claims):
                return level
        return "claimed"
