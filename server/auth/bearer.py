"""Where a call carries its token."""

from collections.abc import Mapping

from server.errors import Code, WagateError


def bearer_of(metadata: Mapping[str, str]) -> str | None:
    """Returns the token of `authorization: Bearer <token>`, or None where there is no such header.

    Args:
        metadata: the call's metadata, names in lower case.

    Raises:
        WagateError: UNAUTHORIZED where the header has another form.
    """
    header = metadata.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise refused("the authorization header is not of the form 'Bearer <token>'")
    return token.strip()


def refused(message: str) -> WagateError:
    """The error of a call whose token opens nothing."""
    return WagateError(Code.UNAUTHORIZED, message)
