"""Which boards are there: ports by USB identity, drives by what lies on them, and the board file each matches."""
