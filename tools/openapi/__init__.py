"""The OpenAPI document, made of the protos: `gateway-config/openapi.json`."""

from tools.openapi.document import text

__all__ = ["text"]
