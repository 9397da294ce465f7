import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';
import { type CommandError, EXIT } from './exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from './format.ts';
import { readLines } from './lines.ts';
import { createProgress } from './progress.ts';
import { growingTable, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

function recordingTerminal(live: boolean): Terminal & { readonly written: string[] } {
  const written: string[] = [];
  return {
    written,
    out: (text) => written.push(text),
    err: (text) => written.push(text),
    live,
    liveArea: () => ({ show: (text) => written.push(`[${text}]`), done: () => written.push('[done]') }),
    style: (_, text) => text,
  };
}

test('a table is aligned by what is seen, not by colour codes, and has no trailing blanks', () => {
  const table = renderTable(
    ['NAME', 'READY', 'AGE'],
    [
      ['catalog', '\u001B[32m2/2\u001B[0m', '5s'],
      ['a', '10/10', ''],
    ],
  );
  assert.equal(table, 'NAME      READY   AGE\ncatalog   \u001B[32m2/2\u001B[0m     5s\na         10/10\n');
});

test('lines that come later stand under those before, and a wider cell widens its column from there on', () => {
  const render = growingTable();
  assert.equal(
    render([
      ['NAME', 'STATUS', 'AGE'],
      ['web', 'Running', '5s'],
    ]),
    'NAME   STATUS    AGE\nweb    Running   5s\n',
  );
  assert.equal(render([['web', 'Gone', '6s']]), 'web    Gone      6s\n');
  assert.equal(render([['web-2', 'Up', '1s']]), 'web-2   Up        1s\n');
  assert.equal(render([['web', 'Up', '7s']]), 'web     Up        7s\n');
});

test('on a pipe each line of progress is printed once, when it changes', () => {
  const terminal = recordingTerminal(false);
  const progress = createProgress(terminal);
  progress.update([
    { key: 'a', text: 'a 0/2' },
    { key: 'b', text: 'b 0/1' },
  ]);
  progress.update([
    { key: 'a', text: 'a 1/2' },
    { key: 'b', text: 'b 0/1' },
  ]);
  assert.deepEqual(terminal.written, ['a 0/2\n', 'b 0/1\n', 'a 1/2\n']);
});

test('on a terminal the whole list is drawn each time, over the last one', () => {
  const terminal = recordingTerminal(true);
  const progress = createProgress(terminal);
  progress.update([
    { key: 'a', text: 'a 0/2' },
    { key: 'b', text: 'b 0/1' },
  ]);
  progress.update([{ key: 'a', text: 'a 2/2' }]);
  progress.done();
  assert.deepEqual(terminal.written, ['[a 0/2\nb 0/1]', '[a 2/2]', '[done]']);
});

for (const [given, ms] of [
  ['500ms', 500],
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
] as const) {
  test(`the duration ${given} is ${ms} ms`, () => assert.equal(parseDuration('--every', given), ms));
}

for (const given of ['', '10', 's', '10 s', '-1s', '1d', '10sx']) {
  test(`the duration "${given}" is refused with the flag's name`, () => {
    assert.throws(() => parseDuration('--every', given), /--every ".*": must be a duration/);
  });
}

test('lines come whole from chunks cut anywhere, also inside a character, and the last needs no end', async () => {
  const text = Buffer.from('één\n\ntwee\ndrie');
  for (let size = 1; size <= text.length; size++) {
    const chunks = (async function* () {
      for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
    })();
    assert.deepEqual(await Array.fromAsync(readLines(chunks)), ['één', '', 'twee', 'drie']);
  }
});

test('an output format that is not known is refused with those that are', () => {
  assert.equal(parseFormat('yaml', DATA_FORMATS), 'yaml');
  assert.equal(parseFormat(undefined, DATA_FORMATS), undefined);
  assert.throws(
    () => parseFormat('wide', DATA_FORMATS),
    (error: CommandError) => error.exit === 'usage' && error.message === 'output format "wide": not one of json, yaml',
  );
  assert.equal(renderData({ a: [1] }, 'yaml'), 'a:\n  - 1\n');
});

test('every exit has a code of its own', () => {
  const codes = Object.values(EXIT).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
});
