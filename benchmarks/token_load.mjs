// Load for an authorization server, by autocannon: the same for every server it is pointed at.
//
//     node token_load.mjs FOLDER      (the npm project that has autocannon)
//
// A line of JSON in is a job, a line of JSON out its figures, in turn. A job is
//   {url, connections, requests: [{path, fields}]}                each request once, shared out among the connections
//   {url, connections, requests, amount}                          that many, each connection going round its share
//   {url, connections, amount, chains: [{path, fields}]}          that many refreshes, each chain's with the token before it
// Every request is a form POST and is answered before a job ends, so that no reply, and with it no token, is lost.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const autocannon = createRequire(join(process.argv[2], 'package.json'))('autocannon')
const headers = { 'content-type': 'application/x-www-form-urlencoded' }

// What a reply says it is: `ok`, or the OAuth error.
function outcome(status, body) {
  return status === 200 ? 'ok' : (/"error":\s*"([^"]*)"/.exec(body)?.[1] ?? `status ${status}`)
}

function form({ path, fields }) {
  return { method: 'POST', path, headers, body: new URLSearchParams(fields).toString() }
}

async function run({ url, connections, requests, chains, amount, keep }) {
  const outcomes = {}
  const kept = []
  const listened = (status, body) => {
    const what = outcome(status, body)
    outcomes[what] = (outcomes[what] ?? 0) + 1
    if (keep) kept.push(JSON.parse(body)[keep])
  }
  const entries = chains
    ? chains.map((chain) => ({
        ...form(chain),
        setupRequest: (request) => ({ ...request, body: form(chain).body }),
        onResponse: (status, body) => {
          listened(status, body)
          if (status === 200) chain.fields.refresh_token = JSON.parse(body).refresh_token
        },
      }))
    : requests.map((request) => ({ ...form(request), onResponse: listened }))
  const total = amount ?? entries.length
  // Dealt like cards, as autocannon deals the amount.
  const shares = Array.from({ length: connections }, (_, at) => entries.filter((_, index) => index % connections === at))
  let at = 0
  const latencies = new Float64Array(total)
  let answered = 0
  let began, ended
  await new Promise((resolve, reject) => {
    const options = { url, connections, amount: total, sampleInt: 20, timeout: 60, method: 'POST', headers }
    options.setupClient = (client) => client.setRequests(shares[at++])
    began = performance.now()
    const running = autocannon(options, (error) => (error ? reject(error) : resolve()))
    running.on('response', (client, status, bytes, milliseconds) => {
      latencies[answered++] = milliseconds
      ended = performance.now()
    })
    running.on('reqError', reject)
  })
  latencies.sort()
  return {
    answered,
    outcomes,
    seconds: (ended - began) / 1000,
    p50_ms: latencies[Math.floor(answered * 0.5)],
    p99_ms: latencies[Math.floor(answered * 0.99)],
    ...(keep && { kept }),
    ...(chains && { chains }),
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line))))
}
