import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { meshServerName } from '../../api/meta/well-known.ts';
import { openAuthority } from '../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { eventually } from '../support/eventually.ts';
import { needs, program } from '../support/programs.ts';
import { copyShop, killAll, type RunningShop, startShop, TEST_FLAGS, TEST_NODE_FLAGS } from '../support/shop.ts';
import { processesNaming, run, startTutti, tutti } from '../support/tutti-process.ts';

let shop: RunningShop;

before(async () => {
  shop = await startShop();
});

after(async () => {
  await shop?.stop();
});

test('the shop answers at the ingress, whole: every service behind the page has answered', async () => {
  // A part that has not answered in time, on a machine that is held up, is left out of that one page.
  const page = await eventually('a page with nothing left out', async () => {
    const response = await fetch(`${shop.url}/`);
    return response.status === 200 && response.headers.get('x-degraded') === null ? await response.text() : undefined;
  });
  assert.match(page, /<html/);
});

test('the start ends with a table of services and the three things to try next', () => {
  const printed = shop.up.stdout();
  for (const service of ['frontend', 'catalog', 'catalog-v2', 'cart', 'reviews']) {
    assert.match(printed, new RegExp(`^default +${service} +\\d+/\\d+ +127\\.\\d+\\.\\d+\\.\\d+ +80 `, 'm'));
  }
  assert.match(printed, new RegExp(`http://localhost:${shop.port}/`));
  assert.match(printed, /tutti canary catalog --to catalog-v2 --weight 10/);
  assert.match(printed, /kubectl --kubeconfig .*kubeconfig get pods/);
});

test(
  'a service in Python joins the mesh as it is, and the callee sees its SPIFFE identity',
  needs('python3'),
  async () => {
    const image = join(shop.manifests, 'images', 'visitor');
    await mkdir(image, { recursive: true });
    await writeFile(
      join(image, 'Dockerfile'),
      'FROM python:3-slim\nWORKDIR /app\nCOPY . .\nCMD ["python3", "visitor.py"]\n',
    );
    await writeFile(join(image, 'visitor.py'), PYTHON_SERVICE);
    await writeFile(join(shop.folder, 'visitor.yaml'), PYTHON_MANIFEST);
    const applied = await shop.tutti('apply', '-f', 'visitor.yaml');
    assert.equal(applied.code, 0, applied.stderr);
    const rolled = await shop.tutti('rollout', 'status', 'deployment/visitor', '--timeout', '120s');
    assert.equal(rolled.code, 0, rolled.stdout + rolled.stderr);
    const body = await eventually('the Python service answers through the ingress', async () => {
      const response = await fetch(`${shop.url}/visitor`);
      return response.status === 200
        ? ((await response.json()) as Record<string, { headers: Record<string, string> }>)
        : undefined;
    });
    assert.equal(
      body['caller']?.headers['x-forwarded-client-cert']?.includes(
        'URI=spiffe://tutti.local/ns/tutti-system/sa/ingress',
      ),
      true,
      JSON.stringify(body),
    );
    const seen = body['catalog']?.headers['x-forwarded-client-cert'] ?? '';
    assert.match(seen, /By=spiffe:\/\/tutti\.local\/ns\/default\/sa\/catalog/);
    assert.match(seen, /URI=spiffe:\/\/tutti\.local\/ns\/default\/sa\/visitor/);
    const byVariable = body['by_variable']?.headers['x-forwarded-client-cert'] ?? '';
    assert.match(byVariable, /URI=spiffe:\/\/tutti\.local\/ns\/default\/sa\/visitor/);
  },
);

/** Where a pod of an app has its mesh port. */
async function meshAddress(app: string): Promise<{ readonly host: string; readonly port: number }> {
  const { stdout } = await shop.tutti('get', 'pods', '-l', `app=${app}`, '-o', 'json');
  const { items } = JSON.parse(stdout) as { items: { metadata: { annotations: Record<string, string> } }[] };
  const [host = '', port = ''] = (items[0]?.metadata.annotations['tutti.dev/mesh-address'] ?? '').split(':');
  return { host, port: Number(port) };
}

