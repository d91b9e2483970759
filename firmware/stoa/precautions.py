"""What a wake looks at before it does anything: what ended the last one, a button held at boot, the battery."""

from stoa import hardware, inputs, log, sleep_state
from stoa.obstacle import Obstacle

# A lithium cell has some 5 % left at 3.5 V, and sags by 0.2 V when the radio starts; below, boards brown out.
LOW_MV = 3500
# Charged by as much, it is well again, and does not say so and take it back every other day.
WELL_MV = 3650
# Read under 2.5 V there is no battery but a divider with nothing at its end: nothing could have booted from it.
NO_BATTERY_MV = 2500


def check_last_wake(state, woken_by, save):
    """Raise an Obstacle where the last wake hung: this one may hang too, and is not to, at once again.

    But for one that was cut short with a refresh in flight, for the server's grace is up to 60 s; or while it waited
    for a person, who may have answered: as long as the code is good, or after a push, which a code is to follow. It is
    taken up once: `save` keeps the mark.
    """
    if woken_by != "watchdog":
        return
    in_flight = state.get("refresh", {}).get("is") == "asking" or "push" in state
    if state.get("hung") or not (in_flight or sleep_state.code_is_good(state, hardware.now())):
        raise Obstacle("hung", "The last wake did not end", "The watchdog ended it.")
    state["hung"] = True
    save()


def take(state, woken_by):
    """Raise an Obstacle where this wake must not go on. `state`: what sleep memory keeps."""
    if inputs.wipe_held(woken_by):
        _wipe(state)
    _check_battery(state)


def _wipe(state):
    """Forget the pairing, on both media and in sleep memory."""
    from stoa import vault

    left = vault.Vault(hardware.nvm(), hardware.open_file, b"").clear()
    memory = hardware.sleep_memory()
    memory[:] = bytes(len(memory))
    state.clear()
    log.say("wiped", left="+".join(left) or None)
    if left:
        raise Obstacle(
            "misconfigured", "Not forgotten yet", "A computer has the drive.", "Unplug it, and hold the button again."
        )


def _check_battery(state):
    millivolts = inputs.battery_mv()
    if millivolts is None or millivolts < NO_BATTERY_MV:
        state.pop("low_battery", None)
        return
    if millivolts >= (WELL_MV if state.get("low_battery") else LOW_MV):
        state.pop("low_battery", None)
        return
    log.say("battery", millivolts=millivolts)
    state["low_battery"] = True
    raise Obstacle("low_battery", "The battery is low", "Please charge it.", "It goes on by itself then.")
