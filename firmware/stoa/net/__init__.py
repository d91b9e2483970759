"""The network: radio, clock, and HTTP by the published urequests over sockets of ours."""
