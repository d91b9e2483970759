// Written for these tests after what seeds/002 describes: MFA by push where a high-value scope is asked for.
const CLIENTS_WITH_MFA = ["app"];

exports.onExecutePostLogin = async (event, api) => {
  if (!CLIENTS_WITH_MFA.includes(event.client.client_id)) return;
  if (event.transaction.requested_scopes.includes("transfer:funds")) {
    api.multifactor.enable("guardian", { allowRememberBrowser: false });
  }
};
