import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Cluster,
  type ClusterInput,
  UpstreamHttpOptions,
  type UpstreamHttpOptionsInput,
} from '../../../xds/messages.js';
import { outlierDetection } from '../../test-support/tables.ts';
import { decodeCluster } from './cluster.ts';

const NAME = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

test('a cluster’s HTTP options say what its endpoints are spoken to in', () => {
  const protocols: readonly (readonly [options: UpstreamHttpOptionsInput | undefined, protocol: string])[] = [
    [undefined, 'http1'],
    [{ explicitHttpConfig: { httpProtocolOptions: {} } }, 'http1'],
    [{ explicitHttpConfig: { http2ProtocolOptions: {} } }, 'http2'],
    [{ useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} } }, 'downstream'],
  ];
  for (const [options, protocol] of protocols) {
    const value = UpstreamHttpOptions.encode(options ?? {}).finish();
    const typed = options === undefined ? {} : { [NAME]: { typeUrl: UpstreamHttpOptions.getTypeUrl(), value } };
    const bytes = Cluster.encode({ name: 'app', typedExtensionProtocolOptions: typed }).finish();
    assert.equal(decodeCluster(bytes).config.protocol, protocol);
  }
});

test('a cluster’s connections may be as old as it says; as old as they like when it does not', () => {
  const ageOf = (options: UpstreamHttpOptionsInput) => {
    const value = UpstreamHttpOptions.encode(options).finish();
    const typed = { [NAME]: { typeUrl: UpstreamHttpOptions.getTypeUrl(), value } };
    return decodeCluster(Cluster.encode({ name: 'app', typedExtensionProtocolOptions: typed }).finish()).config
      .maxConnectionMs;
  };
  assert.equal(ageOf({ commonHttpProtocolOptions: { maxConnectionDuration: { seconds: 90 } } }), 90_000);
  assert.equal(ageOf({}), 0);
});

test('a cluster without outlier detection has none; an empty one has Envoy’s defaults', () => {
  const config = (input: ClusterInput) => decodeCluster(Cluster.encode(input).finish()).config;
  assert.equal(config({ name: 'app' }).outliers, undefined);
  assert.equal(config({ name: 'app' }).panicPercent, 50);
  assert.deepEqual(
    config({ name: 'app', outlierDetection: {} }).outliers,
    outlierDetection({ maxEjectionPercent: 10, enforcing: { success_rate: 100 } }),
  );
  const { outliers, panicPercent } = config({
    name: 'app',
    outlierDetection: {
      enforcingConsecutive_5xx: { value: 0 },
      consecutiveGatewayFailure: { value: 3 },
      baseEjectionTime: { seconds: 600 },
    },
    commonLbConfig: { healthyPanicThreshold: { value: 0 } },
  });
  assert.equal(panicPercent, 0);
  assert.equal(outliers?.enforcing.consecutive_5xx, 0);
  assert.equal(outliers?.consecutiveGatewayFailure, 3);
  assert.deepEqual([outliers?.baseEjectionMs, outliers?.maxEjectionMs], [600_000, 600_000]);
  assert.throws(
    () => config({ name: 'app', outlierDetection: { maxEjectionTime: { seconds: 1 } } }),
    /max_ejection_time: is below base_ejection_time/,
  );
});
