"""A board's serial port: opening and resetting it, its raw REPL, and its log without secrets."""
