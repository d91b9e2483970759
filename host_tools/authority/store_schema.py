"""The tables of the authority's database, and what is looked up in them otherwise than by its key."""

from __future__ import annotations

from host_tools.authority.core import authn_records, records, resource_records, user_mfa_records
from host_tools.authority.core.storage import Record

SCHEMA_VERSION = 7  # raised with every change of a record's fields; a test keeps them

# One table a kind of record: its columns are the record's fields, in order, and the first is the key.
TABLES: dict[type[Record], str] = {
    records.User: "users",
    records.Authenticator: "authenticators",
    records.Client: "clients",
    records.DeviceGrant: "device_grants",
    records.AuthorizationRequest: "authorization_requests",
    records.AuthorizationCode: "authorization_codes",
    records.Consent: "consents",
    records.TokenFamily: "token_families",
    records.RefreshToken: "refresh_tokens",
    records.LoginSession: "login_sessions",
    resource_records.SessionFactor: "session_factors",
    resource_records.SpentToken: "spent_tokens",
    resource_records.BankAccount: "bank_accounts",
    records.KnownBrowser: "known_browsers",
    records.MfaTransaction: "mfa_transactions",
    records.OobChallenge: "oob_challenges",
    authn_records.AuthnTransaction: "authn_transactions",
    authn_records.SessionToken: "session_tokens",
    authn_records.DeviceChoice: "device_choices",
    records.Message: "messages",
    records.Event: "events",
    records.Attempts: "attempts",
    records.SigningKey: "signing_keys",
    user_mfa_records.UserMfa: "user_mfa",
    user_mfa_records.PresenceToken: "presence_tokens",
    user_mfa_records.PasswordTries: "password_tries",
}
INDICES = (
    "CREATE UNIQUE INDEX users_by_name ON users (username)",
    "CREATE UNIQUE INDEX device_grants_by_user_code ON device_grants (user_code)",
    "CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id)",
    "CREATE INDEX login_sessions_by_expiry ON login_sessions (expires_at)",
    "CREATE INDEX token_families_by_expiry ON token_families (expires_at)",
    "CREATE INDEX device_grants_by_expiry ON device_grants (expires_at)",
    "CREATE INDEX authorization_requests_by_expiry ON authorization_requests (expires_at)",
    "CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at)",
    "CREATE INDEX authenticators_by_user ON authenticators (user_id)",
    # What is pruned each time one is added.
    "CREATE INDEX attempts_by_refill ON attempts (full_at)",
    "CREATE INDEX mfa_transactions_by_expiry ON mfa_transactions (expires_at)",
    "CREATE INDEX oob_challenges_by_expiry ON oob_challenges (expires_at)",
    "CREATE INDEX authn_transactions_by_expiry ON authn_transactions (expires_at)",
    "CREATE INDEX session_tokens_by_expiry ON session_tokens (expires_at)",
    "CREATE INDEX device_choices_by_user ON device_choices (user_id)",
    "CREATE INDEX known_browsers_by_time ON known_browsers (seen_at)",
    "CREATE INDEX messages_by_time ON messages (sent_at)",
    "CREATE INDEX session_factors_by_time ON session_factors (given_at)",
    "CREATE INDEX session_factors_by_session ON session_factors (sid)",
    "CREATE INDEX spent_tokens_by_expiry ON spent_tokens (expires_at)",
    "CREATE INDEX presence_tokens_by_expiry ON presence_tokens (expires_at)",
    "CREATE INDEX password_tries_by_expiry ON password_tries (forgotten_at)",
    # What the phone's page asks for.
    "CREATE INDEX oob_challenges_by_status ON oob_challenges (status)",
    "CREATE INDEX oob_challenges_by_challenge ON oob_challenges (challenge_id)",
)
