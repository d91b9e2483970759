"""The entry point CircuitPython runs at every boot: one wake, and whatever happens in it, deep sleep at its end."""

from stoa import wake

wake.run()
