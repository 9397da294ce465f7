import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCLibrary } from './c-library.ts';

const hasFfi = process.platform === 'linux' && Number.parseInt(process.versions.node, 10) >= 26;

test('where node:ffi is, functions of the C library are called and write to the memory that they are given', () => {
  const library = openCLibrary({
    getpid: { arguments: [], return: 'int32' },
    memset: { arguments: ['pointer', 'int32', 'uint64'], return: 'pointer' },
  });
  assert.equal(library !== undefined, hasFfi);
  if (library === undefined) return;
  assert.equal(library.functions.getpid(), process.pid);
  const memory = new ArrayBuffer(8);
  library.functions.memset(library.addressOf(memory) + 2n, 7, 3n);
  assert.deepEqual([...new Uint8Array(memory)], [0, 0, 7, 7, 7, 0, 0, 0]);
});

test('without a function of that name there is no library', () => {
  assert.equal(openCLibrary({ no_such_function_of_c: { arguments: [], return: 'void' } }), undefined);
});

test('nothing is said of node:ffi being experimental, and later warnings are heard', async () => {
  const warned: string[] = [];
  const listen = (warning: Error): void => void warned.push(warning.message);
  process.on('warning', listen);
  openCLibrary({ getpid: { arguments: [], return: 'int32' } });
  process.emitWarning('the next one');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  assert.deepEqual(warned, ['the next one']);
});
