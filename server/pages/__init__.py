"""Pages for people: what a browser is given, beside the API and on the same address."""
