"""Keys, as far as clients have to do with them."""

from __future__ import annotations

from generated.native.models import Ticket, TicketEnvelope
from generated.native.rest import AuthHandlers
from handlers.keys import Callers
from handlers.native.rest.envelope import envelope


class Auth(AuthHandlers):
    """Gives tickets."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def create_ticket(self) -> TicketEnvelope:
        """A ticket for one WebSocket connection."""
        text, seconds = self._callers.ticket()
        ticket = Ticket(ticket=text, expires_in=seconds)
        return envelope(TicketEnvelope, ticket, f"Connect with it once, within {seconds} s")
