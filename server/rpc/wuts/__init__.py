"""The WUTS API: `DELETE /messages/delete`, with tokens, an envelope and errors of its own."""
