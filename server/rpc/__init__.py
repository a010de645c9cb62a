"""gRPC in, domain calls, gRPC or REST out. No decisions are made here."""
