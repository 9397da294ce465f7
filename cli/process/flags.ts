import { isIP } from 'node:net';
import { availableParallelism, hostname, networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Invitation } from '../../agent/join/join.ts';
import type { TracingSettings } from '../../agent/sidecar/tracing.ts';
import { isCaPin } from '../../api/client/ca-pin.ts';
import { dnsSubdomain } from '../../api/meta/names.ts';
import { DEFAULT_TRUST_DOMAIN } from '../../api/meta/well-known.ts';
import { readConcurrency } from '../../proxy/workers/concurrency.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';
import { readTracing, type TracingFlags, tracingFlags } from './tracing-flags.ts';

/** Flags of the commands that are processes, as given and as read. `tutti up` takes those of control plane and agent. */

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface SharedFlags {
  readonly data: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly trustDomain: string;
  readonly svidTtl: string;
  readonly logLevel: string;
  readonly logFormat: string;
}

export interface ControlFlags extends SharedFlags {
  readonly apiPort: string;
  readonly xdsPort: string;
  readonly encryptionKey?: string;
  readonly bindAddress: string;
  readonly advertiseAddress?: string;
  readonly tlsSan?: string[];
  readonly store?: string;
  readonly storeKey?: string;
}

/** Of `tutti agent` alone: how it comes to a cluster elsewhere. */
export interface JoinFlags {
  readonly join?: string;
  readonly token?: string;
  readonly caCertHash?: string[];
  readonly certificateTtl: string;
}

export interface AgentFlags extends SharedFlags, TracingFlags {
  readonly images?: string[];
  readonly dnsPort: string;
  readonly dnsUpstream?: string[];
  readonly ingress: boolean;
  readonly ingressConcurrency: string;
}

export function sharedFlags(command: Command): Command {
  return command
    .option('--data <folder>', 'where all state is kept', '.tutti')
    .option('--node-name <name>', 'name of this node', hostname().toLowerCase())
    .option('--node-address <address>', 'address at which other nodes reach this one', '127.0.0.1')
    .option('--trust-domain <name>', 'trust domain of the identities in the mesh', DEFAULT_TRUST_DOMAIN)
    .option('--svid-ttl <duration>', 'how long a workload certificate is valid; renewed at half of it', '24h')
    .option('--log-level <level>', LOG_LEVELS.join(', '), 'warn')
    .option('--log-format <format>', 'text or json', 'text');
}

export function controlFlags(command: Command): Command {
  return command
    .option('--api-port <port>', "the API server's port; 0 lets the system choose", '6443')
    .option('--xds-port <port>', "the xDS server's port; 0 lets the system choose", '6444')
    .option(
      '--bind-address <address>',
      'where API server and xDS server listen; 0.0.0.0 for every address',
      '127.0.0.1',
    )
    .option(
      '--tls-san <name...>',
      'further addresses and names for its certificate, such as those of other control planes that share the store',
    )
    .option(
      '--advertise-address <address>',
      "address or host name at which agents and people reach them (default: the one bound, or the machine's first)",
    )
    .option(
      '--encryption-key <file>',
      'keys for the Secrets in the store (default: encryption.key in the data folder, made when missing)',
    );
}

/** For control planes that share a store: one leads, the others stand by. */
export function storeFlags(command: Command): Command {
  return command
    .addOption(
      // From the environment a password stays out of the list of processes.
      new Option(
        '--store <url>',
        'a Redis that several control planes share: redis://[user:password@]host[:port][/db], rediss://…, unix:///path (default: the file store.db in the data folder)',
      ).env('TUTTI_STORE'),
    )
    .option(
      '--store-key <file>',
      "what opens the cluster's certificate authority in the shared store; the same on every control plane (default: store.key in the data folder)",
    );
}

export function agentFlags(command: Command): Command {
  return tracingFlags(command)
    .option('--images <folder...>', 'where image folders are looked up')
    .option('--dns-port <port>', "the DNS server's port on 127.0.0.1; 0 lets the system choose", '10053')
    .option(
      '--dns-upstream <address...>',
      'servers for names outside the cluster, address or address:port (default: those of /etc/resolv.conf)',
    )
    .option('--no-ingress', 'start no ingress proxy on this node')
    .option('--ingress-concurrency <n>', 'worker threads of the ingress, or "auto" for one on each core', '1');
}

