// Runs one post-login Action: exports.onExecutePostLogin = async (event, api). What it asks of the api is told as JSON.
(function () {
  "use strict";
  const { parse, stringify } = JSON;
  const text = String;
  const lines = [];

  /* shared.js */

  // Each method of the api, with the types of its arguments; a ? may be left out. What they mean is said in actions.py.
  const METHODS = {
    "access.deny": ["string"],
    "accessToken.setCustomClaim": ["string", "any"],
    "idToken.setCustomClaim": ["string", "any"],
    "multifactor.enable": ["string", "object?"],
    "authentication.challengeWith": ["object", "object?"],
    "authentication.challengeWithAny": ["array"],
  };

  function isOf(type, value) {
    if (type === "any") return true;
    if (type === "array") return Array.isArray(value);
    if (type === "object") return typeof value === "object" && value !== null;
    return typeof value === type;
  }

  function apiTo(asked) {
    const api = {};
    for (const [method, types] of Object.entries(METHODS)) {
      const [object, name] = method.split(".");
      api[object] ??= {};
      api[object][name] = (...args) => {
        for (let at = 0; at < types.length; at++) {
          const type = types[at].replace("?", "");
          if (type !== types[at] && args[at] === undefined) continue;
          if (!isOf(type, args[at])) {
            const wrong = new TypeError(`api.${method}: argument ${at + 1} must be of type ${type}`);
            wrong.stack = wrong.stack.slice(wrong.stack.indexOf("\n") + 1);  // the line is the script's, not ours
            throw wrong;
          }
        }
        asked.push([method, ...args.slice(0, types.length)]);
        return api;
      };
    }
    return api;
  }

  return function start(load, given) {
    const { event, now } = parse(given);
    stopClock(now);
    const asked = [];
    let told = { fault: "did not come to an end" };
    const module = { exports: {} };
    const failure = (thrown) => { told = failed(thrown); };
    try {
      load(module.exports, module, (name) => { throw new Error(`Cannot find module '${text(name)}'`); });
      const action = module.exports.onExecutePostLogin;
      if (typeof action !== "function") {
        told = { fault: "has no exports.onExecutePostLogin" };
      } else {
        const returned = action(event, apiTo(asked));
        if (returned && typeof returned.then === "function") {
          returned.then(() => { told = { asked }; }, failure);
        } else {
          told = { asked };
        }
      }
    } catch (thrown) {
      failure(thrown);
    }
    return () => written(told);
  };
})()
