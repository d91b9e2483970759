// Who has a second factor is asked for it at each login; who has none is not. Refreshes are left alone.
exports.onExecutePostLogin = async (event, api) => {
  if (event.transaction.protocol === "oauth2-refresh-token") return;
  if (event.user.multifactor.length > 0) {
    api.multifactor.enable("any", { allowRememberBrowser: false });
  }
};
