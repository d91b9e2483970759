"""The tokens this display holds: the refresh token in the vault, the access token at rest in sleep memory."""

from stoa import hardware, log, vault

# An access token this close to its end may be refused by the time it arrives.
REFRESH_MARGIN_S = 60
# What sleep memory keeps of one account and means nothing to another.
OF_ONE_ACCOUNT = (
    "endpoints",
    "access",
    "refresh",
    "grant",
    "push",
    "no_push",
    "asked",
    "ask_at",
    "forgiven",
    "no_refresh_token",
)


def open_vault(errand):
    """The vault of the account in the settings; what sleep memory has of another one is dropped."""
    owner = vault.owner(errand.settings.issuer, errand.settings.client_id)
    account = int.from_bytes(owner, "little")
    state = errand.state
    if state.get("account") != account:
        for key in OF_ONE_ACCOUNT:
            state.pop(key, None)
        state["account"] = account
    return vault.Vault(hardware.nvm(), hardware.open_file, owner)


def resting(state):
    """The access token from an earlier wake if it is good for now, or None."""
    kept = state.get("access")
    if kept and kept["until"] - hardware.now() > REFRESH_MARGIN_S:
        return kept["token"]
    state.pop("access", None)
    return None


def keep(errand, opened, tokens):
    """Store what a grant or a refresh brought (answer.read) in the opened vault and hand its access token on.

    The refresh token first: it cannot be had again. What sleep memory is to have of it is in the state, to be saved as
    soon as there is room for that: three more forms of an access token.
    """
    state = errand.state
    new = tokens["refresh_token"]
    if new is not None:
        held_by = opened.store(new)
        log.say("vault", held_by="+".join(held_by) or None)
        state.pop("no_refresh_token", None)
    elif opened.load() is None:
        log.say("vault", held_by=None)
        state["no_refresh_token"] = True
    if tokens["expires_in"] > REFRESH_MARGIN_S:
        until = hardware.now() + tokens["expires_in"]
        state["access"] = {"token": tokens["access_token"], "until": until}
    errand.access_token = tokens["access_token"]