/** However it ends: once() fails when it is reset, which is as good an end. */
function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.on('close', resolve));
}

test('a mesh port gives no answer to plaintext', async () => {
  const { host, port } = await meshAddress('cart');
  const socket = connectPlain(port, host);
  socket.end('GET /cart HTTP/1.1\r\nHost: cart\r\n\r\n');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  await closed(socket);
  assert.doesNotMatch(Buffer.concat(chunks).toString('latin1'), /^HTTP/);
});

for (const [name, trustDomain, spiffeId] of [
  ['of another trust domain', 'other.example', 'spiffe://other.example/ns/default/sa/frontend'],
  ['of another authority with our trust domain', 'tutti.local', 'spiffe://tutti.local/ns/default/sa/frontend'],
] as const) {
  test(`a mesh port refuses a certificate ${name}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-stranger-'));
    try {
      const stranger = await openAuthority({
        folder: join(folder, 'ca'),
        trustDomain,
        clock: systemClock(),
        log: silentLog(),
      });
      const { csrPem, privateKeyPem } = createKeyAndCsr(spiffeId);
      const { certificateChainPem } = stranger.issueSvid({ csrPem, spiffeId });
      const { host, port } = await meshAddress('cart');
      const socket = connectTls({
        host,
        port,
        servername: meshServerName(8080),
        cert: certificateChainPem,
        key: privateKeyPem,
        rejectUnauthorized: false,
      });
      let answer = '';
      socket.on('secureConnect', () => socket.write('GET /cart HTTP/1.1\r\nHost: cart\r\n\r\n'));
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1'))).on('error', () => undefined);
      await closed(socket);
      assert.equal(answer, '');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test('kubectl works with the kubeconfig that the start wrote', needs('kubectl'), async () => {
  const { code, stdout, stderr } = await run(
    program('kubectl'),
    ['--kubeconfig', shop.kubeconfig, 'get', 'deployments'],
    { cwd: shop.folder },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^frontend +2\/2 +2 +2 /m);
});

test('dig finds services at the node, by UDP and TCP', needs('dig'), async () => {
  const [, dnsPort = ''] = /DNS at 127\.0\.0\.1:(\d+)/.exec(shop.up.stderr()) ?? [];
  const service = JSON.parse((await shop.tutti('get', 'service', 'catalog', '-o', 'json')).stdout) as {
    spec: { clusterIP: string };
  };
  for (const over of ['+notcp', '+tcp']) {
    const { stdout } = await run(
      program('dig'),
      [`@127.0.0.1`, '-p', dnsPort, over, '+short', 'catalog.default.svc.cluster.local'],
      { cwd: shop.folder },
    );
    assert.equal(stdout.trim(), service.spec.clusterIP);
  }
  const srv = await run(
    program('dig'),
    ['@127.0.0.1', '-p', dnsPort, '+short', '_http._tcp.catalog.default.svc.cluster.local', 'SRV'],
    { cwd: shop.folder },
  );
  assert.match(srv.stdout, /^0 \d+ 80 catalog\.default\.svc\.cluster\.local\.$/m);
  const own = await shop.tutti('dns', 'catalog', '--server', `127.0.0.1:${dnsPort}`, '-o', 'json');
  assert.deepEqual(JSON.parse(own.stdout), [
    { name: 'catalog.default.svc.cluster.local', type: 'A', data: service.spec.clusterIP },
  ]);
});

test('a second start in the same folder is refused, and the first goes on', async () => {
  const second = await tutti(['up', '-f', 'shop', ...TEST_FLAGS, ...TEST_NODE_FLAGS], { cwd: shop.folder });
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`in use by another tutti \\(process ${shop.up.pid}\\)`));
  assert.equal((await fetch(`${shop.url}/api/products`)).status, 200);
});

test('Ctrl-C stops everything that was started, and starting again goes on from what was stored', async () => {
  const uidOf = async (): Promise<string> =>
    (
      JSON.parse((await shop.tutti('get', 'deployment', 'frontend', '-o', 'json')).stdout) as {
        metadata: { uid: string };
      }
    ).metadata.uid;
  const scaled = await shop.tutti('scale', 'deployment/reviews', '--replicas', '1', '--wait');
  assert.equal(scaled.code, 0, scaled.stderr);
  const uid = await uidOf();
  shop.up.signal('SIGINT');
  assert.equal(await shop.up.exited, 130, shop.up.stderr());
  assert.deepEqual(processesNaming(shop.folder), []);

  const again = startTutti(['up', ...TEST_FLAGS, ...TEST_NODE_FLAGS, '--images', 'shop/images'], { cwd: shop.folder });
  shop = {
    ...shop,
    up: again,
    stop: async () => {
      again.signal('SIGINT');
      await again.exited;
      await killAll(shop.folder);
      await shop.remove();
    },
  };
  await again.printed('Try next:');
  assert.equal(await uidOf(), uid);
  const reviews = JSON.parse((await shop.tutti('get', 'deployment', 'reviews', '-o', 'json')).stdout) as {
    spec: { replicas: number };
  };
  assert.equal(reviews.spec.replicas, 1);
  await eventually(
    'the shop answers again',
    async () => (await fetch(`${shop.url}/api/products`)).status === 200 || undefined,
  );
});

test('a port in use is told before anything starts', async () => {
  const taken = createServer().listen(0, '0.0.0.0');
  await once(taken, 'listening');
  const copy = await copyShop();
  try {
    const port = (taken.address() as { port: number }).port;
    for (const [flags, change] of [
      [['--api-port', String(port), '--xds-port', '0'], '--api-port'],
      [['--api-port', '0', '--xds-port', String(port)], '--xds-port'],
    ] as const) {
      const { code, stderr } = await tutti(['up', '-f', 'shop', ...flags, ...TEST_NODE_FLAGS], { cwd: copy.folder });
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`port ${port} \\(.*\\): in use`));
      assert.match(stderr, new RegExp(change));
    }
    await copy.edit('gateway.yaml', (text) => text.replace(`port: ${copy.port}`, `port: ${port}`));
    const { code, stderr } = await tutti(['up', '-f', 'shop', ...TEST_FLAGS, ...TEST_NODE_FLAGS], { cwd: copy.folder });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`port ${port} \\(Gateway shop, listener http\\): in use`));
    assert.deepEqual(processesNaming(copy.folder), []);
  } finally {
    taken.close();
    await copy.remove();
  }
});

const PYTHON_SERVICE = `
import json, os, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def headers_of(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)

class Visitor(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        host, port = os.environ['CATALOG_SERVICE_HOST'], os.environ['CATALOG_SERVICE_PORT']
        no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        seen = {'caller': {'headers': {name.lower(): value for name, value in self.headers.items()}}}
        if self.path.startswith('/visitor'):
            seen['catalog'] = headers_of('http://catalog/headers')
            with no_proxy.open(f'http://{host}:{port}/headers', timeout=5) as answer:
                seen['by_variable'] = json.load(answer)
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Visitor).serve_forever()
`;

const PYTHON_MANIFEST = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: visitor }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: visitor }
spec:
  selector: { matchLabels: { app: visitor } }
  template:
    metadata: { labels: { app: visitor } }
    spec:
      serviceAccountName: visitor
      containers:
        - name: visitor
          image: visitor
          ports: [{ name: http, containerPort: 8000 }]
          readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: visitor }
spec:
  selector: { app: visitor }
  ports: [{ name: http, port: 80, targetPort: http }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: visitor }
spec:
  parentRefs: [{ name: shop }]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /visitor } }]
      backendRefs: [{ name: visitor, port: 80 }]
`;
