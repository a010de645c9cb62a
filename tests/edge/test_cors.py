"""Pages of other origins: those that are named may call, as far as their browsers are concerned."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import ValidationError

from server.supervisor.settings import UpSettings
from tests.edge.gateway import Gateway

ORIGIN, OTHER = "https://app.example", "https://evil.example"
PATH = "/api/v1/sessions/01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture(scope="module")
def open_rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("cors")
    with (
        Gateway(folder, origins=["http://127.0.0.1:3000", ORIGIN]) as gateway,
        httpx.Client(base_url=gateway.url, timeout=20) as client,
    ):
        yield client


def asking(origin: str, method: str = "DELETE") -> dict[str, str]:
    """What a browser sends before it sends what the page wants."""
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
    }


@pytest.mark.parametrize("path", [PATH, "/api/v1/events", "/api/v1/sessions"])
def test_a_browser_is_told_that_it_may_ask(open_rest: httpx.Client, path: str) -> None:
    answer = open_rest.options(path, headers=asking(ORIGIN))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "DELETE" in answer.headers["access-control-allow-methods"]
    assert {"authorization", "content-type", "x-api-key"} <= {
        name.strip() for name in answer.headers["access-control-allow-headers"].split(",")
    }


@pytest.mark.parametrize("status", ["200", "404", "503"])
def test_answers_can_be_read_also_those_that_refuse(open_rest: httpx.Client, status: str) -> None:
    answer = open_rest.get(PATH, headers={"origin": ORIGIN, "x-test-status": status})
    assert answer.status_code == int(status)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers


def test_other_origins_are_told_nothing(open_rest: httpx.Client) -> None:
    assert open_rest.options(PATH, headers=asking(OTHER)).status_code == 405
    answer = open_rest.get(PATH, headers={"origin": OTHER})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_without_the_setting_nobody_is(rest: httpx.Client) -> None:
    assert rest.options(PATH, headers=asking(ORIGIN)).status_code == 405
    answer = rest.get(PATH, headers={"origin": ORIGIN})
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "value", ["*", "app.example", "https://app.example/", "https://app.example/path", "ftp://app.example"]
)
def test_what_is_no_origin_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAGATE_CORS_ORIGINS", f"{ORIGIN},{value}")
    with pytest.raises(ValidationError, match="is no origin, such as"):
        UpSettings()


def test_origins_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAGATE_CORS_ORIGINS", f" {ORIGIN}, http://127.0.0.1:3000,")
    assert list(UpSettings().origins) == [ORIGIN, "http://127.0.0.1:3000"]
