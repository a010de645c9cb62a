"""The node: it holds WhatsApp clients and speaks gRPC."""
