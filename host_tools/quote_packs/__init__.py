"""Quote packs: what the display shows, its validation, and which line belongs to which day.

A pack is a TOML file of `[[quote]]` tables (stoics.toml is the packaged one). Loading checks all of it, so that
whatever holds a `Quote` may draw it without asking again.
"""

from __future__ import annotations

from host_tools.quote_packs.pack import Quote, QuotePackError, load_pack
from host_tools.quote_packs.repertoire import repertoire
from host_tools.quote_packs.rotation import quote_of_day

__all__ = ["Quote", "QuotePackError", "load_pack", "quote_of_day", "repertoire"]
