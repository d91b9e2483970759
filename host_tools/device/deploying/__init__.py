"""The program onto a board: what has to be done (plan), in which order (deploy), and by which way."""
