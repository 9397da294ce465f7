import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { type ServiceAccountKeys, serviceAccountKeys } from './service-account-keys.ts';
import { ISSUER, signToken, verifyToken } from './service-account-token.ts';

const NOW = Date.UTC(2030, 0, 1);
const HOUR_MS = 3_600_000;

function privatePem(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
}

const claims = { namespace: 'shop', serviceaccount: { name: 'web', uid: 'u1' }, pod: { name: 'web-1', uid: 'u2' } };
const order = { claims, audiences: ['tutti', 'other'], nowMs: NOW, lifetimeSeconds: 3600 };

async function reason(
  keys: ServiceAccountKeys,
  token: string,
  { nowMs = NOW, audiences = ['tutti'] } = {},
): Promise<string> {
  const verdict = await verifyToken(keys, token, { nowMs, audiences });
  return verdict.ok ? 'ok' : verdict.reason;
}

test('a token says whose it is and what it is bound to', async () => {
  const keys = serviceAccountKeys(privatePem());
  const verdict = await verifyToken(keys, await signToken(keys, order), { nowMs: NOW, audiences: ['tutti'] });
  assert.ok(verdict.ok);
  assert.deepEqual(
    { namespace: verdict.token.namespace, account: verdict.token.serviceaccount, pod: verdict.token.pod },
    { namespace: 'shop', account: claims.serviceaccount, pod: claims.pod },
  );
  assert.deepEqual(verdict.token.audiences, ['tutti']);
});

test('a token is good for its time and its audiences', async () => {
  const keys = serviceAccountKeys(privatePem());
  const token = await signToken(keys, order);
  assert.equal(await reason(keys, token, { nowMs: NOW + HOUR_MS - 1000 }), 'ok');
  assert.match(await reason(keys, token, { nowMs: NOW + HOUR_MS }), /exp/);
  assert.match(await reason(keys, token, { nowMs: NOW - 60_000 }), /nbf/);
  assert.match(await reason(keys, token, { audiences: ['stranger'] }), /aud/);
});

test('a token of another key, another issuer, another algorithm or none is refused', async () => {
  const keys = serviceAccountKeys(privatePem());
  const others = serviceAccountKeys(privatePem());
  const { privateKey, keyId } = others.signing;
  assert.match(await reason(keys, await signToken(others, order)), /not known/);
  const forged = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: keys.signing.keyId }).sign(privateKey);
  assert.match(await reason(keys, forged), /signature/);
  const strange = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: keyId })
    .setIssuer('x')
    .sign(privateKey);
  assert.match(await reason(others, strange), /iss|aud|exp/);
  const none = `${Buffer.from(JSON.stringify({ alg: 'none', kid: keys.signing.keyId })).toString('base64url')}.e30.`;
  assert.notEqual(await reason(keys, none), 'ok');
  const shared = Buffer.from(JSON.stringify(keys.signing.publicKey.export({ format: 'jwk' })));
  const confused = await new SignJWT({ iss: ISSUER, aud: 'tutti', exp: NOW / 1000 + 60, jti: 'x' })
    .setProtectedHeader({ alg: 'HS256', kid: keys.signing.keyId })
    .sign(shared);
  assert.match(await reason(keys, confused), /alg/);
  for (const garbage of ['', 'a', 'a.b.c', '..', 'eyJhbGciOiJFUzI1NiJ9.e30.AA']) {
    assert.notEqual(await reason(keys, garbage), 'ok', garbage);
  }
});

test('a token of ours without its claims is refused', async () => {
  const keys = serviceAccountKeys(privatePem());
  const empty = await new SignJWT({ 'kubernetes.io': { namespace: 'shop' } })
    .setProtectedHeader({ alg: 'ES256', kid: keys.signing.keyId })
    .setIssuer(ISSUER)
    .setAudience('tutti')
    .setExpirationTime(NOW / 1000 + 60)
    .setJti('x')
    .sign(keys.signing.privateKey);
  assert.match(await reason(keys, empty), /claim/);
});

test('tokens of a key that was replaced are good as long as it is kept', async () => {
  const old = serviceAccountKeys(privatePem());
  const token = await signToken(old, order);
  const retired = old.signing.publicKey.export({ type: 'spki', format: 'pem' });
  assert.equal(await reason(serviceAccountKeys(privatePem(), [retired]), token), 'ok');
  assert.match(await reason(serviceAccountKeys(privatePem()), token), /not known/);
});
