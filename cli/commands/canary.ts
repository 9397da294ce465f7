import type { Command } from 'commander';
import type { HttpRoute } from '../../api/kinds/http-route.ts';
import { httpRouteKind } from '../../api/kinds/http-route.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { ApiError } from '../../api/meta/api-error.ts';
import type { ErrorLimit, MeasuredShare } from '../canary/decide.ts';
import { planCanary } from '../canary/route.ts';
import { type Canary, measure, setWeight, walk } from '../canary/walk.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';

type DataFormat = (typeof DATA_FORMATS)[number];

interface CanaryOptions extends ClusterOptions {
  readonly to?: string;
  readonly weight?: string;
  readonly steps?: string;
  readonly every: string;
  readonly maxErrors: string;
  readonly abort?: boolean;
  readonly measure: string;
  readonly timeout: string;
}

export function registerCanary(program: Command, context: CommandContext): void {
  const command = program
    .command('canary')
    .description('move traffic between two versions of a service')
    .argument('<name>', 'the service, or the HTTPRoute that splits its traffic')
    .option('--to <service>', "the new version's Service (default: the route's other backend)")
    .option('--weight <percent>', 'percent of the traffic that the new version shall have')
    .option('--steps <percents>', 'walk these weights one after the other, such as 5,25,50,100')
    .option('--every <duration>', 'how long each step lasts', '10s')
    .option(
      '--max-errors <limit>',
      'errors of the new version in a step, as percent (1%) or number (10), at which a walk goes back',
      '1%',
    )
    .option('--abort', 'give the new version no traffic, at once')
    .option('--measure <duration>', 'how long the shares are measured after --weight or --abort', '5s')
    .option('--timeout <duration>', 'how long to wait for the proxies', '30s')
    .addHelpText(
      'after',
      `
Without --weight, --steps or --abort it shows the present weights and measures the shares.

Examples:
  tutti canary catalog --to catalog-v2 --weight 10           10 % to the new version
  tutti canary catalog --steps 5,25,50,100 --every 10s       walk, and go back when it fails
  tutti canary catalog --abort                               go back now

Exit codes: 4 when the walk went back by itself, 5 when the proxies did not take the change in time.`,
    );
  withOutputOption(withClusterOptions(command)).action(async (name: string, options: CanaryOptions) => {
    const modes = [options.weight, options.steps, options.abort].filter((mode) => mode !== undefined);
    if (modes.length > 1)
      throw new CommandError('--weight, --steps and --abort: only one at a time', { exit: 'usage' });
    const format = parseFormat(options.output, DATA_FORMATS);
    const asked = {
      weight: options.weight === undefined ? undefined : parsePercent('--weight', options.weight),
      steps: options.steps?.split(',').map((step) => parsePercent('--steps', step)),
      limit: parseLimit(options.maxErrors),
      everyMs: parseDuration('--every', options.every),
      measureMs: parseDuration('--measure', options.measure),
      timeoutMs: parseDuration('--timeout', options.timeout),
    };
    const cluster = await context.connect(options);
    try {
      const namespace = options.namespace ?? cluster.namespace;
      const route = await findRoute(
        cluster,
        namespace,
        name,
        asked.weight === undefined && asked.steps === undefined ? undefined : options.to,
      );
      if (options.to !== undefined) await requireService(cluster, namespace, options.to);
      const plan = planCanary(route, options.to);
      const say = (message: string): void => context.terminal.err(`${message}\n`);
      const canary: Canary = {
        cluster,
        context,
        namespace,
        route: route.metadata.name,
        plan,
        timeoutMs: asked.timeoutMs,
        say,
      };
      if (asked.steps !== undefined) return await walkSteps(canary, { ...asked, steps: asked.steps }, format);
      const weight = options.abort === true ? 0 : (asked.weight ?? plan.present);
      if (modes.length > 0) {
        const { message, tookMs } = await setWeight(canary, weight);
        say(`${plan.canary}: weight ${weight} % carried by ${message} after ${Math.round(tookMs)} ms`);
      }
      say(`measuring for ${options.measure}`);
      print(canary, weight, await measure(canary, weight, asked.measureMs), format);
    } finally {
      await cluster.close();
    }
  });
}

interface Walk {
  readonly steps: readonly number[];
  readonly everyMs: number;
  readonly limit: ErrorLimit;
}

