import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTracing } from './tracing-flags.ts';

test('a collector is a base URL, as for OpenTelemetry’s exporters, or the URL of traces itself', () => {
  const endpointOf = (tracingEndpoint: string) => readTracing({ tracingEndpoint, tracingSampling: '0.5' })?.endpoint;
  assert.equal(endpointOf('http://127.0.0.1:4318'), 'http://127.0.0.1:4318/v1/traces');
  assert.equal(endpointOf('https://otel.example/base/'), 'https://otel.example/base/v1/traces');
  assert.equal(endpointOf('http://127.0.0.1:4318/v1/traces'), 'http://127.0.0.1:4318/v1/traces');
  assert.equal(readTracing({ tracingSampling: '1' }), undefined);
});

for (const [flags, message] of [
  [{ tracingEndpoint: '127.0.0.1:4318', tracingSampling: '1' }, /--tracing-endpoint "127.0.0.1:4318": must be a URL/],
  [{ tracingEndpoint: 'grpc://a:4317', tracingSampling: '1' }, /--tracing-endpoint "grpc:\/\/a:4317": must be a URL/],
  [{ tracingSampling: '1.1' }, /--tracing-sampling "1.1": must be a number from 0 to 1/],
  [{ tracingSampling: '1%' }, /--tracing-sampling "1%": must be/],
  [{ tracingSampling: '' }, /--tracing-sampling "": must be/],
] as const) {
  test(`tracing flags ${JSON.stringify(flags)} are refused with what was wanted`, () => {
    assert.throws(() => readTracing(flags), message);
  });
}
