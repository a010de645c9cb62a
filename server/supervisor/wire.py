"""What the node needs to take the sandbox for WhatsApp."""

from collections.abc import Callable, Mapping

from server.supervisor.edge import Address
from server.supervisor.probes import get_json

VARIABLES = {"proxy": "WAGATE_WIRE_PROXY", "rootKey": "WAGATE_WIRE_ROOT_KEY", "caFile": "SSL_CERT_FILE"}
"""The fields of the sandbox's `GET /wire`, and the node's settings that they are."""


class SandboxWire:
    """Asks the sandbox for its wire, and notices when another one comes up in its place."""

    def __init__(self, sandbox: Address, changed: Callable[[], None]) -> None:
        """Asks nothing yet.

        Args:
            sandbox: where its control API serves.
            changed: called when a sandbox that came back has other keys than the one before.
        """
        self._url = f"http://{sandbox}/wire"
        self._changed = changed
        self._environment: Mapping[str, str] = {}

    @property
    def environment(self) -> Mapping[str, str]:
        """The node's settings, {} as long as the sandbox has not served."""
        return self._environment

    async def serves(self) -> bool:
        """Whether the sandbox serves; takes note of what it says."""
        answer = await get_json(self._url)
        if answer is None:
            return False
        status, wire = answer
        if status != 200 or not isinstance(wire, dict) or not wire.keys() >= VARIABLES.keys():
            return False
        told = {variable: str(wire[field]) for field, variable in VARIABLES.items()}
        before, self._environment = self._environment, told
        if before and before != told:
            self._changed()
        return True
