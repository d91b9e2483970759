// Who wants to transfer money gives a second factor, each time: a push, or a one-time code.
const CLIENTS_WITH_MFA = ["bank-app"];

exports.onExecutePostLogin = async (event, api) => {
  if (!CLIENTS_WITH_MFA.includes(event.client.client_id)) return;
  if (event.transaction.requested_scopes.includes("transfer:funds")) {
    api.multifactor.enable("any", { allowRememberBrowser: false });
  }
};
