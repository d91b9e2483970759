  // What a person may be told of an error; a script may throw anything.
  function said(thrown) {
    try {
      return text(thrown && thrown.message !== undefined ? thrown.message : thrown).slice(0, 500);
    } catch {
      return "an error that cannot be told";
    }
  }

  // It is the authority's time, which may stand still or run ahead.
  function stopClock(now) {
    const clock = {
      construct: (target, args, newTarget) => Reflect.construct(target, args.length ? args : [now], newTarget),
      apply: (target) => new target(now).toString(),
      get: (target, name) => (name === "now" ? () => now : target[name]),
    };
    const prototype = Date.prototype;
    globalThis.Date = new Proxy(Date, clock);
    prototype.constructor = globalThis.Date;
  }

  function failed(thrown) {
    let name = "", stack = "";
    try {
      name = thrown && thrown.name ? text(thrown.name) : "";
      stack = thrown && thrown.stack ? text(thrown.stack) : "";
    } catch {
      // what can be told of it is told
    }
    return { fault: "threw", error: (name ? name + ": " : "") + said(thrown), message: said(thrown), stack: stack.slice(0, 500) };
  }

  function written(told) {
    let json;
    try {
      json = stringify({ ...told, lines });
    } catch (thrown) {
      json = stringify({ fault: "left what JSON cannot tell: " + said(thrown), lines });
    }
    return json.length > 65536 ? stringify({ fault: "left more than 65,536 characters" }) : json;
  }

  const print = (...parts) => {
    if (lines.length < 50) {
      lines.push(parts.map((part) => typeof part === "string" ? part : stringify(part)).join(" ").slice(0, 500));
    }
  };
  globalThis.console = { log: print, info: print, warn: print, error: print, debug: print };
