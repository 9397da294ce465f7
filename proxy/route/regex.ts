import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

let engine: { readonly RE2JS: typeof RE2JS } | undefined;

/**
 * RE2's syntax and linear time (what xDS and the Gateway API mean by a regular expression). Throws when it is none. The library is loaded
 * with the first expression: most sidecars never see one, and it is 1.5 MB of each.
 */
export function compileRegex(pattern: string): RE2JS {
  engine ??= createRequire(import.meta.url)('re2js') as { readonly RE2JS: typeof RE2JS };
  return engine.RE2JS.compile(pattern);
}
