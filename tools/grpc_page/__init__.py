"""The gRPC reference, made of the protos: `docs/grpc.md`, and the page that `/docs/grpc/` shows."""

from tools.grpc_page.writing import MARKDOWN, PAGE, main

__all__ = ["MARKDOWN", "PAGE", "main"]
