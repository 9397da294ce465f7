import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ApiError } from '../../api/meta/api-error.ts';
import { CHECKS } from '../check/checks.ts';
import { type Finding, failed, type Outcome } from '../check/finding.ts';
import { runChecks } from '../check/run-checks.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { keptDnsServer } from '../cluster/kept-ports.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { EXIT, type Exit } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import type { Style, Terminal } from '../output/terminal.ts';

interface CheckOptions extends ClusterOptions {
  readonly data: string;
}

const MARKS: Readonly<Record<Outcome['verdict'], readonly [mark: string, style: Style]>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['-', 'dim'],
};

export function registerCheck(program: Command, context: CommandContext): void {
  const command = program
    .command('check')
    .description('examine this installation and say what is wrong')
    .option('--data <folder>', 'state folder to look into', '.tutti')
    .addHelpText(
      'after',
      `
Looks at the machine, the state folder, the API server and what runs in the cluster. Each finding that is not well comes with what to do.
Ends with 0 when nothing failed (warnings do not count), 1 when something did, 3 when the API server was not reached.

Examples:
  tutti check
  tutti check -o json`,
    );
  withOutputOption(withClusterOptions(command)).action(async (options: CheckOptions) => {
    const format = parseFormat(options.output, DATA_FORMATS);
    const { terminal } = context;
    const stateFolder = resolve(context.cwd, options.data);
    const reach = await reachCluster(context, options);
    const subject = {
      stateFolder,
      nowMs: context.clock.now(),
      cluster: reach.cluster,
      dnsServer: await keptDnsServer(stateFolder),
    };
    const checks = CHECKS.flatMap((check) =>
      // Told where the API server's checks begin.
      reach.problem !== undefined && check.name === 'version'
        ? [{ category: check.category, name: 'reachable', run: () => reach.problem ?? failed('', '') }, check]
        : [check],
    );
    const findings: Finding[] = [];
    try {
      for await (const finding of runChecks(checks, subject)) {
        if (format === undefined) terminal.out(renderFinding(terminal, finding, findings.at(-1)));
        findings.push(finding);
      }
    } finally {
      await reach.cluster?.close();
    }
    const isOk = findings.every(({ verdict }) => verdict !== 'failed');
    if (format === 'json' || format === 'yaml') terminal.out(renderData({ ok: isOk, findings }, format));
    else terminal.out(`\n${sumUp(findings)}\n`);
    if (!isOk) process.exitCode = EXIT[reach.exit ?? 'failed'].code;
  });
}

interface Reach {
  readonly cluster?: Cluster;
  readonly problem?: Outcome;
  /** How the command ends when a check failed. */
  readonly exit?: Exit;
}

async function reachCluster(context: CommandContext, options: CheckOptions): Promise<Reach> {
  let cluster: Cluster | undefined;
  try {
    cluster = await context.connect(options);
    await cluster.get('/version');
    return { cluster };
  } catch (error) {
    await cluster?.close();
    if (error instanceof ApiError && error.code !== 0 && error.code !== 503) {
      const hint =
        'the server answers, but not to these credentials: name a kubeconfig of this cluster with --kubeconfig';
      return { problem: failed(error.message, hint), exit: 'failed' };
    }
    const hint = 'start it with "tutti up" or "tutti control", or name another kubeconfig with --kubeconfig';
    return { problem: failed((error as Error).message, hint), exit: 'unreachable' };
  }
}

function renderFinding(terminal: Terminal, finding: Finding, before: Finding | undefined): string {
  const { category, check, verdict, message, hint } = finding;
  const title =
    before?.category === category ? '' : `${before === undefined ? '' : '\n'}${terminal.style('bold', category)}\n`;
  const [mark, style] = MARKS[verdict];
  const advice = hint === undefined ? '' : `    ${terminal.style('dim', 'hint:')} ${hint}\n`;
  return `${title}  ${terminal.style(style, mark)} ${check}: ${message}\n${advice}`;
}

function sumUp(findings: readonly Finding[]): string {
  const count = (verdict: Outcome['verdict']): number => findings.filter((each) => each.verdict === verdict).length;
  return `ok: ${count('ok')}, warnings: ${count('warning')}, failed: ${count('failed')}, skipped: ${count('skipped')}`;
}
