"""Organizations that login tokens name."""

from typing import cast

import pytest

from server.auth import organizations as module
from server.auth.organizations import NEW_PER_MINUTE, Organizations, is_organization_name
from server.errors import Code, WagateError
from tests.unit.server.login_desk import OrganizationsInMemory


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_frontend_gone_wrong_can_make_only_so_many() -> None:
    store, clock = OrganizationsInMemory(), Clock()
    organizations = Organizations(store, clock)
    for n in range(NEW_PER_MINUTE):
        await organizations.of(f"new-{n}")
    clock.now = 20.0
    with pytest.raises(WagateError) as caught:
        await organizations.of("one-more")
    assert (caught.value.code, caught.value.retry_after) == (Code.UNAVAILABLE, 40)
    # those that exist are not touched by it
    assert await organizations.of("new-0") == "new-0"
    assert await organizations.of("shop") == "01OLD"
    assert "one-more" not in store.kept
    clock.now = 60.0
    assert await organizations.of("one-more") == "one-more"


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    organizations = Organizations(OrganizationsInMemory(), Clock())
    for name in ("a", "b", "a", "c"):
        await organizations.of(name)
    assert list(organizations._known) == ["a", "c"]  # noqa: SLF001 - how much is kept shows nowhere else


@pytest.mark.parametrize("name", ["a", "org_2aBc", "Köln GmbH", "店", "x" * 128])
def test_names_are_printable(name: str) -> None:
    assert is_organization_name(name)


@pytest.mark.parametrize(
    "name", ["", " ", "a ", " a", "a\0", "a\u2028b", "\ud800", "\u200f", "x" * 129, None, 5, cast("str", [])]
)
def test_what_is_no_name(name: object) -> None:
    assert not is_organization_name(name)
