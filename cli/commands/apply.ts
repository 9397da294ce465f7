import type { Command } from 'commander';
import type { CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { type Applied, applyDocuments } from '../manifests/apply.ts';
import { checkedManifests } from '../manifests/checked.ts';
import { parseFormat, renderData } from '../output/format.ts';

const APPLY_FORMATS = ['json', 'yaml', 'name'] as const;

interface ApplyFlags extends ClusterOptions {
  readonly filename: string[];
  readonly dryRun?: boolean;
}

export function registerApply(program: Command, context: CommandContext): void {
  const command = program
    .command('apply')
    .description('make what the manifests say true; all of it or nothing')
    .requiredOption('-f, --filename <path...>', 'files, folders, or - for standard input')
    .option('--dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti apply -f shop/\n  tutti apply -f web.yaml --dry-run\n  cat web.yaml | tutti apply -f -',
    );
  withOutputOption(withClusterOptions(command), APPLY_FORMATS).action(async (flags: ApplyFlags) => {
    const format = parseFormat(flags.output, APPLY_FORMATS);
    const documents = await checkedManifests(flags.filename);
    const cluster = await context.connect(flags);
    try {
      const results: Applied[] = [];
      await applyDocuments({
        client: cluster.client,
        documents,
        namespace: flags.namespace ?? cluster.namespace,
        dryRun: flags.dryRun === true,
        onWarning: (warning) => context.terminal.err(`${context.terminal.style('yellow', 'warning:')} ${warning}\n`),
        onResult: (applied) => {
          results.push(applied);
          if (format === 'json' || format === 'yaml') return;
          const what =
            format === 'name'
              ? applied.name
              : `${applied.name} ${applied.verb}${flags.dryRun === true ? ' (dry run)' : ''}`;
          context.terminal.out(`${what}\n`);
        },
      });
      if (format === 'json' || format === 'yaml') context.terminal.out(renderData(results, format));
    } finally {
      await cluster.close();
    }
  });
}
