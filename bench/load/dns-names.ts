/** The cluster that the `dns` scenario asks about: the same names and addresses for each server, in its own language. */

const DOMAIN = 'cluster.local';

const SERVICES = 200;
const HEADLESS = 20;
const ENDPOINTS = 3;

export interface NamedService {
  readonly name: string;
  /** `name.default.svc.cluster.local`, no final dot. */
  readonly host: string;
  readonly address: string;
}

export interface NamedHeadless {
  readonly name: string;
  readonly host: string;
  readonly addresses: readonly string[];
}

export const services: readonly NamedService[] = Array.from({ length: SERVICES }, (_, at) => ({
  name: `web-${at}`,
  host: `web-${at}.default.svc.${DOMAIN}`,
  address: `127.96.1.${at}`,
}));

export const headless: readonly NamedHeadless[] = Array.from({ length: HEADLESS }, (_, at) => ({
  name: `db-${at}`,
  host: `db-${at}.default.svc.${DOMAIN}`,
  addresses: Array.from({ length: ENDPOINTS }, (_each, endpoint) => `127.64.${at}.${endpoint + 1}`),
}));

/** Port of every Service, named `http`. */
export const PORT = 80;

/**
 * What pods ask, in dnsperf's form: mostly addresses of Services, of each the AAAA record that is not there as well, now and then
 * endpoints, a port by name, and the names that a search list makes and nobody has.
 */
export function questions(): string {
  const lines: string[] = [];
  for (const [at, { host, name }] of services.entries()) {
    lines.push(`${host} A`, `${host} A`, `${host} AAAA`, `${name}.default.svc.default.svc.${DOMAIN} A`);
    const other = headless[at % HEADLESS];
    if (other !== undefined) lines.push(`${other.host} A`);
    lines.push(`_http._tcp.${host} SRV`);
  }
  return `${lines.join('\n')}\n`;
}
