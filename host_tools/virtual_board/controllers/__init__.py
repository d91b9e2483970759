"""E-paper controllers: SPI bytes in, pixels and BUSY out. Chosen by the panel fitted, never by the board's profile."""
