"""The entry of the command `wagate`: says what to install where there is the client alone."""

import sys

OURS = {"server", "sandbox", "wagate", "wuts"}


def main() -> None:
    """Runs the command; ends with status 1 where the gateway's own part is not installed."""
    try:
        from server.cli import main as command  # noqa: PLC0415 - whether it can be imported is the question

        command()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in OURS:
            raise
        sys.exit(
            f"wagate: the gateway is not installed here, only its client ({error.name} is missing). Run\n"
            "  pip install 'wagate[server]'     for the gateway\n"
            "  pip install 'wagate[sandbox]'    for the gateway with the sandbox network\n"
        )


if __name__ == "__main__":
    main()
