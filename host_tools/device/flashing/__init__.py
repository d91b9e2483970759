"""CircuitPython onto a board: what an image is for, and the two ways to write it."""
