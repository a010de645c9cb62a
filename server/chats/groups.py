"""Groups, as far as sending into them needs."""

import re
from typing import Final

from server.chats.changes import not_done
from server.errors import Code, WagateError, invalid
from server.sessions.service import Sessions
from server.store.records import Session
from server.whatsapp.jid import Jid
from server.whatsapp.port import InviteRefusedError, OutcomeUnknownError, RefusedError

_INVITE: Final = re.compile(
    r"(?:https?://chat\.whatsapp\.com/(?:invite/)?)?([0-9A-Za-z_-]{10,50})/?(?:\?\S*)?"
)


class Groups:
    """Joins groups."""

    def __init__(self, sessions: Sessions, *, within: float) -> None:
        """Uses the connections of `sessions`; `within` is the seconds that WhatsApp may take."""
        self._sessions = sessions
        self._within = within

    async def join(self, session: Session, invite: str) -> Jid:
        """Joins the group of an invite; being a member already is fine.

        Args:
            session: who joins.
            invite: the code, or the whole link.

        Raises:
            WagateError: VALIDATION_ERROR for an invite that is none or that WhatsApp does not take;
                NOT_IMPLEMENTED where the session is not connected; WHATSAPP_ERROR, TIMEOUT.
        """
        found = _INVITE.fullmatch(invite.strip())
        if found is None:
            raise invalid(
                "invite", "required: an invite's code, or its link https://chat.whatsapp.com/<code>"
            )
        client = self._sessions.live_client(session)
        try:
            return await client.join_group(found[1], within=self._within)
        except InviteRefusedError:
            raise invalid(
                "invite", "WhatsApp does not take it: it is wrong, was reset, or has expired"
            ) from None
        except RefusedError as error:
            raise not_done(error) from error
        except OutcomeUnknownError as error:
            raise WagateError(
                Code.TIMEOUT,
                "WhatsApp did not answer in time and may have let the session join: ask again.",
                {"outcome": "indeterminate"},
            ) from error
