/** What a Redis server says of itself, as far as it matters to a store. A setting is undefined where CONFIG may not be asked. */
export interface ServerSettings {
  readonly version: string;
  /** `master` or `slave`, in Redis' words. */
  readonly role: string;
  readonly cluster: boolean;
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  readonly maxmemory: string | undefined;
  readonly maxmemoryPolicy: string | undefined;
  readonly replicas: number;
  readonly minReplicasToWrite: string | undefined;
}

export interface SettingProblem {
  readonly weight: 'refuse' | 'warn';
  readonly reason: 'settings' | 'version' | 'replica' | 'cluster';
  /** What is, and what to set. */
  readonly message: string;
}

/** XTRIM MINID came with 6.2 (redis.io/commands/xtrim). */
const OLDEST = [6, 2] as const;

/** Which of a server's settings would lose what the store has acknowledged, and what to set instead. */
export function judgeSettings(settings: ServerSettings): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  const refuse = (reason: SettingProblem['reason'], message: string): void =>
    void problems.push({ weight: 'refuse', reason, message });
  const warn = (message: string): void => void problems.push({ weight: 'warn', reason: 'settings', message });

  const [major = 0, minor = 0] = settings.version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    refuse(
      'version',
      `is Redis ${settings.version || 'of an unknown version'}; ${OLDEST.join('.')} or newer is wanted`,
    );
  }
  if (settings.role !== 'master')
    refuse('replica', 'is a replica, which takes no writes; name the primary (redis-cli role)');
  if (settings.cluster) {
    refuse('cluster', 'is a node of a Redis Cluster; name a Redis with cluster-enabled no, alone or with replicas');
  }
  const { appendonly, appendfsync, maxmemory, maxmemoryPolicy } = settings;
  if (appendonly === undefined) {
    warn(
      'does not tell its settings (CONFIG is not permitted); see to it that it has appendonly yes, appendfsync always, maxmemory-policy noeviction',
    );
  } else if (appendonly !== 'yes') {
    refuse(
      'settings',
      `has appendonly ${appendonly}: a restart would forget acknowledged writes; set "appendonly yes" (redis-cli config set appendonly yes, then config rewrite)`,
    );
  } else if (appendfsync === 'no') {
    refuse('settings', 'has appendfsync no: nobody knows when a write is on disk; set "appendfsync always"');
  } else if (appendfsync !== 'always') {
    warn(
      `has appendfsync ${appendfsync}: when its machine fails, up to a second of acknowledged writes is lost; set "appendfsync always" (redis-cli config set appendfsync always, then config rewrite)`,
    );
  }
  if (maxmemoryPolicy !== undefined && maxmemoryPolicy !== 'noeviction') {
    const message = `has maxmemory-policy ${maxmemoryPolicy}: it may drop what is stored; set "maxmemory-policy noeviction"`;
    if (maxmemory === '0') warn(`${message} before you set maxmemory`);
    else refuse('settings', message);
  }
  if (settings.replicas > 0 && settings.minReplicasToWrite === '0') {
    warn(
      `has ${settings.replicas} replicas and min-replicas-to-write 0: a failover may lose acknowledged writes without a bound; set "min-replicas-to-write 1" and "min-replicas-max-lag 5"`,
    );
  }
  return problems;
}

/** From the text of INFO and the flat answer of CONFIG GET; `config` undefined where it is not permitted. */
export function readSettings(info: string, config: readonly string[] | undefined): ServerSettings {
  const said = new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
  const set = new Map<string, string>();
  for (let at = 0; at + 1 < (config?.length ?? 0); at += 2) set.set(config?.[at] as string, config?.[at + 1] as string);
  return {
    version: said.get('redis_version') ?? '',
    role: said.get('role') ?? '',
    cluster: said.get('cluster_enabled') === '1',
    appendonly: set.get('appendonly'),
    appendfsync: set.get('appendfsync'),
    maxmemory: set.get('maxmemory'),
    maxmemoryPolicy: set.get('maxmemory-policy'),
    replicas: Number(said.get('connected_slaves') ?? 0),
    minReplicasToWrite: set.get('min-replicas-to-write'),
  };
}
