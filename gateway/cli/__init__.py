"""The `sekisho` command."""


def main() -> None:
    """Run the command line."""
