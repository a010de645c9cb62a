"""How many sockets may be open at the same time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from server.errors import Code, WagateError


class Seats:
    """Counts the sockets of this node, so that no organization keeps the others out."""

    def __init__(self, total: int, per_organization: int) -> None:
        """None is taken at first.

        Args:
            total: sockets, at most.
            per_organization: of them for one organization, at most.
        """
        self._total = total
        self._per_organization = per_organization
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._taken.total()

    @contextmanager
    def taken(self, organization: str) -> Iterator[None]:
        """Takes a seat for as long as the block runs.

        Raises:
            WagateError: RATE_LIMITED where the organization has all of its seats taken, UNAVAILABLE where
                there is none left on this node.
        """
        if self._taken[organization] >= self._per_organization:
            raise WagateError(
                Code.RATE_LIMITED,
                f"this organization has {self._per_organization} sockets open on this node: close one first",
            )
        if len(self) >= self._total:
            raise WagateError(Code.UNAVAILABLE, "this node has no socket left: come back later")
        self._taken[organization] += 1
        try:
            yield
        finally:
            self._taken[organization] -= 1
            if not self._taken[organization]:
                del self._taken[organization]
