import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import { headless, PORT, services } from '../load/dns-names.ts';
import type { Peer } from '../side-by-side.ts';

interface DnsSetup {
  /** For configuration files. */
  readonly folder: string;
  readonly port: number;
}

const TTL_SECONDS = 5;

/** The same zone for all, one thread, nothing logged, nobody else asked. */
export const DNS_PEERS: readonly ((setup: DnsSetup) => Peer)[] = [tutti, tuttiSingle, unbound, dnsmasq, coredns];

function tutti({ port }: DnsSetup): Peer {
  const script = join(import.meta.dirname, 'tutti-dns.ts');
  return { name: 'tutti', command: [process.execPath, script, String(port), 'batched'] };
}

/** As it is where Node has no FFI. */
function tuttiSingle({ port }: DnsSetup): Peer {
  const script = join(import.meta.dirname, 'tutti-dns.ts');
  return { name: 'tutti-single', command: [process.execPath, script, String(port), 'single'] };
}

/** Every record in a zone file's words. */
function records(): string[] {
  return [
    ...services.flatMap(({ host, address }) => [
      `${host}. ${TTL_SECONDS} IN A ${address}`,
      `_http._tcp.${host}. ${TTL_SECONDS} IN SRV 0 100 ${PORT} ${host}.`,
    ]),
    ...headless.flatMap(({ host, addresses }) => addresses.map((address) => `${host}. ${TTL_SECONDS} IN A ${address}`)),
  ];
}

function soa(): string {
  return `cluster.local. ${TTL_SECONDS} IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 ${TTL_SECONDS}`;
}

function unbound({ folder, port }: DnsSetup): Peer {
  const path = findProgram('unbound');
  if (path === undefined) return { name: 'unbound', missing: 'apt-get install unbound' };
  const file = join(folder, 'unbound.conf');
  writeFileSync(
    file,
    `server:
  interface: 127.0.0.1@${port}
  do-daemonize: no
  num-threads: 1
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  use-syslog: no
  logfile: "${folder}/unbound.log"
  verbosity: 0
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  local-zone: "cluster.local." static
${[soa(), ...records()].map((line) => `  local-data: "${line}"`).join('\n')}
remote-control:
  control-enable: no
`,
  );
  return { name: 'unbound', command: [path, '-d', '-c', file] };
}

function dnsmasq({ folder, port }: DnsSetup): Peer {
  const path = findProgram('dnsmasq');
  if (path === undefined) return { name: 'dnsmasq', missing: 'apt-get install dnsmasq' };
  const file = join(folder, 'dnsmasq.conf');
  const hosts = join(folder, 'dnsmasq.hosts');
  // In a hosts file dnsmasq finds names by hash; host-record lines it would walk through one by one.
  const lines = [
    ...services.map(({ host, address }) => `${address} ${host}`),
    ...headless.flatMap(({ host, addresses }) => addresses.map((address) => `${address} ${host}`)),
  ];
  writeFileSync(hosts, `${lines.join('\n')}\n`);
  const ports = services.map(({ host }) => `srv-host=_http._tcp.${host},${host},${PORT},0,100`);
  writeFileSync(
    file,
    `keep-in-foreground
no-resolv
no-hosts
addn-hosts=${hosts}
local-ttl=${TTL_SECONDS}
user=root
listen-address=127.0.0.1
bind-interfaces
port=${port}
pid-file=${folder}/dnsmasq.pid
local=/cluster.local/
${ports.join('\n')}
`,
  );
  return { name: 'dnsmasq', command: [path, '-C', file] };
}

function coredns({ folder, port }: DnsSetup): Peer {
  const path = findProgram('coredns');
  if (path === undefined)
    return { name: 'coredns', missing: 'GOBIN=$PWD/.tools/bin go install github.com/coredns/coredns@latest' };
  const zone = join(folder, 'cluster.zone');
  const file = join(folder, 'Corefile');
  const nameServer = [
    `cluster.local. ${TTL_SECONDS} IN NS ns.dns.cluster.local.`,
    'ns.dns.cluster.local. 5 IN A 127.0.0.1',
  ];
  writeFileSync(zone, `${[soa(), ...nameServer, ...records()].join('\n')}\n`);
  writeFileSync(file, `.:${port} {\n  bind 127.0.0.1\n  file ${zone} cluster.local\n}\n`);
  return { name: 'coredns', command: ['env', 'GOMAXPROCS=1', path, '-conf', file] };
}