export function joinFlags(command: Command): Command {
  return command
    .option('--join <url>', 'join the cluster of this API server, such as https://192.0.2.1:6443')
    .option('--token <token>', 'join token of "tutti token create"; needed until the node has joined')
    .option('--ca-cert-hash <pin...>', "sha256:<hex> of the public key of the cluster's CA")
    .option('--certificate-ttl <duration>', "how long the node's own certificate is valid; renewed by itself", '720h');
}

export interface SharedSettings {
  readonly stateFolder: string;
  /** The node of this machine: the agent's own, and the one that a control plane here writes credentials for. */
  readonly node: { readonly name: string; readonly address: string };
  readonly trustDomain: string;
  readonly svidTtlSeconds: number;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
}

export interface ControlSettings extends SharedSettings {
  readonly apiPort: number;
  readonly xdsPort: number;
  readonly encryptionKey: string | undefined;
  readonly bindAddress: string;
  readonly advertiseAddress: string;
  readonly tlsNames: readonly string[];
  /** URL of a store that several control planes share; the one in the state folder when missing. */
  readonly storeUrl: string | undefined;
  readonly storeKeyPath: string | undefined;
}

export interface JoinSettings {
  readonly invitation: Invitation | undefined;
  readonly certificateTtlSeconds: number;
}

export interface AgentSettings extends SharedSettings {
  readonly imageRoots: readonly string[];
  readonly dnsPort: number;
  /** Undefined: those that the machine itself asks. */
  readonly dnsUpstreams: readonly AddressAndPort[] | undefined;
  /** Undefined: none on this node. */
  readonly ingress: { readonly workers: number } | undefined;
  readonly tracing: TracingSettings | undefined;
}

// Below this a certificate would be renewed more often than a proxy can be told.
const SHORTEST_SVID_TTL_MS = 10_000;

function readShared(flags: SharedFlags, cwd: string): SharedSettings {
  const logLevel = LOG_LEVELS.find((level) => level === flags.logLevel);
  if (logLevel === undefined) throw usage(`--log-level "${flags.logLevel}": must be one of ${LOG_LEVELS.join(', ')}`);
  if (flags.logFormat !== 'text' && flags.logFormat !== 'json')
    throw usage(`--log-format "${flags.logFormat}": must be text or json`);
  const ttlMs = parseDuration('--svid-ttl', flags.svidTtl);
  if (ttlMs < SHORTEST_SVID_TTL_MS)
    throw usage(`--svid-ttl "${flags.svidTtl}": must be at least ${SHORTEST_SVID_TTL_MS / 1000}s`);
  if (!/^[a-z\d._-]+$/.test(flags.trustDomain)) {
    throw usage(
      `--trust-domain "${flags.trustDomain}": must be lower-case letters, digits, dots, dashes and underscores (SPIFFE ID, section 2.1)`,
    );
  }
  return {
    stateFolder: resolve(cwd, flags.data),
    node: { name: flags.nodeName, address: flags.nodeAddress },
    trustDomain: flags.trustDomain,
    svidTtlSeconds: Math.floor(ttlMs / 1000),
    logLevel,
    logFormat: flags.logFormat,
  };
}

export function readControl(flags: ControlFlags, cwd: string): ControlSettings {
  const { bindAddress } = flags;
  if (isIP(bindAddress) === 0) throw usage(`--bind-address "${bindAddress}": must be an IP address`);
  const advertiseAddress = flags.advertiseAddress ?? reachableAddress(bindAddress);
  if (isIP(advertiseAddress) === 0 && dnsSubdomain(advertiseAddress).length > 0)
    throw usage(`--advertise-address "${advertiseAddress}": must be an IP address or a host name`);
  return {
    bindAddress,
    advertiseAddress,
    tlsNames: flags.tlsSan ?? [],
    ...readShared(flags, cwd),
    apiPort: parsePort('--api-port', flags.apiPort),
    xdsPort: parsePort('--xds-port', flags.xdsPort),
    encryptionKey: flags.encryptionKey === undefined ? undefined : resolve(cwd, flags.encryptionKey),
    storeUrl: flags.store,
    storeKeyPath: flags.storeKey === undefined ? undefined : resolve(cwd, flags.storeKey),
  };
}

