#!/usr/bin/env node
// What `tutti` names. Compiled code is kept from run to run, which halves what a command costs; so nothing but this is loaded before.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const { HOME, XDG_CACHE_HOME = HOME === undefined ? undefined : join(HOME, '.cache') } = process.env;
// Of this user alone: what lies there is run. NODE_COMPILE_CACHE goes before it, and NODE_DISABLE_COMPILE_CACHE=1 turns it off.
if (XDG_CACHE_HOME !== undefined) enableCompileCache(join(XDG_CACHE_HOME, 'tutti'));
await import('./command-line.ts');
