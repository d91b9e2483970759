"""Whole runs without hardware: a board in a home, an authority beside it, and what happens between them."""
