// Who has a second factor is asked for it at each login; who has none is not.
exports.onExecutePostLogin = async (event, api) => {
  if (event.user.multifactor.length > 0) {
    api.multifactor.enable("any", { allowRememberBrowser: false });
  }
};
