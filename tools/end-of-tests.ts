import { after } from 'node:test';

// Imported by every test file's process before its tests (tools/test.ts). Node ends such a process when nothing is left to do, however long that
// takes: what a failed test left open would hold up the run for ever. So it is ended a while after its last test; what it had to say has long been read.
const PATIENCE_MS = 30_000;

after(() => {
  const end = (): void => {
    process.stderr.write(`${process.argv[1] ?? 'a test file'}: something was left open; ended\n`);
    process.exit();
  };
  setTimeout(end, PATIENCE_MS).unref();
});
