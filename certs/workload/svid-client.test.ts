import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { type Authority, openAuthority } from '../authority/authority.ts';
import { createKeyAndCsr } from './key-and-csr.ts';
import { svidClient } from './svid-client.ts';

const ID = 'spiffe://tutti.local/ns/shop/sa/catalog';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: { spec: { csr: string; ttlSeconds?: number } };
}

interface Subject {
  readonly authority: Authority;
  readonly folder: string;
  readonly server: string;
  readonly received: Received[];
  readonly obtain: (
    csrPem: string,
    signal?: AbortSignal,
  ) => Promise<{ certificateChainPem: string; trustBundlePem: string }>;
}

type Reply = (received: Received, response: ServerResponse, authority: Authority) => void;

/** An API server that knows one path, over real TLS. */
async function subject(context: TestContext, reply: Reply, ttlSeconds?: number): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-certs-'));
  const clock = systemClock();
  const authority = await openAuthority({
    folder: join(folder, 'ca'),
    trustDomain: 'tutti.local',
    clock,
    log: silentLog(),
  });
  const serving = authority.issueServing({ dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const received: Received[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks = (await request.toArray()) as Buffer[];
    const { method, url, headers } = request;
    const got = {
      method,
      url,
      authorization: headers.authorization,
      body: JSON.parse(Buffer.concat(chunks).toString()),
    };
    received.push(got);
    reply(got, response, authority);
  };
  const server = createServer(
    { key: serving.privateKeyPem, cert: serving.certificateChainPem },
    (request, response) => void handle(request, response),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, 'token'), 'first-token\n');
  await writeFile(join(folder, 'ca.pem'), authority.trustBundlePem);
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const obtain = svidClient({
    server: address,
    caFile: join(folder, 'ca.pem'),
    tokenFile: join(folder, 'token'),
    ...(ttlSeconds !== undefined && { ttlSeconds }),
  });
  return {
    authority,
    folder,
    server: address,
    received,
    obtain: (csrPem, signal = new AbortController().signal) => obtain(csrPem, signal),
  };
}

const issues: Reply = ({ body }, response, authority) => {
  const { certificateChainPem } = authority.issueSvid({ csrPem: body.spec.csr, spiffeId: ID });
  const status = { certificateChain: certificateChainPem, trustBundle: authority.trustBundlePem };
  response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ ...body, status }));
};

test('an SVID is asked for with the token as it is at that time', async (context) => {
  const { obtain, received, authority, folder } = await subject(context, issues, 600);
  const { csrPem } = createKeyAndCsr(ID);
  const svid = await obtain(csrPem);
  assert.equal(svid.trustBundlePem, authority.trustBundlePem);
  assert.match(svid.certificateChainPem, /^-----BEGIN CERTIFICATE-----/);
  await writeFile(join(folder, 'token'), 'second-token');
  await obtain(csrPem);
  assert.deepEqual(
    received.map(({ authorization }) => authorization),
    ['Bearer first-token', 'Bearer second-token'],
  );
  assert.deepEqual(received[0], {
    method: 'POST',
    url: '/apis/tutti.dev/v1alpha1/svidrequests',
    authorization: 'Bearer first-token',
    body: {
      apiVersion: 'tutti.dev/v1alpha1',
      kind: 'SvidRequest',
      metadata: {},
      spec: { csr: csrPem, ttlSeconds: 600 },
    },
  });
});

const answers: readonly { name: string; reply: Reply; error: RegExp }[] = [
  {
    name: 'a refusal is told in the words of the server',
    reply: (_got, response) =>
      void response.writeHead(403).end(JSON.stringify({ kind: 'Status', message: 'pod "web-1" is gone' })),
    error: /svidrequests: answered 403: pod "web-1" is gone/,
  },
  {
    name: 'an error that is no Status is told as it is',
    reply: (_got, response) => void response.writeHead(502).end('<html>bad gateway</html>'),
    error: /answered 502: <html>bad gateway/,
  },
  {
    name: 'an answer without a certificate is an error',
    reply: (_got, response) => void response.writeHead(201).end('{"status":{"certificateChain":7}}'),
    error: /answered 201 without certificate chain and trust bundle/,
  },
  {
    name: 'an answer that is no JSON object is an error',
    reply: (_got, response) => void response.writeHead(200).end('null'),
    error: /answered 200 without certificate chain/,
  },
  {
    name: 'an answer without end is cut',
    reply: (_got, response) => void response.writeHead(200).end(Buffer.alloc(3 * 1024 * 1024, 32)),
    error: /answer has more than 1048576 bytes/,
  },
  {
    name: 'a connection that breaks is an error',
    reply: (_got, response) => void response.destroy(),
    error: /svidrequests: .*(socket hang up|ECONNRESET)/,
  },
];
for (const { name, reply, error } of answers) {
  test(`SVID request: ${name}`, async (context) => {
    const { obtain } = await subject(context, reply);
    await assert.rejects(obtain('csr'), error);
  });
}

test('a server that another authority vouches for is not asked', async (context) => {
  const { obtain, folder, received } = await subject(context, issues);
  const other = await openAuthority({
    folder: join(folder, 'other'),
    trustDomain: 'tutti.local',
    clock: systemClock(),
    log: silentLog(),
  });
  await writeFile(join(folder, 'ca.pem'), other.trustBundlePem);
  await assert.rejects(obtain('csr'), /svidrequests: .*(certificate|signature|verif)/);
  assert.equal(received.length, 0);
});

test('a missing token or CA file is named', async (context) => {
  const { server, folder } = await subject(context, issues);
  const signal = new AbortController().signal;
  const absent = join(folder, 'absent');
  const present = join(folder, 'token');
  await assert.rejects(svidClient({ server, caFile: present, tokenFile: absent })('csr', signal), /token ".*absent"/);
  await assert.rejects(
    svidClient({ server, caFile: absent, tokenFile: present })('csr', signal),
    /CA certificates ".*absent"/,
  );
});

test('an aborted request ends at once', async (context) => {
  const abort = new AbortController();
  const { obtain } = await subject(context, () => abort.abort(new Error('enough')));
  await assert.rejects(obtain('csr', abort.signal), /svidrequests/);
});

test('of several servers the next is asked when one does not answer', async (context) => {
  const { server, folder, authority } = await subject(context, issues);
  const { server: gone } = await subject(context, (_got, response) => void response.destroy());
  const files = { caFile: join(folder, 'ca.pem'), tokenFile: join(folder, 'token') };
  const { csrPem } = createKeyAndCsr(ID);
  const { signal } = new AbortController();
  const svid = await svidClient({ server: `${gone},${server}`, ...files })(csrPem, signal);
  assert.equal(svid.trustBundlePem, authority.trustBundlePem);
  await assert.rejects(svidClient({ server: `${gone},${gone}`, ...files })(csrPem, signal), /SVID request/);
});
