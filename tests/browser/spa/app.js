// A browser application as Auth0's quickstart has one: npm's auth0-spa-js does all of it.
// Its settings come in the address it is first opened by.
const answered = /[?&](code|error)=/.test(location.search);
if (!answered && location.search.length > 10) sessionStorage.settings = decodeURIComponent(location.search.slice(1));
const settings = JSON.parse(sessionStorage.settings);

function tell(what) {
  document.getElementById("told").textContent = JSON.stringify(what);
}

async function main() {
  const client = await auth0.createAuth0Client({
    domain: settings.domain,
    clientId: settings.clientId,
    useRefreshTokens: settings.offline,
    interactiveErrorHandler: settings.interactive,
    cacheLocation: "localstorage",
    authorizationParams: {
      redirect_uri: `${location.origin}/`,
      audience: settings.audience,
      scope: settings.scope,
    },
  });
  const logIn = (more) => client.loginWithRedirect({ authorizationParams: more }).catch((e) => tell({ error: e.error }));
  document.getElementById("log-in").onclick = () => logIn({});
  document.getElementById("step-up").onclick = () => logIn({ scope: `${settings.scope} transfer:funds` });
  const attempt = (what) => what().then(tell, (e) => tell({ error: e.error, description: e.error_description }));
  document.getElementById("in-popup").onclick = () =>
    attempt(async () => {
      await client.loginWithPopup({ authorizationParams: settings.hint ? { login_hint: settings.hint } : {} });
      return { beside: await client.getUser(), token: await client.getTokenSilently() };
    });
  // Past what it keeps: without refresh tokens by a hidden frame.
  document.getElementById("renew").onclick = () =>
    attempt(async () => ({ renewed: await client.getTokenSilently({ cacheMode: "off" }) }));
  document.getElementById("step-up-silently").onclick = () =>
    attempt(async () => {
      const scope = `${settings.scope} transfer:funds`;
      return { stepped: await client.getTokenSilently({ cacheMode: "off", authorizationParams: { scope } }) };
    });
  const logOut = (returnTo) => client.logout({ logoutParams: { returnTo } });
  document.getElementById("log-out").onclick = () => logOut(`${location.origin}/?left`);
  document.getElementById("log-out-elsewhere").onclick = () => logOut("https://evil.example/");
  try {
    if (answered) {
      await client.handleRedirectCallback();
      history.replaceState({}, "", "/");
    }
    const user = await client.getUser();
    const refreshed = user && settings.offline ? await client.getTokenSilently({ cacheMode: "off" }) : null;
    tell({ user: user ?? null, token: user ? await client.getTokenSilently() : null, refreshed });
  } catch (error) {
    tell({ error: error.error ?? String(error), description: error.error_description });
  }
}

main();
