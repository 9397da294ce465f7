import type { Container } from '../../api/kinds/container.ts';
import { OUTBOUND_PROXY_PORT } from '../../api/meta/well-known.ts';
import { SOCKET_VARIABLE } from '../../certs/workload/spiffe-api/methods.ts';
import { variableName } from './service-variables.ts';

/** Container port to the port that the process gets: the annotation `tutti.dev/app-ports`. */
export type AppPorts = Readonly<Record<string, number>>;

/** Where SPIFFE libraries look for the Workload API. */
export function workloadApiVariables(address: string | undefined): Record<string, string> {
  return address === undefined ? {} : { [SOCKET_VARIABLE]: address };
}

/** `PORT` for the container's first port, `PORT_<NAME>` for each that has a name. */
export function portVariables({ ports = [] }: Pick<Container, 'ports'>, appPorts: AppPorts): Record<string, string> {
  const variables: Record<string, string> = {};
  const [first] = ports;
  const own = (port: number): string => String(appPorts[String(port)] ?? port);
  if (first !== undefined) variables['PORT'] = own(first.containerPort);
  for (const { name, containerPort } of ports) {
    if (name !== undefined) variables[`PORT_${variableName(name)}`] = own(containerPort);
  }
  return variables;
}

/**
 * Sends an app's outgoing HTTP through the sidecar: the variables that curl, Python, Go and, with NODE_USE_ENV_PROXY, Node
 * go by (nodejs.org/api/cli.html). What an app says to itself, over loopback or its
 * pod's own address, does not go there.
 *
 * gRPC goes by `http_proxy` alone, in lower case, and for `xds:` targets too (http_proxy.cc; grpc-js' http_proxy.ts): a pod whose gRPC clients
 * find their own way is not given that one.
 */
export function proxyVariables(
  podAddress: string,
  clients: 'for-all' | 'for-grpc' = 'for-all',
): Record<string, string> {
  const proxy = `http://${podAddress}:${OUTBOUND_PROXY_PORT}`;
  const none = `localhost,127.0.0.1,::1,${podAddress}`;
  return {
    HTTP_PROXY: proxy,
    ...(clients === 'for-all' ? { http_proxy: proxy } : {}),
    NO_PROXY: none,
    no_proxy: none,
    NODE_USE_ENV_PROXY: '1',
  };
}
