"""Who is on the other end, as a transport knows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IdentifierClaim:
    """One identifier of a party: `kind` of Identifier.Kind, `value` as it came, `assurance` of Assurance."""

    kind: str
    value: str
    assurance: str


@dataclass(frozen=True, slots=True)
class Party:
    """The other end of an interaction: its identifiers, and how it is shown (a number, a visitor id)."""

    claims: tuple[IdentifierClaim, ...]
    display: str

    @property
    def assurance(self) -> str:
        """The best assurance among identifiers that name a person; a visitor token names only a browser."""
        for level in ("verified", "network_hint"):
            if any(claim.assurance == level and claim.kind != "visitor" for claim in self.claims):
                return level
        return "claimed"
