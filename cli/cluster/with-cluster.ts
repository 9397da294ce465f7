import type { Cluster, CommandContext, ConnectOptions } from './context.ts';

/** Opens the way to the API server for a piece of work, and closes it whatever comes of it. */
export async function withCluster(
  context: CommandContext,
  options: ConnectOptions,
  work: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const cluster = await context.connect(options);
  try {
    await work(cluster);
  } finally {
    await cluster.close();
  }
}
