"""Vendors' paths, statuses and bodies over the one core. A dialect translates and decides nothing."""
