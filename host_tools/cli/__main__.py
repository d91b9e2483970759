"""`python -m host_tools.cli`, for an environment where the `stoa` command is not installed."""

from host_tools.cli import main

main()
