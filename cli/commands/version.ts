import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';

/** The version in the package's own package.json: beside cli/ in a clone, above dist/ when published. */
export function ownVersion(): string {
  for (const up of ['..', join('..', '..')]) {
    try {
      const text = readFileSync(join(import.meta.dirname, up, '..', 'package.json'), 'utf8');
      const { name, version } = JSON.parse(text) as { name: string; version: string };
      if (name === 'tutti') return version;
    } catch {
      // The next place is looked at.
    }
  }
  return 'unknown';
}

export function registerVersion(program: Command, context: CommandContext): void {
  const command = program
    .command('version')
    .description('versions of this command and of the server')
    .option('--client', 'only of this command')
    .addHelpText('after', '\nExamples:\n  tutti version\n  tutti version --client -o json');
  withOutputOption(withClusterOptions(command)).action(async (options: ClusterOptions & { client?: boolean }) => {
    const format = parseFormat(options.output, DATA_FORMATS);
    const client = { version: ownVersion(), node: process.version };
    if (format === undefined) context.terminal.out(`tutti ${client.version} (node ${client.node})\n`);
    const server = options.client === true ? undefined : await serverVersion(context, options);
    if (format === 'json' || format === 'yaml')
      context.terminal.out(renderData({ client, server: server ?? null }, format));
    else if (server !== undefined) context.terminal.out(`server ${server}\n`);
  });
}

/** A version is worth knowing without a server too: then it is told, and is no failure. */
async function serverVersion(context: CommandContext, options: ClusterOptions): Promise<string | undefined> {
  try {
    const cluster = await context.connect(options);
    try {
      const { gitVersion } = (await cluster.get('/version')) as { readonly gitVersion: string };
      return gitVersion;
    } finally {
      await cluster.close();
    }
  } catch (error) {
    context.terminal.err(`server: not reached: ${(error as Error).message}\n`);
    return undefined;
  }
}
