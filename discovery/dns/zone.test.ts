import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { sampleRegistry } from '../testing/sample-cluster.ts';
import { reverseName } from './reverse-name.ts';
import { RCODE, TYPE } from './wire/codes.ts';
import type { RecordData, ResourceRecord } from './wire/message.ts';
import { buildZone } from './zone.ts';
import { answerFrom } from './zone-answer.ts';

const options = { domain: 'cluster.local', serial: 7, serverAddress: '127.0.0.1', complete: true };
const zone = buildZone(sampleRegistry(), options);
const ask = (name: string, type: keyof typeof TYPE) => answerFrom(zone, { name, type: TYPE[type] });

/** A record as dig shows it. */
function shown({ name, data }: ResourceRecord): string {
  return `${name} ${data.type} ${words(data)}`;
}

function words(data: RecordData): string {
  if ('address' in data) return data.address;
  if (data.type === 'SRV') return `${data.priority} ${data.weight} ${data.port} ${data.target}`;
  if ('target' in data) return data.target;
  return data.type === 'TXT' ? data.texts.join(' ') : '';
}

const D = 'default.svc.cluster.local';

/** Kubernetes DNS specification 1.0.1, section by section. */
const answered: readonly (readonly [
  what: string,
  name: string,
  keyof typeof TYPE,
  readonly string[],
  (readonly string[])?,
])[] = [
  ['2.2 the schema version', 'dns-version.cluster.local', 'TXT', ['dns-version.cluster.local TXT 1.0.1']],
  ['2.3.1 the address of a Service', `web.${D}`, 'A', [`web.${D} A 127.96.0.10`]],
  [
    '2.3.1 the Service of that name in another namespace',
    'web.other.svc.cluster.local',
    'A',
    ['web.other.svc.cluster.local A 127.96.0.20'],
  ],
  ['the IPv4 address of a dual-stack Service', `dual.${D}`, 'A', [`dual.${D} A 127.96.0.11`]],
  ['the IPv6 address of a dual-stack Service', `dual.${D}`, 'AAAA', [`dual.${D} AAAA fd00::11`]],
  [
    '2.3.2 a named port, with the address beside it',
    `_http._tcp.web.${D}`,
    'SRV',
    [`_http._tcp.web.${D} SRV 0 100 80 web.${D}`],
    [`web.${D} A 127.96.0.10`],
  ],
  ['2.3.3 the name of a Service address', '10.0.96.127.in-addr.arpa', 'PTR', [`10.0.96.127.in-addr.arpa PTR web.${D}`]],
  [
    'the name of an IPv6 Service address',
    reverseName('fd00::11') ?? '',
    'PTR',
    [`${reverseName('fd00::11')} PTR dual.${D}`],
  ],
  [
    '2.4.1 one address a ready endpoint',
    `db.${D}`,
    'A',
    [`db.${D} A 127.64.0.6`, `db.${D} A 127.64.0.7`, `db.${D} A 127.64.0.8`],
  ],
  ['2.4.1 the address of an endpoint by its hostname', `db-1.db.${D}`, 'A', [`db-1.db.${D} A 127.64.0.8`]],
  [
    '2.4.1 the address of an endpoint that has no hostname',
    `127-64-0-6.db.${D}`,
    'A',
    [`127-64-0-6.db.${D} A 127.64.0.6`],
  ],
  [
    '2.4.2 a named port at each ready endpoint, with the port of the endpoint',
    `_pg._tcp.db.${D}`,
    'SRV',
    [
      `_pg._tcp.db.${D} SRV 0 33 15432 127-64-0-6.db.${D}`,
      `_pg._tcp.db.${D} SRV 0 33 15432 db-0.db.${D}`,
      `_pg._tcp.db.${D} SRV 0 33 15432 db-1.db.${D}`,
    ],
    [`127-64-0-6.db.${D} A 127.64.0.6`, `db-0.db.${D} A 127.64.0.7`, `db-1.db.${D} A 127.64.0.8`],
  ],
  [
    '2.4.3 the name of an endpoint address',
    '7.0.64.127.in-addr.arpa',
    'PTR',
    [`7.0.64.127.in-addr.arpa PTR db-0.db.${D}`],
  ],
  [
    'the name of an endpoint of a Service with an address',
    '5.0.64.127.in-addr.arpa',
    'PTR',
    [`5.0.64.127.in-addr.arpa PTR 127-64-0-5.web.${D}`],
  ],
  ['publishNotReadyAddresses: an endpoint that is not ready', `early.${D}`, 'A', [`early.${D} A 127.64.0.31`]],
  [
    '2.5 an ExternalName within the cluster, to its end',
    `alias.${D}`,
    'A',
    [`alias.${D} CNAME web.${D}`, `web.${D} A 127.96.0.10`],
  ],
  ['2.5 an ExternalName, asked for as such', `alias.${D}`, 'CNAME', [`alias.${D} CNAME web.${D}`]],
  [
    '2.6 a pod by its address',
    '10-1-2-3.default.pod.cluster.local',
    'A',
    ['10-1-2-3.default.pod.cluster.local A 10.1.2.3'],
  ],
  [
    'the name server of the zone',
    'cluster.local',
    'NS',
    ['cluster.local NS ns.dns.cluster.local'],
    ['ns.dns.cluster.local A 127.0.0.1'],
  ],
];

