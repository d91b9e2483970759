"""A real board: find it, flash it, deploy to it, configure it, watch its console."""
