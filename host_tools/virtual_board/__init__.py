"""An ESP32 with an e-paper panel, as a program that runs the firmware unmodified."""
