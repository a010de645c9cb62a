"""Every operation with every documented status, provoked for real: the table and what runs it."""