async function walkSteps(canary: Canary, asked: Walk, format: DataFormat | undefined): Promise<void> {
  const { plan, say } = canary;
  const steps: unknown[] = [];
  const data = format === 'json' || format === 'yaml';
  const end = await walk(canary, {
    ...asked,
    onWeight: (weight, { message, tookMs }) =>
      say(`${plan.canary}: weight ${weight} % carried by ${message} after ${Math.round(tookMs)} ms`),
    onStep: (weight, shares, { message, tookMs }) => {
      steps.push({ weight, proxies: message, convergedMs: Math.round(tookMs), shares });
      if (!data) print(canary, weight, shares, format);
    },
  });
  if (data) canary.context.terminal.out(renderData({ route: canary.route, end, steps }, format));
  switch (end.kind) {
    case 'arrived':
      say(`${plan.canary} has ${end.weight} % of the traffic`);
      return;
    case 'aborted':
      throw new CommandError(`canary "${plan.canary}": went back to 0 %: ${end.reason}`, { exit: 'rolledBack' });
    case 'interrupted':
      throw new CommandError(`canary "${plan.canary}": stopped on the way; it keeps ${end.weight} % of the traffic`, {
        exit: 'interrupted',
        hint: `"tutti canary ${canary.route} --abort" takes it back to 0 %`,
      });
    default:
      end satisfies never;
  }
}

function print(canary: Canary, weight: number, shares: readonly MeasuredShare[], format: DataFormat | undefined): void {
  const { terminal } = canary.context;
  if (format === 'json' || format === 'yaml') {
    terminal.out(renderData({ route: canary.route, canary: canary.plan.canary, weight, shares }, format));
    return;
  }
  const rows = shares.map(({ service, weight: wanted, requests, share, errors }) => [
    service,
    `${wanted} %`,
    share === undefined ? '-' : `${share.toFixed(1)} %`,
    String(requests),
    String(errors),
  ]);
  terminal.out(renderTable(['SERVICE', 'WEIGHT', 'MEASURED', 'REQUESTS', 'ERRORS'], rows));
  if (shares.every(({ requests }) => requests === 0))
    terminal.err('no requests passed in this time: there is no share to measure\n');
}

/** The route of that name, or the one whose parent is that Service; made when there is none and a canary is asked for. */
async function findRoute(
  cluster: Cluster,
  namespace: string,
  name: string,
  to: string | undefined,
): Promise<HttpRoute> {
  const routes = (await cluster.client.list(httpRouteKind, { namespace })).items;
  const splits = routes.filter(({ spec }) =>
    (spec.parentRefs ?? []).some((parent) => parent.kind === 'Service' && parent.name === name),
  );
  const found = splits[0] ?? routes.find(({ metadata }) => metadata.name === name);
  if (found !== undefined) return found;
  const service = await requireService(cluster, namespace, name);
  if (to === undefined) {
    throw new CommandError(
      `HTTPRoute of "${name}": there is none in namespace ${namespace}, so all its traffic goes to one version`,
      {
        hint: `"tutti canary ${name} --to SERVICE --weight 10" makes one`,
      },
    );
  }
  const port = service.spec.ports?.[0]?.port ?? 80;
  return await cluster.client.create(httpRouteKind, {
    metadata: { name, namespace },
    spec: {
      parentRefs: [{ group: '', kind: 'Service', name, port }],
      rules: [
        {
          backendRefs: [
            { name, port, weight: 100 },
            { name: to, port, weight: 0 },
          ],
        },
      ],
    },
  } as unknown as Parameters<typeof cluster.client.create<HttpRoute>>[1]);
}

async function requireService(cluster: Cluster, namespace: string, name: string) {
  try {
    return await cluster.client.get(serviceKind, { namespace, name });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 404) throw error;
    const names = (await cluster.client.list(serviceKind, { namespace })).items.map(({ metadata }) => metadata.name);
    throw new CommandError(`Service "${name}": not found in namespace ${namespace}`, {
      hint: `there are ${names.join(', ') || 'none'}`,
      cause: error,
    });
  }
}

function parsePercent(flag: string, given: string): number {
  const percent = /^\d{1,3}%?$/.test(given.trim()) ? Number.parseInt(given, 10) : Number.NaN;
  if (!(percent >= 0 && percent <= 100))
    throw new CommandError(`${flag} "${given}": must be a whole percent from 0 to 100`, { exit: 'usage' });
  return percent;
}

function parseLimit(given: string): ErrorLimit {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(given.trim());
  if (match === null)
    throw new CommandError(`--max-errors "${given}": must be a percentage such as 1% or a number of errors`, {
      exit: 'usage',
    });
  const value = Number(match[1]);
  return match[2] === '%' ? { kind: 'share', percent: value } : { kind: 'count', errors: value };
}
