"""The gateway as its callers see it: a client of the contract, for the command line."""
