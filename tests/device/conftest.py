"""An authority on the board's own virtual clock, and homes with a board in them."""

from tests.home_fixtures import authority, clock, home, make_home

__all__ = ["authority", "clock", "home", "make_home"]
