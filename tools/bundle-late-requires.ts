import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/** A name that a package's file gets when it is loaded, and what is put where the name is used instead. */
interface Late {
  /** How the file's path ends. */
  readonly file: RegExp;
  readonly statement: string;
  readonly name: string;
  readonly instead: string;
}

// Of pino, for logs that files and threads write; ours is given something that writes.
const LATE: readonly Late[] = [
  {
    file: /[\\/]sonic-boom[\\/]index\.js$/,
    statement: "const assert = require('assert')",
    name: 'assert',
    instead: "require('assert')",
  },
  {
    file: /[\\/]pino[\\/]lib[\\/]tools\.js$/,
    statement: "const { isMainThread } = require('worker_threads')",
    name: 'isMainThread',
    instead: "require('worker_threads').isMainThread",
  },
  {
    file: /[\\/]pino[\\/]lib[\\/]transport\.js$/,
    statement: "const ThreadStream = require('thread-stream')",
    name: 'ThreadStream',
    instead: "(require('thread-stream'))",
  },
];

/**
 * Packages load at once what they use once in a while. In a bundle these few load it where they use it: node:assert, which makes
 * process.stderr on the way, and node:worker_threads are 20 ms of CPU of each proxy's start.
 */
export const lateRequires: Plugin = {
  name: 'late requires',
  setup: (build) => {
    for (const late of LATE) {
      build.onLoad({ filter: late.file }, ({ path }) => ({ contents: postponed(readFileSync(path, 'utf8'), late) }));
    }
  },
};

function postponed(code: string, { statement, name, instead }: Late): string {
  // Another version of the package is not what this was written for.
  if (!code.includes(statement)) throw new Error(`late requires: "${statement}": the package has no such statement`);
  return code.replace(statement, '').replaceAll(new RegExp(`(?<![.\\w'"])${name}(?=[()])`, 'g'), () => instead);
}