for (const [what, name, type, answers, additional = []] of answered) {
  test(`answers with ${what}`, () => {
    const answer = ask(name, type);
    assert.equal(answer?.rcode, RCODE.NOERROR);
    assert.deepEqual(answer?.answers.map(shown), answers);
    assert.deepEqual(answer?.additional.map(shown), additional);
    assert.ok(answer?.answers.every(({ ttlSeconds }) => ttlSeconds === 5));
  });
}

const negative: readonly (readonly [what: string, name: string, keyof typeof TYPE, keyof typeof RCODE])[] = [
  ['a Service that is not there', `nobody.${D}`, 'A', 'NXDOMAIN'],
  ['a namespace without Services', 'web.nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['2.4.1 a headless Service without ready endpoints', `empty.${D}`, 'A', 'NXDOMAIN'],
  ['an endpoint that is not ready', `db-2.db.${D}`, 'A', 'NXDOMAIN'],
  ['2.3.2 a port without a name', `_80._tcp.dual.${D}`, 'SRV', 'NXDOMAIN'],
  ['a port of another protocol', `_http._udp.web.${D}`, 'SRV', 'NXDOMAIN'],
  ['the IPv6 address of a Service that has none', `web.${D}`, 'AAAA', 'NOERROR'],
  ['a name that only has names below it', 'svc.cluster.local', 'A', 'NOERROR'],
  ['a namespace', D, 'A', 'NOERROR'],
  ['the protocols of a Service', `_tcp.web.${D}`, 'A', 'NOERROR'],
  ['a pod address that is none', '10-1-2-300.default.pod.cluster.local', 'A', 'NXDOMAIN'],
  ['the IPv6 address of a pod', '10-1-2-3.default.pod.cluster.local', 'AAAA', 'NOERROR'],
  ['a loopback address that nobody has', '9.9.64.127.in-addr.arpa', 'PTR', 'NXDOMAIN'],
  ['part of a loopback address that somebody has', '0.64.127.in-addr.arpa', 'PTR', 'NOERROR'],
];

for (const [what, name, type, rcode] of negative) {
  test(`says ${rcode === 'NOERROR' ? 'that there is no record' : rcode} with the SOA for ${what}`, () => {
    const answer = ask(name, type);
    assert.equal(answer?.rcode, RCODE[rcode]);
    assert.deepEqual(answer?.answers, []);
    assert.deepEqual(
      answer?.authority.map(({ data }) => data.type),
      ['SOA'],
    );
  });
}

test('does not speak for names elsewhere', () => {
  for (const name of [
    'example.com',
    'notcluster.local',
    'local',
    '',
    '1.2.0.192.in-addr.arpa',
    'cluster.local.example.com',
  ]) {
    assert.equal(ask(name, 'A'), undefined, name);
  }
});

test('an ExternalName that leads out of the zone says where to go on', () => {
  const answer = ask(`outside.${D}`, 'A');
  assert.deepEqual(answer?.answers.map(shown), [`outside.${D} CNAME www.example.com`]);
  assert.equal(answer?.elsewhere, 'www.example.com');
});

test('ExternalNames in a circle end in SERVFAIL', () => {
  assert.equal(ask(`loop.${D}`, 'A')?.rcode, RCODE.SERVFAIL);
});

test('while not all is known, what is known is told, and the rest is SERVFAIL instead of "no such name"', () => {
  const young = buildZone(sampleRegistry(), { ...options, complete: false });
  const code = (name: string, type: number) => answerFrom(young, { name, type })?.rcode;
  assert.equal(code(`web.${D}`, TYPE.A), RCODE.NOERROR);
  assert.equal(code(`nobody.${D}`, TYPE.A), RCODE.SERVFAIL);
  assert.equal(code(`web.${D}`, TYPE.AAAA), RCODE.SERVFAIL);
  assert.equal(code('example.com', TYPE.A), undefined);
});

test('ANY gets the small answer of RFC 8482', () => {
  const answer = ask(`db.${D}`, 'ANY');
  assert.deepEqual(
    answer?.answers.map(({ data }) => data.type),
    ['HINFO'],
  );
});

test('names mean the same in upper and lower case', () => {
  const names = [...zone.names.keys()];
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.infiniteStream(fc.boolean()), (name, upper) => {
      const mixed = name.replaceAll(/./g, (character) => (upper.next().value ? character.toUpperCase() : character));
      for (const type of [TYPE.A, TYPE.AAAA, TYPE.SRV, TYPE.PTR, TYPE.CNAME]) {
        assert.deepEqual(answerFrom(zone, { name: mixed, type }), answerFrom(zone, { name, type }));
      }
    }),
  );
});

test('whatever is asked, an answer within the zone is an answer, no record, or no such name', () => {
  const labels = fc.constantFrom(
    'web',
    'db',
    '_tcp',
    '_http',
    'default',
    'svc',
    'pod',
    'x',
    '10-0-0-1',
    'cluster',
    'local',
  );
  fc.assert(
    fc.property(fc.array(labels, { maxLength: 6 }), fc.integer({ min: 0, max: 300 }), (prefix, type) => {
      const answer = answerFrom(zone, { name: [...prefix, 'cluster', 'local'].join('.'), type });
      assert.ok(answer);
      assert.equal(answer.answers.length === 0, answer.authority.length === 1);
      assert.ok(answer.rcode === RCODE.NOERROR || (answer.rcode === RCODE.NXDOMAIN && answer.answers.length === 0));
    }),
    { numRuns: 1000 },
  );
});
