// Gives the process the test's own time: Date reads the file named by STOA_CLOCK_FILE, eight bytes of nanoseconds since
// 1970-01-01 UTC, little-endian, which tests/interop/mirrored_clock.py keeps. Loaded with --import, before any package.

import { openSync, readSync } from 'node:fs';

const file = openSync(process.env.STOA_CLOCK_FILE, 'r');
const stamp = Buffer.alloc(8);

function now() {
  readSync(file, stamp, 0, 8, 0);
  return Number(stamp.readBigUInt64LE() / 1_000_000n);
}

globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length ? given : [now()]));
  }

  static now() {
    return now();
  }
};
