import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { attempt, download } from './download.ts';

function said(t: TestContext): () => string {
  const { mock } = t.mock.method(process.stdout, 'write', () => true);
  return () => mock.calls.map(({ arguments: [text] }) => String(text)).join('');
}

test('what does not come is tried again, and said, until it comes', (t) => {
  const problems = ['no answer', 'no answer', undefined];
  const told = said(t);
  const came = attempt('a thing', () => problems.shift(), 1);
  t.mock.restoreAll();
  assert.equal(came, true);
  assert.match(told(), /a thing: no answer; trying again in 0\.001 s \(attempt 2 of 3\)\n.*attempt 3 of 3\)\n$/);
});

test('what never comes is given up in words', (t) => {
  const told = said(t);
  const came = attempt('a thing', () => 'no answer', 1);
  t.mock.restoreAll();
  assert.equal(came, false);
  assert.match(told(), /a thing: no answer; given up after 3 attempts\n$/);
});

test('a command that ends with 0 has brought its thing', () => {
  assert.equal(download('nothing', ['true']), true);
});
