import assert from 'node:assert/strict';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatKey, makeKey, parseKey } from './encryption-key.ts';
import { openText, sealedWith, sealText } from './sealed-text.ts';

const key = makeKey();
const PLACE = '/registry/core/secrets/default/db';

test('what is sealed opens again, whatever the text, and shows nothing but its key’s id', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 4 }), (text) => {
      const sealed = sealText(key, PLACE, text);
      assert.equal(openText(key, PLACE, sealed), text);
      assert.equal(sealedWith(sealed), key.id);
      assert.ok(!sealed.includes(text) && !sealed.includes(Buffer.from(text).toString('base64')));
    }),
  );
});

test('the same text is never sealed to the same value', () => {
  assert.notEqual(sealText(key, PLACE, 'x'), sealText(key, PLACE, 'x'));
});

test('a value moved to another place, changed in any byte, cut short or of another key does not open', () => {
  const sealed = sealText(key, PLACE, '{"data":{"password":"aHVudGVyMg=="}}');
  assert.throws(() => openText(key, '/registry/core/secrets/default/other', sealed));
  assert.throws(() => openText(makeKey(), PLACE, sealed));
  const body = sealed.lastIndexOf(':') + 1;
  const bytes = Buffer.from(sealed.slice(body), 'base64');
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => openText(key, PLACE, sealed.slice(0, body) + changed.toString('base64')), `byte ${at}`);
    assert.throws(() => openText(key, PLACE, sealed.slice(0, body) + bytes.subarray(0, at).toString('base64')));
  }
  assert.throws(() => openText(key, PLACE, sealed.replace(':v1:', ':v1z:')));
});

test('a Secret of 1 MiB stays within what a value of the store may have', () => {
  const text = JSON.stringify({ data: { blob: randomBytes(1024 * 1024).toString('base64') } });
  const sealed = sealText(key, PLACE, text);
  assert.ok(Buffer.byteLength(sealed) <= 1.5 * 1024 * 1024, `${sealed.length}`);
  assert.equal(openText(key, PLACE, sealed), text);
});

test('a value is AES-256-GCM as anyone can compute it: nonce, ciphertext, tag, bound to head and place', () => {
  const sealed = sealText(key, PLACE, 'hello');
  const head = `tutti:enc:aesgcm:v1:${key.id}:`;
  assert.ok(sealed.startsWith(head));
  const bytes = Buffer.from(sealed.slice(head.length), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(formatKey(key), 'base64'), bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(`${head}\0${PLACE}`)).setAuthTag(bytes.subarray(-16));
  assert.equal(decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8'), 'hello');
});

test('a key is 32 bytes in base64, as openssl rand -base64 32 prints it; nothing else is one', () => {
  assert.equal(parseKey(formatKey(key))?.id, key.id);
  for (const text of [
    '',
    'x',
    randomBytes(31).toString('base64'),
    randomBytes(33).toString('base64'),
    'a'.repeat(44),
  ]) {
    assert.equal(parseKey(text), undefined, text);
  }
});

test('an object as JSON is not taken for a sealed value', () => {
  assert.equal(sealedWith('{"kind":"Secret","x":"tutti:enc:aesgcm:v1:0123456789abcdef:"}'), undefined);
});
