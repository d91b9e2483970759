"""The authorization core, sans-I/O after the model of h11: events in, effects out, no socket, no clock, no storage.

Three rules hold for every module of this package:

1. A machine is one table, {(state, event): (next state, action)}. What is not a row cannot happen; an event for
   which the present state has no row is the caller's mistake and a ValueError.
2. A machine's memory is one plain dict that JSON can carry, so that a power cut between two steps loses nothing:
   save the dict, load it after the reboot, go on.
3. Time comes in as `now`, an int of seconds. It is compared and added, never multiplied by anything but an int.

Import the modules one by one: a daily wake needs `refresh` alone and has no heap to spare for the pairing.
"""
