import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { podKind } from '../../api/kinds/pod.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { ENDPOINT_TTL } from '../../api/meta/well-known.ts';
import {
  ClusterLoadAssignment,
  type DeltaDiscoveryRequestInput,
  type DeltaDiscoveryResponse,
  type DiscoveryRequestInput,
  type DiscoveryResponse,
  Resource as WrappedResource,
} from '../../xds/messages.js';
import { AggregatedDiscoveryService } from '../../xds/services.js';
import { TYPE_URL } from './resource.ts';
import { pod, service, slice } from './test-support/objects.ts';
import { type RunningXds, runningXds } from './test-support/running-xds.ts';

const NODE = { id: 'sidecar/default/web-1', userAgentName: 'envoy', userAgentVersion: '1.40.0' };
const TTL_FEATURES = ['xds.config.supports-resource-ttl', 'xds.config.supports-resource-in-sotw'];
const CATALOG = 'service/default/catalog/80';

describe('ADS over mTLS', { timeout: 180_000 }, () => {
  let running: RunningXds;
  let client: Client;

  before(async () => {
    running = await runningXds();
    const put = <T extends KubeObject>(kind: Kind<T>, ...objects: readonly T[]): void => {
      for (const object of objects) running.client.put(kind as unknown as Kind, object);
    };
    const catalog = pod('catalog-1', { at: 3, serviceAccount: 'catalog' });
    put(podKind, pod('web-1'), catalog);
    put(serviceKind, service('catalog', { annotations: { [ENDPOINT_TTL]: '2s' } }), service('web'));
    put(endpointSliceKind, slice('catalog', [catalog]));
    const { privateKeyPem, certificateChainPem, trustBundlePem } = running.issue(
      'spiffe://tutti.local/ns/default/sa/default',
    );
    const secure = credentials.createSsl(
      Buffer.from(trustBundlePem),
      Buffer.from(privateKeyPem),
      Buffer.from(certificateChainPem),
      { checkServerIdentity: () => undefined },
    );
    client = new Client(`127.0.0.1:${running.xds.port}`, secure, {
      'grpc.ssl_target_name_override': 'control.tutti.internal',
    });
  });
  after(async () => {
    client.close();
    await running.close();
  });

  const delta = (): ClientDuplexStream<DeltaDiscoveryRequestInput, DeltaDiscoveryResponse> => {
    const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.deltaAggregatedResources;
    return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  };
  const sotw = (): ClientDuplexStream<DiscoveryRequestInput, DiscoveryResponse> => {
    const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.streamAggregatedResources;
    return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  };
  const next = async <T>(stream: EventEmitter): Promise<T> => {
    const [value] = (await once(stream, 'data')) as [T];
    return value;
  };
  const end = (stream: Pick<ClientDuplexStream<unknown, unknown>, 'cancel'> & EventEmitter): void => {
    stream.on('error', () => {});
    stream.cancel();
  };

  test('an incremental client gets resources by name and version, and is told at once what does not exist', async () => {
    const stream = delta();
    stream.write({ node: NODE, typeUrl: TYPE_URL.endpoints, resourceNamesSubscribe: [CATALOG, 'no-such'] });
    const response = await next<DeltaDiscoveryResponse>(stream);
    const [resource] = response.resources;
    assert.equal(resource?.name, CATALOG);
    assert.match(resource?.version ?? '', /^[\da-f]{16}$/);
    assert.equal(ClusterLoadAssignment.decode(resource?.resource?.value ?? new Uint8Array()).clusterName, CATALOG);
    assert.deepEqual(response.removedResources, ['no-such']);
    assert.equal(resource?.ttl, null, 'this client has not said that it can forget');
    end(stream);
  });

  test('endpoints with a time to live: told to who can forget, with heartbeats of no body, incrementally', async () => {
    const stream = delta();
    const node = { ...NODE, clientFeatures: TTL_FEATURES };
    stream.write({ node, typeUrl: TYPE_URL.endpoints, resourceNamesSubscribe: [CATALOG] });
    const first = await next<DeltaDiscoveryResponse>(stream);
    assert.equal(first.resources[0]?.ttl?.seconds, 2);
    stream.write({ typeUrl: TYPE_URL.endpoints, responseNonce: first.nonce });
    const heartbeat = await next<DeltaDiscoveryResponse>(stream);
    const [alive] = heartbeat.resources;
    assert.deepEqual([alive?.name, alive?.version, alive?.resource], [CATALOG, first.resources[0]?.version, null]);
    assert.equal(alive?.ttl?.seconds, 2);
    end(stream);
  });

  test('the same in state-of-the-world, wrapped; a client that cannot read the wrapper gets none', async () => {
    const [knows, plain] = [sotw(), sotw()];
    const request = { typeUrl: TYPE_URL.endpoints, resourceNames: [CATALOG] };
    knows.write({ ...request, node: { ...NODE, clientFeatures: TTL_FEATURES } });
    plain.write({ ...request, node: NODE });
    const [wrapped] = (await next<DiscoveryResponse>(knows)).resources;
    const [bare] = (await next<DiscoveryResponse>(plain)).resources;
    assert.equal(wrapped?.typeUrl, WrappedResource.getTypeUrl());
    const resource = WrappedResource.decode(wrapped.value);
    assert.deepEqual([resource.name, resource.ttl?.seconds], [CATALOG, 2]);
    assert.equal(bare?.typeUrl, TYPE_URL.endpoints);
    for (const stream of [knows, plain]) end(stream);
  });

  for (const [variant, open] of [
    ['state-of-the-world', sotw],
    ['incremental', delta],
  ] as const) {
    test(`a request without a type is refused, one for an unknown type is not, ${variant}`, async () => {
      const stream = open() as ClientDuplexStream<{ node?: typeof NODE; typeUrl: string }, unknown>;
      const unknown = 'type.googleapis.com/envoy.service.runtime.v3.Runtime';
      stream.write({ node: NODE, typeUrl: unknown });
      stream.write({ typeUrl: TYPE_URL.cluster });
      assert.equal((await next<{ typeUrl: string }>(stream)).typeUrl, TYPE_URL.cluster, 'its other types go on');
      const failed = once(stream, 'error') as Promise<[ServiceError]>;
      stream.write({ typeUrl: '' });
      const [error] = await failed;
      assert.equal(error.code, status.INVALID_ARGUMENT);
      assert.match(error.details, /type_url is missing/);
    });
  }
});

test('a port that is taken ends in an error that has the code and says which port', async () => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as net.AddressInfo;
  await assert.rejects(runningXds({ port }), (error: NodeJS.ErrnoException) => {
    assert.equal(error.code, 'EADDRINUSE');
    assert.equal(error.message, `bind xDS on 127.0.0.1:${port}: the port is in use`);
    return true;
  });
  other.close();
});
