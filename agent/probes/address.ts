import type { ProbeTarget } from './handlers.ts';

export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Where a probe goes: the container's own port on the node, or, when the probe names a host, that host and the port as it is.
 * Throws when the container has no port of that name: the probe cannot be made.
 */
export function probeAddress(
  { host, port }: { readonly host?: string | undefined; readonly port: number | string },
  target: ProbeTarget,
): ProbeAddress {
  if (host !== undefined && host !== '' && typeof port === 'number') return { host, port };
  const mapped = target.port(port);
  if (mapped === undefined) throw new Error(`the container has no port named "${port}"`);
  return { host: host !== undefined && host !== '' ? host : target.address, port: mapped };
}

/** Go's net.JoinHostPort. */
export function joinHostPort({ host, port }: ProbeAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
