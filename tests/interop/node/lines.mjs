// One JSON object a line, in on standard input and out on standard output; what packages print goes to standard error.
// The end of the input is the end of the process: whoever started it has gone.

import { createInterface } from 'node:readline';

for (const level of ['log', 'info', 'debug']) {
  console[level] = console.error;
}

export function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

export function hear(onMessage) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => onMessage(JSON.parse(line)));
  lines.on('close', () => process.exit(0));
}
