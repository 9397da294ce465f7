import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { humanDuration } from '../../api/meta/human-duration.ts';
import { type CertificateRow, type CertificatesView, readCertificates, readTrust } from '../certs/certificates.ts';
import { askForStep, waitUntilCarried } from '../certs/rotation.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { parseDuration } from '../output/duration.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';

interface CertsOptions extends ClusterOptions {
  readonly timeout?: string;
  readonly force?: boolean;
}

/** The three steps of a rotation of the CA, in the words of their help. */
const STEPS = [
  ['add', 'make a second root, and give it to every proxy; it signs nothing yet'],
  ['switch', 'sign with the second root, and renew every certificate; the first is still accepted'],
  ['retire', 'accept the first root no more'],
] as const;

const AFTER_ADD =
  'The kubeconfig in the state folder has both roots now: take a new copy of it wherever there is one.\n';

export function registerCerts(program: Command, context: CommandContext): void {
  const certs = program
    .command('certs')
    .description('certificates: who is who, until when; renew them, rotate the CA')
    .addHelpText('after', '\nExamples:\n  tutti certs show\n  tutti certs rotate\n  tutti certs root rotate');

  each(
    certs.command('show').description('the CA, the control plane, agents and workloads'),
    '\nExample:\n  tutti certs show -o json',
    async (cluster, options) => {
      const format = parseFormat(options.output, DATA_FORMATS);
      const view = await readCertificates(cluster.client);
      if (format === 'json' || format === 'yaml') context.terminal.out(renderData(view, format));
      else context.terminal.out(tableOf(view, context.clock.now()));
    },
  );

  each(
    certs.command('rotate').description("renew every workload's certificate now"),
    '\nExample:\n  tutti certs rotate',
    async (cluster, options) => {
      await take(cluster, 'renew', options);
      await finish(cluster, options, 'every certificate is renewed');
    },
  );

  const root = certs
    .command('root')
    .description('rotate the CA: each step is visible, and waits until every proxy carries the one before')
    .addHelpText('after', '\nExamples:\n  tutti certs root status\n  tutti certs root rotate\n  tutti certs root add');

  each(
    root.command('status').description('how far a rotation is, and who it waits for'),
    '\nExample:\n  tutti certs root status',
    async (cluster, options) => {
      await finish(cluster, { ...options, timeout: '0s' }, undefined);
    },
  );

  for (const [step, what] of STEPS) {
    const command = root
      .command(step)
      .description(what)
      .option('--force', 'also where some proxies do not carry the step before; they may be cut off');
    each(command, `\nExample:\n  tutti certs root ${step}`, async (cluster, options) => {
      await take(cluster, step, options);
      if (step === 'add') context.terminal.err(AFTER_ADD);
      await finish(cluster, options, `${step}: done, and carried by all`);
    });
  }

  each(
    root
      .command('rotate')
      .description('all steps, each when the one before is carried; goes on from where a rotation is'),
    '\nExample:\n  tutti certs root rotate --timeout 10m',
    async (cluster, options) => {
      const { state } = await readTrust(cluster.client);
      const first = { steady: 0, distributing: 1, overlap: 2 }[state.stage];
      await wait(cluster, options);
      // The API server shows a certificate of the new root after the next step, and connections do not last for ever: who goes on must have
      // read the kubeconfig once the new root was in it.
      if (first === 0) await add(cluster, options);
      const both = await context.connect(options);
      try {
        for (const [step] of STEPS.slice(Math.max(1, first))) {
          await take(both, step, options);
          await wait(both, options);
        }
        await finish(both, options, 'the CA has a new root');
      } finally {
        await both.close();
      }
    },
  );

  function each(command: Command, help: string, act: (cluster: Cluster, options: CertsOptions) => Promise<void>): void {
    const full = command
      .option('--timeout <duration>', 'how long to wait for agents and proxies', '5m')
      .addHelpText('after', help);
    withOutputOption(withClusterOptions(full)).action(async (options: CertsOptions) => {
      const cluster = await context.connect(options);
      try {
        await act(cluster, options);
      } finally {
        await cluster.close();
      }
    });
  }

  const shared = (cluster: Cluster, options: CertsOptions) => ({
    client: cluster.client,
    context,
    timeoutMs: parseDuration('--timeout', options.timeout ?? '5m'),
  });

  const take = (cluster: Cluster, step: 'add' | 'switch' | 'retire' | 'renew', options: CertsOptions): Promise<void> =>
    askForStep({ ...shared(cluster, options), request: { id: randomUUID(), step, force: options.force === true } });

  const wait = (cluster: Cluster, options: CertsOptions) => waitUntilCarried(shared(cluster, options));

  const add = async (cluster: Cluster, options: CertsOptions): Promise<void> => {
    await take(cluster, 'add', options);
    context.terminal.err(AFTER_ADD);
    await wait(cluster, options);
  };

  const finish = async (cluster: Cluster, options: CertsOptions, said: string | undefined): Promise<void> => {
    const format = parseFormat(options.output, DATA_FORMATS);
    const status = await waitUntilCarried({
      ...shared(cluster, options),
      ...(said === undefined ? { isReport: true } : {}),
    });
    if (format === 'json' || format === 'yaml') context.terminal.out(renderData(status, format));
    else if (said !== undefined)
      context.terminal.out(`${said} (stage ${status.stage}, ${status.carried} of ${status.total})\n`);
    else {
      const waiting = status.waiting.length === 0 ? '' : `; waiting for ${status.waiting.join(', ')}`;
      context.terminal.out(`stage ${status.stage}, carried by ${status.carried} of ${status.total}${waiting}\n`);
    }
  };
}

function tableOf({ certificates }: CertificatesView, nowMs: number): string {
  const row = ({ kind, name, spiffeId, serial, notAfter, issuer }: CertificateRow): readonly string[] => [
    kind,
    name,
    spiffeId,
    expiry(notAfter, nowMs),
    serial.slice(0, 8),
    issuer.slice(0, 8),
  ];
  return renderTable(['KIND', 'NAME', 'IDENTITY', 'EXPIRES IN', 'SERIAL', 'ISSUER'], certificates.map(row));
}

function expiry(notAfter: string, nowMs: number): string {
  if (notAfter === '') return '<unknown>';
  const leftMs = Date.parse(notAfter) - nowMs;
  return leftMs <= 0 ? 'expired' : humanDuration(leftMs);
}
