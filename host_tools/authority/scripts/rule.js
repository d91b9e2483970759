// Runs one Rule: function (user, context, callback). It is called back once; what it calls back with is told as JSON.
(function () {
  "use strict";
  const { parse, stringify } = JSON;
  const text = String;
  const lines = [];

  class UnauthorizedError extends Error {
    get name() { return "UnauthorizedError"; }
  }
  globalThis.UnauthorizedError = UnauthorizedError;
  globalThis.global = globalThis;

  /* shared.js */

  return function start(rule, given) {
    const { user, context, configuration, now } = parse(given);
    stopClock(now);
    globalThis.configuration = configuration;
    let told = { fault: "did not call back" };
    let called = false;
    const callback = (error, newUser, newContext) => {
      if (called) return;
      called = true;
      told = error
        ? { denied: said(error) }
        : { user: newUser === undefined ? user : newUser, context: newContext === undefined ? context : newContext };
    };
    if (typeof rule !== "function") {
      told = { fault: "is not a function (user, context, callback)" };
    } else {
      try {
        const returned = rule(user, context, callback);
        if (returned && typeof returned.then === "function") {
          returned.then(undefined, (thrown) => { if (!called) told = failed(thrown); });
        }
      } catch (thrown) {
        if (!called) told = failed(thrown);
      }
    }
    return () => written(told);
  };
})()
