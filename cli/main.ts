#!/usr/bin/env node
// What `tutti` names. Compiled code is kept from run to run, which halves what a command costs; so nothing but this is loaded before.
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { HOME, XDG_CACHE_HOME = HOME === undefined ? undefined : join(HOME, '.cache') } = process.env;
// Of this user alone: what lies there is run. NODE_COMPILE_CACHE goes before it, and NODE_DISABLE_COMPILE_CACHE=1 turns it off.
if (XDG_CACHE_HOME !== undefined) enableCompileCache(join(XDG_CACHE_HOME, 'tutti'));

// The package has what is a client in one file (tools/bundle-cli.ts); these commands load the mesh's own folders.
const PROCESSES = ['up', 'control', 'agent', 'proxy', 'store'];
const bundle = join(import.meta.dirname, 'bundle', 'command-line.js');
const isProcess = process.argv.some((word) => PROCESSES.includes(word));
if (!isProcess && existsSync(bundle)) await import(pathToFileURL(bundle).href);
else await import('./command-line.ts');
