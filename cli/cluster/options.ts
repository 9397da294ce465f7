import type { Command } from 'commander';
import { DATA_FORMATS, type Format } from '../output/format.ts';
import type { ConnectOptions } from './context.ts';

/** Flags that every command of a cluster takes, named as kubectl's. */
export interface ClusterOptions extends ConnectOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly output?: string;
}

export function withClusterOptions(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'credentials to use (default: $KUBECONFIG, ./.tutti/kubeconfig, ~/.kube/config)')
    .option('--context <name>', "the kubeconfig's context to use")
    .option('-n, --namespace <name>', 'namespace (default: the one of the kubeconfig)');
}

export function withOutputOption(command: Command, formats: readonly Format[] = DATA_FORMATS): Command {
  return command.option('-o, --output <format>', `how to print: ${formats.join(', ')}`);
}
