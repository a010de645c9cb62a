"""Ways out of the event log: every reader follows it by cursor."""
