import { readFileSync } from 'node:fs';

// Imported by every test file's process before its tests (tools/test.ts). Elsewhere properties draw other cases in each run, and so find what nobody
// has thought of; CI decides about a change, and must decide about the same change twice in the same way. A failed property prints its seed.
const SEED = 1;

/** Reading fast-check takes 50 ms: only where the file or what its tests share draws from it. */
function draws(file: string): boolean {
  return /fast-check|conformance\.ts/.test(readFileSync(file, 'utf8'));
}

const [, file] = process.argv;
if (process.env['CI'] === 'true' && file?.endsWith('.test.ts') === true && draws(file)) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: SEED });
}
