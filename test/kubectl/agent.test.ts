import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { Draft } from '../../api/client/client.ts';
import { type Node, nodeKind } from '../../api/kinds/node.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import type { IssuedCredentials } from '../../certs/authority/authority.ts';
import { startTestApiServer, TEST_TRUST_DOMAIN, type TestApiServer } from '../support/api-server.ts';
import { needs } from '../support/programs.ts';
import { Kubectl } from './kubectl.ts';

let api: TestApiServer;
let kubectl: Kubectl;
let agent: AgentStandIn;
let impostor: AgentStandIn;

interface AgentStandIn {
  readonly port: number;
  readonly server: Server;
  readonly asked: { readonly url: string; readonly by: string }[];
  /** What follows a log that is followed. */
  readonly followers: Set<ServerResponse>;
}

/** What a real agent answers, with a real certificate, of pods that do not run. */
async function startAgent(credentials: IssuedCredentials): Promise<AgentStandIn> {
  const asked: { url: string; by: string }[] = [];
  const followers = new Set<ServerResponse>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
    asked.push({ url: request.url ?? '', by: String(CN) });
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://agent');
    if (pathname === '/stats/summary') {
      const usage = { name: 'app', cpuNanoCores: 250_000_000, memoryWorkingSetBytes: 64 * 1024 * 1024 };
      const pods = [{ namespace: 'default', name: 'web', containers: [usage] }];
      response.end(JSON.stringify({ node: { ...usage, name: 'one', cpuNanoCores: 500_000_000 }, pods }));
    } else if (pathname !== '/containerLogs/default/web/app') response.writeHead(404).end(`not found: ${pathname}`);
    else if (searchParams.get('previous') === 'true')
      response.writeHead(400).end('previous terminated container "app" not found');
    else if (searchParams.get('follow') === 'true') {
      response.write('first line\n');
      followers.add(response.once('close', () => followers.delete(response)));
    } else response.end('first line\nsecond line\n');
  };
  const server = createServer(
    {
      cert: credentials.certificateChainPem,
      key: credentials.privateKeyPem,
      ca: api.authority.trustBundlePem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    answer,
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server, asked, followers };
}

function nodeDraft(name: string, port: number): Draft<Node> {
  const draft = {
    metadata: { name },
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      capacity: { cpu: '2', memory: '128Mi' },
      allocatable: { cpu: '2', memory: '128Mi' },
    },
  };
  return draft as unknown as Draft<Node>;
}

function podDraft(name: string, nodeName?: string): Draft<Pod> {
  const spec = { containers: [{ name: 'app', image: 'shop/web:v1' }], ...(nodeName === undefined ? {} : { nodeName }) };
  return { metadata: { name, namespace: 'default' }, spec } as unknown as Draft<Pod>;
}

before(async () => {
  api = await startTestApiServer();
  kubectl = new Kubectl(api);
  const names = { dnsNames: [], ipAddresses: ['127.0.0.1'] };
  agent = await startAgent(
    api.authority.issueServing({ ...names, spiffeId: `spiffe://${TEST_TRUST_DOMAIN}/tutti/agent/one` }),
  );
  impostor = await startAgent(
    api.authority.issueServing({ ...names, spiffeId: `spiffe://${TEST_TRUST_DOMAIN}/ns/default/sa/web` }),
  );
  await api.client.create(nodeKind, nodeDraft('one', agent.port));
  await api.client.create(nodeKind, nodeDraft('two', impostor.port));
  await api.client.create(podKind, podDraft('web', 'one'));
  await api.client.create(podKind, podDraft('waiting'));
  await api.client.create(podKind, podDraft('elsewhere', 'two'));
});

after(async () => {
  for (const { server } of [agent, impostor]) {
    server.closeAllConnections();
    server.close();
  }
  await api.close();
});

test('logs come from the agent of the node, asked as the control plane', needs('kubectl'), async () => {
  assert.equal(await kubectl.ok('logs web --tail=5 --timestamps'), 'first line\nsecond line\n');
  assert.deepEqual(agent.asked.at(-1), {
    url: '/containerLogs/default/web/app?timestamps=true&tailLines=5',
    by: 'system:tutti:control',
  });
});

test(
  'logs -f shows lines as they are written, and leaving ends the request to the agent',
  needs('kubectl'),
  async () => {
    const following = kubectl.start('logs -f web');
    await following.prints('first line');
    for (const response of agent.followers) response.write('later line\n');
    await following.prints('later line');
    const [open] = agent.followers;
    const closed = open === undefined ? Promise.resolve() : once(open, 'close');
    await following.stop();
    await closed;
    assert.equal(agent.followers.size, 0);
  },
);

test("the agent's refusals are passed on in its words", needs('kubectl'), async () => {
  assert.match(await kubectl.refused('logs web --previous'), /previous terminated container "app" not found/);
  assert.match(await kubectl.refused('logs web -c other'), /container other is not (valid|found)/);
  assert.match(await kubectl.refused('logs missing'), /pods "missing" not found/);
});

test('a pod that nobody runs has no log yet', needs('kubectl'), async () => {
  assert.equal(await kubectl.ok('logs waiting'), '');
});

test('an agent that cannot prove to be of the node is not believed', needs('kubectl'), async () => {
  assert.match(await kubectl.refused('logs elsewhere'), /its certificate is not of the agent of "two"/);
  assert.equal(impostor.asked.length, 0);
});

test('top shows what agents measure, and leaves out who does not answer', needs('kubectl'), async () => {
  const nodes = await kubectl.ok('top nodes');
  assert.match(nodes, /^one +500m +25% +64Mi +50%/m);
  assert.match(await kubectl.ok('top pods --containers'), /^web +app +250m +64Mi/m);
});
