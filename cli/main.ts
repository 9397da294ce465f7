#!/usr/bin/env node
// What `tutti` names. Compiled code is kept from run to run, which halves what a command costs; so nothing but this is loaded before.
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Of this user alone: what lies there is run. NODE_COMPILE_CACHE goes before it, and NODE_DISABLE_COMPILE_CACHE=1 turns it off.
enableCompileCache(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tutti'));
await import('./command-line.ts');
