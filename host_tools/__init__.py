"""The host side of Stoa: everything behind the `stoa` command."""
