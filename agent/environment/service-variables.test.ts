import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Service, serviceKind } from '../../api/kinds/service.ts';
import { OUTBOUND_PORTS } from '../../api/meta/well-known.ts';
import { apiServerVariables, serviceVariables } from './service-variables.ts';

function service(name: string, spec: Record<string, unknown>, outbound?: Record<string, number>): Service {
  const annotations = outbound === undefined ? {} : { [OUTBOUND_PORTS]: JSON.stringify(outbound) };
  return serviceKind.schema.parse({ apiVersion: 'v1', kind: 'Service', metadata: { name, annotations }, spec });
}

const REDIS = service(
  'redis-primary',
  {
    clusterIP: '127.96.0.11',
    ports: [
      { name: 'main', port: 6379 },
      { name: 'p2', port: 8080, protocol: 'TCP' },
    ],
  },
  { main: 20001, p2: 20002 },
);

test('a Service is reached through the sidecar: its host is the pod, its ports are the sidecar’s', () => {
  assert.deepEqual(serviceVariables([REDIS], { podAddress: '127.64.0.1', hasSidecar: true }), {
    REDIS_PRIMARY_SERVICE_HOST: '127.64.0.1',
    REDIS_PRIMARY_SERVICE_PORT: '20001',
    REDIS_PRIMARY_SERVICE_PORT_MAIN: '20001',
    REDIS_PRIMARY_SERVICE_PORT_P2: '20002',
    REDIS_PRIMARY_PORT: 'tcp://127.64.0.1:20001',
    REDIS_PRIMARY_PORT_6379_TCP: 'tcp://127.64.0.1:20001',
    REDIS_PRIMARY_PORT_6379_TCP_PROTO: 'tcp',
    REDIS_PRIMARY_PORT_6379_TCP_PORT: '20001',
    REDIS_PRIMARY_PORT_6379_TCP_ADDR: '127.64.0.1',
    REDIS_PRIMARY_PORT_8080_TCP: 'tcp://127.64.0.1:20002',
    REDIS_PRIMARY_PORT_8080_TCP_PROTO: 'tcp',
    REDIS_PRIMARY_PORT_8080_TCP_PORT: '20002',
    REDIS_PRIMARY_PORT_8080_TCP_ADDR: '127.64.0.1',
  });
});

test('without a sidecar a Service is itself', () => {
  const variables = serviceVariables([REDIS], { podAddress: '127.64.0.1', hasSidecar: false });
  assert.deepEqual(
    [variables['REDIS_PRIMARY_SERVICE_HOST'], variables['REDIS_PRIMARY_SERVICE_PORT']],
    ['127.96.0.11', '6379'],
  );
});

test('a port without a name is found by its number; headless Services and such without a way have no variables', () => {
  const web = service('web', { clusterIP: '127.96.0.12', ports: [{ port: 80 }] }, { '80': 20003 });
  const headless = service('db', { clusterIP: 'None', ports: [{ port: 5432 }] });
  const unknown = service('new', { clusterIP: '127.96.0.13', ports: [{ port: 80 }] });
  const variables = serviceVariables([web, headless, unknown], { podAddress: '127.64.0.1', hasSidecar: true });
  assert.equal(variables['WEB_SERVICE_PORT'], '20003');
  assert.deepEqual(
    Object.keys(variables).filter((name) => !name.startsWith('WEB_')),
    [],
  );
});

test('the API server is found as in-cluster clients look for it', () => {
  const expected = {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: '6443',
    KUBERNETES_SERVICE_PORT_HTTPS: '6443',
  };
  assert.deepEqual(apiServerVariables('https://127.0.0.1:6443'), expected);
  assert.deepEqual(apiServerVariables('https://127.0.0.1:6443,https://127.0.0.2:6443'), expected);
  assert.equal(apiServerVariables('https://[::1]')['KUBERNETES_SERVICE_HOST'], '::1');
  assert.equal(apiServerVariables('https://api.test')['KUBERNETES_SERVICE_PORT'], '443');
});
