"""One POST to somebody else's server: where it may go, and what may come back."""

import ipaddress
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from server.events.webhooks.answers import Answer, Failure, Verdict
from server.events.webhooks.destination import Address, is_public
from server.events.webhooks.posting import IsAllowed, Poster
from tests.support.couriers import anywhere
from tests.support.receiver import (
    Received,
    answering,
    flooding,
    hanging,
    receiving,
    resetting,
    trickling,
)
from tests.support.stack import free_port

REFUSED = Answer(failure=Failure.PRIVATE_ADDRESS)


class Names(AbstractResolver):
    """Answers with one address after the other; with the last one from then on."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def a_poster(
    is_allowed: IsAllowed = anywhere,
    *,
    timeout_seconds: float = 5.0,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Poster]:
    poster = Poster(is_allowed, timeout_seconds=timeout_seconds, resolver=resolver, tls=tls)
    try:
        yield poster
    finally:
        await poster.close()


async def test_a_body_and_its_headers_arrive_as_they_are() -> None:
    async with a_poster() as poster, receiving() as receiver:
        assert await poster.post(receiver.url, b"\xff{}", {"X-One": "1"}) == Answer(200)
        (received,) = receiver.received
        assert (received.body, received.headers["X-One"]) == (b"\xff{}", "1")
        assert "Cookie" not in received.headers


async def test_a_redirect_is_not_followed() -> None:
    async with a_poster() as poster, receiving() as receiver, receiving() as inside:
        for status in (301, 302, 303, 307, 308):
            receiver.behaves = answering(status, Location=inside.url)
            answer = await poster.post(receiver.url, b"{}", {})
            assert answer.verdict is Verdict.REFUSED
            assert answer.error == f"it answered {status}: redirects are not followed"
        assert inside.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
async def test_an_address_in_the_url_is_refused_where_it_is_not_public(host: str) -> None:
    async with a_poster(is_public) as poster, receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", host)
        assert await poster.post(url, b"{}", {}) == REFUSED
        assert receiver.received == []


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1"])
async def test_an_address_that_is_written_strangely_is_not_reached(host: str) -> None:
    async with a_poster(is_public) as poster, receiving() as receiver:
        answer = await poster.post(receiver.url.replace("127.0.0.1", host), b"{}", {})
        assert answer.failure in {Failure.PRIVATE_ADDRESS, Failure.BAD_REQUEST}
        assert receiver.received == []


async def test_the_name_of_this_machine_is_refused() -> None:
    async with a_poster(is_public) as poster, receiving() as receiver:
        assert await poster.post(receiver.url.replace("127.0.0.1", "localhost"), b"{}", {}) == REFUSED
        assert receiver.received == []


@pytest.mark.parametrize("address", ["10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1"])
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    async with a_poster(is_public, resolver=Names(address)) as poster:
        assert await poster.post("http://receiver.example/", b"{}", {}) == REFUSED


async def test_a_name_that_leads_elsewhere_the_next_time_is_looked_at_again() -> None:
    def first_alone(address: Address) -> bool:
        return address == ipaddress.ip_address("127.0.0.1")

    names = Names("127.0.0.1", "127.0.0.2")
    async with a_poster(first_alone, resolver=names) as poster, receiving() as receiver:
        receiver.behaves = answering(200, Connection="close")
        url = receiver.url.replace("127.0.0.1", "receiver.example")
        assert await poster.post(url, b"{}", {}) == Answer(200)
        assert await poster.post(url, b"{}", {}) == REFUSED
        assert names.asked == ["receiver.example"] * 2
        assert len(receiver.received) == 1


async def test_what_is_connected_to_is_what_was_looked_at() -> None:
    looked_at: list[str] = []

    def look(address: Address) -> bool:
        looked_at.append(str(address))
        return True

    # Whatever a second answer would say, nobody asks for it.
    names = Names("127.0.0.1", "127.0.0.2")
    async with a_poster(look, resolver=names) as poster, receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "receiver.example")
        assert await poster.post(url, b"{}", {}) == Answer(200)
        assert looked_at == ["127.0.0.1"]
        assert len(names.asked) == 1


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_poster() as poster, receiving() as receiver, receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert await poster.post(receiver.url, b"{}", {}) == Answer(200)
        assert proxy.received == []


async def test_cookies_are_not_kept() -> None:
    async with a_poster() as poster, receiving() as receiver:
        receiver.behaves = answering(200, **{"Set-Cookie": "a=b"})
        await poster.post(receiver.url, b"{}", {})
        await poster.post(receiver.url, b"{}", {})
        assert "Cookie" not in receiver.received[1].headers


async def test_certificates_must_be_trusted() -> None:
    authority = trustme.CA()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with receiving(tls=served) as receiver:
        async with a_poster() as poster:
            assert await poster.post(receiver.url, b"{}", {}) == Answer(failure=Failure.TLS)
        async with a_poster(tls=trusting) as poster:
            assert await poster.post(receiver.url, b"{}", {}) == Answer(200)
    assert len(receiver.received) == 1


async def test_who_does_not_answer_is_told_by_a_word() -> None:
    async with a_poster(timeout_seconds=0.1) as poster, receiving() as receiver:
        receiver.behaves = hanging
        assert await poster.post(receiver.url, b"{}", {}) == Answer(failure=Failure.TIMEOUT)
        receiver.behaves = resetting
        assert await poster.post(receiver.url, b"{}", {}) == Answer(failure=Failure.DISCONNECTED)
        nobody = f"http://127.0.0.1:{free_port()}/"
        assert await poster.post(nobody, b"{}", {}) == Answer(failure=Failure.UNREACHABLE)
        plain = receiver.url.replace("http:", "https:")
        assert await poster.post(plain, b"{}", {}) == Answer(failure=Failure.TLS)
        assert await poster.post(receiver.url, b"{}", {"X": "a\r\nb"}) == Answer(failure=Failure.BAD_REQUEST)


async def test_a_name_without_an_address_is_told_by_a_word() -> None:
    class Nobody(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            raise OSError(f"{host}:{port} in {family}")

    async with a_poster(resolver=Nobody("")) as poster:
        assert await poster.post("http://receiver.example/", b"{}", {}) == Answer(
            failure=Failure.UNKNOWN_HOST
        )


@pytest.mark.parametrize("behaviour", [trickling, flooding])
async def test_a_body_without_end_delays_nothing_and_fills_no_memory(
    behaviour: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.events.webhooks.posting.READ_SECONDS", 0.05)
    async with a_poster() as poster, receiving() as receiver:
        receiver.behaves = behaviour  # type: ignore[assignment] # one of two behaviours
        await poster.post(receiver.url, b"{}", {})
        tracemalloc.start()
        try:
            for _ in range(20):
                assert await poster.post(receiver.url, b"{}", {}) == Answer(200)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 3_000_000


async def test_a_receiver_may_ask_for_patience() -> None:
    async with a_poster() as poster, receiving() as receiver:
        receiver.behaves = answering(503, **{"Retry-After": "7"})
        assert await poster.post(receiver.url, b"{}", {}) == Answer(503, retry_after=7)


async def test_connections_are_used_again() -> None:
    ports: set[int] = set()

    async def note(request: web.Request, _received: Received) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response(text="ok")

    async with a_poster() as poster, receiving() as receiver:
        receiver.behaves = note
        for _ in range(5):
            await poster.post(receiver.url, b"{}", {})
    assert len(ports) == 1


async def test_a_defect_ends_one_attempt_and_tells_nothing_of_what_was_posted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_address: Address) -> bool:
        raise KeyError("secret")

    async with a_poster(broken) as poster, receiving() as receiver:
        assert await poster.post(receiver.url, b"{}", {}) == Answer(failure=Failure.DISCONNECTED)
        assert "KeyError" in caplog.text
        assert "secret" not in caplog.text
