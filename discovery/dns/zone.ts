import type { ServicePort } from '../../api/kinds/service.ts';
import type { RegisteredEndpoint, RegisteredService, Registry } from '../registry/registry.ts';
import { reverseName } from './reverse-name.ts';
import { addressBytes } from './wire/address.ts';
import { type RecordData, type ResourceRecord, record } from './wire/message.ts';
import { isEncodable } from './wire/name.ts';

/** Every record that the Kubernetes DNS specification (1.0.1) asks for, at one moment. Built anew on change; never changed. */
export interface Zone {
  /** The cluster's domain, lower case. */
  readonly domain: string;
  /** By name, lower case. A name that only has names below it is here with no records. */
  readonly names: ReadonlyMap<string, readonly ResourceRecord[]>;
  /** What we speak for: a name at or below one of these that is not in `names` does not exist. */
  readonly authorities: readonly Authority[];
  /** False while not all is known yet: then nobody may be told that a name does not exist. */
  readonly complete: boolean;
}

export interface Authority {
  readonly origin: string;
  readonly soa: ResourceRecord;
}

export interface ZoneOptions {
  readonly domain: string;
  /** Rises with every zone that is built. */
  readonly serial: number;
  /** Where the zone is served: what its name server's name means. */
  readonly serverAddress: string;
  readonly complete: boolean;
}

/** The default of CoreDNS' kubernetes plugin, and the most that a client may be behind. */
export const TTL_SECONDS = 5;

const SCHEMA_VERSION = '1.0.1';

/** Pods and Services have loopback addresses; RFC 6303 section 4.2 has these names answered at home in any case. */
const LOOPBACK_ORIGIN = '127.in-addr.arpa';

/** Weights of SRV records share this (as in CoreDNS), so that N equal endpoints have 100/N each. */
const SRV_WEIGHT_SUM = 100;

export function buildZone(registry: Registry, options: ZoneOptions): Zone {
  const domain = options.domain.toLowerCase();
  const nameServer = `ns.dns.${domain}`;
  const authorities = [domain, LOOPBACK_ORIGIN].map((origin) => ({ origin, soa: soa(origin, nameServer, options) }));
  const names = new NameBook(authorities.map(({ origin }) => origin));
  for (const { origin, soa: start } of authorities) {
    names.addRecord(start);
    names.add(origin, { type: 'NS', target: nameServer });
  }
  names.addAddress(nameServer, options.serverAddress);
  names.add('1.0.0.127.in-addr.arpa', { type: 'PTR', target: 'localhost' });
  names.add(`dns-version.${domain}`, { type: 'TXT', texts: [SCHEMA_VERSION] });
  for (const branch of ['svc', 'pod']) names.addEmpty(`${branch}.${domain}`);
  for (const service of registry.services.values()) addService(names, service, domain);
  return { domain, names: names.records, authorities, complete: options.complete };
}

function addService(names: NameBook, service: RegisteredService, domain: string): void {
  const own = `${service.name}.${service.namespace}.svc.${domain}`.toLowerCase();
  const { reach } = service;
  if (reach.by === 'name') {
    names.add(own, { type: 'CNAME', target: reach.externalName.replace(/\.$/, '').toLowerCase() });
    return;
  }
  const endpoints = service.endpoints.filter(({ ready }) => ready || service.publishesNotReady);
  // Endpoints have names in every Service, headless or not: what a PTR answer tells can then be asked for.
  for (const endpoint of endpoints) {
    const name = endpointName(endpoint, own);
    names.addAddress(name, endpoint.address);
    names.addReverse(endpoint.address, name);
  }
  if (reach.by === 'address') {
    for (const address of reach.addresses) {
      names.addAddress(own, address);
      names.addReverse(address, own);
    }
    for (const port of service.ports) addSrv(names, port, own, [{ port: port.port, target: own }]);
    return;
  }
  for (const endpoint of endpoints) names.addAddress(own, endpoint.address);
  for (const port of service.ports) {
    const targets = endpoints.map((endpoint) => ({
      port: endpoint.ports.get(port.name ?? '') ?? port.port,
      target: endpointName(endpoint, own),
    }));
    addSrv(names, port, own, targets);
  }
}

interface SrvTarget {
  readonly port: number;
  readonly target: string;
}

/** Ports without a name have no SRV record (section 2.3.2). */
function addSrv(names: NameBook, { name, protocol }: ServicePort, own: string, targets: readonly SrvTarget[]): void {
  if (name === undefined || name === '') return;
  const unique = new Map(targets.map((each) => [`${each.target}:${each.port}`, each]));
  const weight = Math.max(1, Math.floor(SRV_WEIGHT_SUM / unique.size));
  for (const { port, target } of unique.values()) {
    names.add(`_${name}._${protocol}.${own}`.toLowerCase(), { type: 'SRV', priority: 0, weight, port, target });
  }
}

/** An endpoint without a hostname is told apart by its address, with dashes: the form of CoreDNS. */
function endpointName({ hostname, address }: RegisteredEndpoint, service: string): string {
  return `${hostname ?? address.replaceAll(/[.:]/g, '-')}.${service}`.toLowerCase();
}

function soa(origin: string, nameServer: string, { domain, serial }: ZoneOptions): ResourceRecord {
  return record(origin, TTL_SECONDS, {
    type: 'SOA',
    primary: nameServer,
    mailbox: `hostmaster.${domain.toLowerCase()}`,
    serial: serial >>> 0,
    refreshSeconds: 7200,
    retrySeconds: 1800,
    expireSeconds: 86_400,
    // How long an answer of "no such name" may be kept (RFC 2308 section 4).
    minimumSeconds: TTL_SECONDS,
  });
}

/** Records by name while a zone is built. Takes only what can go onto the wire. */
class NameBook {
  readonly records = new Map<string, ResourceRecord[]>();
  readonly #origins: readonly string[];

  constructor(origins: readonly string[]) {
    this.#origins = origins;
  }

  add(name: string, data: RecordData): void {
    this.addRecord(record(name, TTL_SECONDS, data));
  }

  addRecord(entry: ResourceRecord): void {
    if (!isEncodable(entry.name) || ('target' in entry.data && !isEncodable(entry.data.target))) return;
    this.addEmpty(entry.name);
    this.records.get(entry.name)?.push(entry);
  }

  addAddress(name: string, address: string): void {
    const length = addressBytes(address)?.length;
    if (length !== undefined) this.add(name, { type: length === 4 ? 'A' : 'AAAA', address });
  }

  addReverse(address: string, target: string): void {
    const name = reverseName(address);
    if (name !== undefined) this.add(name, { type: 'PTR', target });
  }

  /** Makes the name and those between it and its origin exist (RFC 8020: a name exists if one below it does). */
  addEmpty(name: string): void {
    if (this.records.has(name)) return;
    this.records.set(name, []);
    const origin = this.#origins.find((each) => name.endsWith(`.${each}`));
    if (origin !== undefined) this.addEmpty(name.slice(name.indexOf('.') + 1));
  }
}
