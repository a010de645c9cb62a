"""The groups of the command line: keys, tokens, audit."""
