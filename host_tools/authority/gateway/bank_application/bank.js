// The bank's application: it logs in for the balance, is refused a transfer, and steps up for that one transfer.
//
// seeds/002, "Validate access tokens for MFA". The two authorization requests differ in nothing but their scope; what
// makes the second one ask for a factor is the tenant's Action. Authorization code with PKCE (RFC 9700 2.1.1), state
// and iss checked (RFC 9207), endpoints by discovery, so that any issuer will do.

const settings = document.body.dataset;
const here = settings.address;
const VIEW = "openid view:balance"; // openid brings an ID token: who it is
const TRANSFER = "openid transfer:funds";
// What survives the way to the issuer and back, in this tab alone. The token for a transfer is never kept: it is good
// for one.
const kept = window.sessionStorage;

const element = (id) => document.getElementById(id);

function say(words, kind = "news") {
  element("said").textContent = words;
  element("said").dataset.kind = kind;
}

function show() {
  const known = kept.getItem("token") !== null;
  element("stranger").hidden = known;
  element("customer").hidden = !known;
  const order = JSON.parse(kept.getItem("order") ?? "null");
  element("refused").hidden = order === null;
  if (order !== null) {
    // Whoever went back from the issuer's page finds the order as it was.
    element("to").value = order.to;
    element("amount").value = (order.amount / 100).toFixed(2);
  }
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function endpoints() {
  const reply = await fetch(new URL(".well-known/openid-configuration", settings.issuer));
  if (!reply.ok) throw new Error(`the issuer answered its discovery with ${reply.status}`);
  return reply.json();
}

// Away to the issuer, with an order that waits for what it brings.
async function authorize(scope, order = null) {
  const state = random();
  const verifier = random();
  const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const { authorization_endpoint } = await endpoints();
  kept.setItem("asked", JSON.stringify({ state, verifier, scope, order }));
  const address = new URL(authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: settings.clientId,
    redirect_uri: here,
    audience: settings.audience,
    scope,
    state,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  window.location.assign(address);
}

// Back from there: what was asked and the token for it; null where this page was opened otherwise.
async function answered() {
  const answer = new URLSearchParams(window.location.search);
  if (!answer.has("state")) return null;
  window.history.replaceState(null, "", here); // the code is good once, and belongs into no history
  const asked = JSON.parse(kept.getItem("asked") ?? "null");
  kept.removeItem("asked");
  if (asked === null || answer.get("state") !== asked.state) throw new Error("this answer was not asked for here");
  const { issuer, token_endpoint, authorization_response_iss_parameter_supported: named } = await endpoints();
  // RFC 9207 2.4: an issuer that says it names itself has to.
  if ((named || answer.has("iss")) && answer.get("iss") !== issuer) throw new Error("this answer is another issuer's");
  if (answer.has("error")) throw new Error(answer.get("error_description") ?? answer.get("error"));
  const reply = await fetch(token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: settings.clientId,
      redirect_uri: here,
      code: answer.get("code"),
      code_verifier: asked.verifier,
    }),
  });
  const tokens = await reply.json();
  if (!reply.ok) throw new Error(tokens.error_description ?? tokens.error);
  return { ...asked, token: tokens.access_token, person: subject(tokens.id_token) };
}

// Whom an ID token is of. It came from the token endpoint itself, so that its signature need not be looked at
// (OpenID Connect Core 3.1.3.7, 6).
function subject(idToken) {
  const part = idToken.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  return JSON.parse(atob(part)).sub;
}

const euros = (cents) => (cents / 100).toLocaleString("en", { style: "currency", currency: "EUR" });

// "12.50" to 1250, without a float on the way.
function cents(typed) {
  const parts = /^([0-9]{1,9})(?:[.,]([0-9]{1,2}))?$/.exec(typed.trim());
  return parts === null ? 0 : Number(parts[1]) * 100 + Number((parts[2] ?? "").padEnd(2, "0"));
}

async function showBalance() {
  const reply = await fetch("balance", { headers: { Authorization: `Bearer ${kept.getItem("token")}` } });
  if (reply.status === 401) {
    kept.clear();
    show();
    say("Your login is over. Log in again.", "problem");
    return;
  }
  const { balance } = await reply.json();
  if (!reply.ok) throw new Error(`the bank answered ${reply.status}`);
  element("balance").textContent = euros(balance);
}

async function transfer(order, token) {
  const reply = await fetch("transfer", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(order),
  });
  const told = await reply.json();
  const challenge = reply.headers.get("WWW-Authenticate") ?? "";
  if (reply.status === 403 && challenge.includes('error="insufficient_scope"')) {
    kept.setItem("order", JSON.stringify(order));
    element("refused").hidden = false;
    say("The bank wants a second factor for a transfer.", "problem");
    return;
  }
  if (!reply.ok) throw new Error(told.error_description ?? `the bank answered ${reply.status}`);
  kept.removeItem("order");
  element("order").reset();
  element("refused").hidden = true;
  element("balance").textContent = euros(told.balance);
  say(`${euros(told.amount)} went to ${told.to}.`);
}

const on = (id, kind, does) =>
  element(id).addEventListener(kind, async (event) => {
    event.preventDefault();
    try {
      await does();
    } catch (error) {
      say(`That did not work: ${error.message}.`, "problem");
    }
  });

on("log-in", "click", () => authorize(VIEW));
on("show-balance", "click", showBalance);
on("step-up", "click", () => authorize(TRANSFER, JSON.parse(kept.getItem("order"))));
on("log-out", "click", () => {
  kept.clear();
  show();
  say("Forgotten. The issuer may still know you.");
});
on("order", "submit", async () => {
  const order = { to: element("to").value.trim(), amount: cents(element("amount").value) };
  if (order.to === "" || order.amount === 0) {
    say("Write to whom, and how many euros, as 12.50.", "problem");
    return;
  }
  await transfer(order, kept.getItem("token"));
});

try {
  if (here === "") {
    say("No client of this tenant lists this page among its redirect_uris.", "problem");
  } else if (window.location.origin !== new URL(here).origin) {
    window.location.replace(here); // the issuer sends people to the address it has listed, and no other
  } else {
    const answer = await answered();
    if (answer !== null && answer.order === null) {
      kept.setItem("token", answer.token);
      kept.setItem("person", answer.person);
    }
    show();
    if (kept.getItem("token") !== null) await showBalance();
    if (answer !== null && answer.order !== null) {
      // Somebody else may have signed in there: it would be their money.
      if (answer.person !== kept.getItem("person")) throw new Error("somebody else confirmed it");
      await transfer(answer.order, answer.token);
    }
  }
} catch (error) {
  show();
  say(`That did not work: ${error.message}.`, "problem");
}
