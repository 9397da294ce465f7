import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { httpClient } from '../../api/client/http-client.ts';
import { readKubeconfig } from '../../api/client/kubeconfig.ts';
import { CommandError } from '../output/exit-codes.ts';
import type { Cluster, ConnectOptions } from './context.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}
