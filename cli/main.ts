#!/usr/bin/env node
// What `tutti` names. Compiled code is kept from run to run, which halves what a command costs; so nothing but this is loaded before.
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeFolder } from '../kit/make-folder.ts';

const { HOME = '', XDG_CACHE_HOME = '' } = process.env;
// What is no absolute path counts as not set (XDG Base Directory Specification).
const [cache] = [XDG_CACHE_HOME, join(HOME, '.cache')].filter((path) => isAbsolute(path));
// Of this user alone: what lies there is run. NODE_COMPILE_CACHE goes before it, and NODE_DISABLE_COMPILE_CACHE=1 turns it off.
if (cache !== undefined) keepCompiled(join(cache, 'tutti'));

// The package has what is a client in one file (tools/bundle-cli.ts); these commands load the mesh's own folders.
const PROCESSES = ['up', 'control', 'agent', 'proxy', 'store'];
const bundle = join(import.meta.dirname, 'bundle', 'command-line.js');
const isProcess = process.argv.some((word) => PROCESSES.includes(word));
if (!isProcess && existsSync(bundle)) await import(pathToFileURL(bundle).href);
else await import('./command-line.ts');

/** Where no folder can be made a command costs what it does without. Node would make it itself, and never return where it cannot (/proc). */
function keepCompiled(folder: string): void {
  try {
    makeFolder(folder, { mode: 0o700 });
  } catch {
    return;
  }
  enableCompileCache(folder);
}
