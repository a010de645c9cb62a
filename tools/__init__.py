"""What builds the project: code generation and its checks. Run as `python -m tools.<name>`."""