export function readAgent(flags: AgentFlags, cwd: string): AgentSettings {
  return {
    ...readShared(flags, cwd),
    imageRoots: (flags.images ?? []).map((folder) => resolve(cwd, folder)),
    dnsPort: parsePort('--dns-port', flags.dnsPort),
    dnsUpstreams: flags.dnsUpstream?.map((given) => parseUpstream('--dns-upstream', given)),
    ingress: flags.ingress ? { workers: parseWorkers(flags.ingressConcurrency) } : undefined,
    tracing: readTracing(flags),
  };
}

/** Below this a certificate would be renewed without pause. */
const SHORTEST_CERTIFICATE_TTL_MS = 10_000;

export function readJoin({ join, token, caCertHash = [], certificateTtl }: JoinFlags): JoinSettings {
  const ttlMs = parseDuration('--certificate-ttl', certificateTtl);
  if (ttlMs < SHORTEST_CERTIFICATE_TTL_MS)
    throw usage(`--certificate-ttl "${certificateTtl}": must be at least ${SHORTEST_CERTIFICATE_TTL_MS / 1000}s`);
  const settings = { certificateTtlSeconds: Math.floor(ttlMs / 1000) };
  if (join === undefined) {
    if (token !== undefined || caCertHash.length > 0)
      throw usage('--token and --ca-cert-hash: are for --join; "tutti token create" prints the whole command');
    return { ...settings, invitation: undefined };
  }
  const url = URL.parse(join.includes('://') ? join : `https://${join}`);
  if (url?.protocol !== 'https:' || url.hostname === '' || url.pathname !== '/')
    throw usage(`--join "${join}": must be the address of an API server, such as https://192.0.2.1:6443`);
  if (token !== undefined && !/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(token))
    throw usage('--token: must have the form abcdef.0123456789abcdef');
  const bad = caCertHash.find((pin) => !isCaPin(pin));
  if (bad !== undefined) throw usage(`--ca-cert-hash "${bad}": must be sha256: and 64 hexadecimal digits`);
  if (caCertHash.length === 0)
    throw usage(
      '--join: needs --ca-cert-hash, or anybody could pretend to be the cluster; "tutti token create" prints it',
    );
  return { ...settings, invitation: { server: url.origin, token, pins: caCertHash } };
}

/** The address itself, or for all of them the first one that other machines can reach. */
function reachableAddress(bound: string): string {
  if (bound !== '0.0.0.0' && bound !== '::') return bound;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** `https://a:6443,https://b:6443` */
export function readServers(given: string | undefined): readonly string[] {
  const servers = given === undefined ? [] : given.split(',').map((server) => server.trim());
  for (const server of servers) {
    if (!server.startsWith('https://') || !URL.canParse(server))
      throw usage(`--servers "${server}": must be https://host:port, several with commas between`);
  }
  return servers;
}

function parsePort(flag: string, given: string): number {
  const port = /^\d{1,5}$/.test(given) ? Number(given) : -1;
  if (port < 0 || port > 65_535) throw usage(`${flag} "${given}": must be a port from 0 to 65535`);
  return port;
}

export interface AddressAndPort {
  readonly address: string;
  readonly port: number;
}

const DNS_PORT = '53';

/** `10.0.0.1`, `10.0.0.1:5353`, `fd00::1`, `[fd00::1]:5353`. */
function parseUpstream(flag: string, given: string): AddressAndPort {
  const [, bracketed, plain, port = DNS_PORT] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(given) ?? [];
  const address = bracketed ?? plain ?? given;
  if (isIP(address) === 0) throw usage(`${flag} "${given}": must be an IP address, with or without a port`);
  return { address, port: parsePort(flag, port) };
}

function parseWorkers(given: string): number {
  try {
    return readConcurrency(given, availableParallelism(), '--ingress-concurrency');
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function usage(message: string): CommandError {
  return new CommandError(message, { exit: 'usage' });
}
