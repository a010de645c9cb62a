"""The proxy that the environment names on the way to WhatsApp. The client library finds it by itself."""

from urllib.request import getproxies_environment, proxy_bypass


def is_behind_proxy(host: str) -> bool:
    """Whether the environment has a host reached by a proxy: HTTPS_PROXY, and no exception in NO_PROXY."""
    return "https" in getproxies_environment() and not proxy_bypass(host)
