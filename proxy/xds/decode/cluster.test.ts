import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, UpstreamHttpOptions, type UpstreamHttpOptionsInput } from '../../../xds/messages.js';
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
