import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { readSocketAddress, type SocketAddress } from './socket-address.ts';

const linkLocal = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/** An interface of this machine that has a link-local address, if there is one. */
const [interfaceName, scope] = Object.entries(networkInterfaces())
  .flatMap(([name, addresses]) =>
    (addresses ?? []).map((each) => [name, each.family === 'IPv6' ? each.scopeid : 0] as const),
  )
  .find(([, id]) => id !== 0) ?? ['7777', 7777];

const cases: readonly (readonly [what: string, bytes: readonly number[], SocketAddress | undefined])[] = [
  ['an IPv4 address', [2, 0, 0x12, 0x34, 127, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0], { address: '127.0.0.9', port: 0x1234 }],
  [
    'an IPv6 address',
    [10, 0, 0, 53, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0],
    { address: '2001:db8::5', port: 53 },
  ],
  [
    'a link-local address and its interface',
    [10, 0, 0, 53, 0, 0, 0, 0, ...linkLocal, scope & 255, scope >> 8, 0, 0],
    { address: `fe80::1%${interfaceName}`, port: 53 },
  ],
  ['nothing of another family', [1, 0, ...Array.from({ length: 26 }, () => 0)], undefined],
];

for (const [what, bytes, address] of cases) {
  test(`a socket's address says ${what}`, () => assert.deepEqual(readSocketAddress(Uint8Array.from(bytes)), address));
}
