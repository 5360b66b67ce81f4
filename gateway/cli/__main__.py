"""`python -m gateway.cli` is `sekisho`."""

from gateway.cli import main

main(prog_name="sekisho")
