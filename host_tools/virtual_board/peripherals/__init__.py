"""What the firmware's calls reach: each module is one part of the board, as a table of link operations."""
