import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GATEWAY_API, KUBERNETES } from './versions.ts';

export interface Oracle {
  /** The program. */
  readonly apiServer: string;
  /** Files with the Gateway API's CustomResourceDefinitions. */
  readonly definitions: readonly string[];
}

/**
 * Builds kube-apiserver from its published Go module, which takes minutes once, and finds the Gateway API's definitions.
 * The module's own go.mod points at folders beside it for its parts; here they are replaced by the parts' published
 * versions (1.34.4 is v0.34.4). A program that is built already is taken as it is.
 */
export function buildOracle(folder: string, built?: string): Oracle {
  const module = join(folder, 'module');
  mkdirSync(module, { recursive: true });
  const apiServer = built ?? join(folder, `kube-apiserver-${KUBERNETES}`);
  if (built === undefined) buildApiServer(apiServer, module);
  const { Dir } = downloaded(`sigs.k8s.io/gateway-api@v${GATEWAY_API}`, module);
  const definitions = globSync(join(Dir, 'config', 'crd', 'experimental', 'gateway.networking.k8s.io_*s.yaml'));
  return { apiServer, definitions: definitions.filter((file) => !file.includes('_vap_')).sort() };
}

function buildApiServer(apiServer: string, module: string): void {
  if (!existsSync(join(module, 'go.mod'))) {
    const kubernetes = downloaded(`k8s.io/kubernetes@v${KUBERNETES}`, module);
    const parts = partsOf(go(['mod', 'edit', '-json', kubernetes.GoMod], module));
    const version = `v0.${KUBERNETES.slice(KUBERNETES.indexOf('.') + 1)}`;
    writeFileSync(
      join(module, 'go.mod'),
      [
        'module oracle',
        'go 1.24.0',
        `require k8s.io/kubernetes v${KUBERNETES}`,
        ...parts.map((part) => `replace ${part} => ${part} ${version}`),
        '',
      ].join('\n'),
    );
  }
  if (!existsSync(apiServer)) {
    const [major, minor] = KUBERNETES.split('.');
    const variable = 'k8s.io/component-base/version';
    const flags = `-s -w -X ${variable}.gitVersion=v${KUBERNETES} -X ${variable}.gitMajor=${major} -X ${variable}.gitMinor=${minor}`;
    go(['build', '-trimpath', '-ldflags', flags, '-o', apiServer, 'k8s.io/kubernetes/cmd/kube-apiserver'], module);
  }
}

interface Downloaded {
  readonly Dir: string;
  readonly GoMod: string;
}

function downloaded(module: string, cwd: string): Downloaded {
  return JSON.parse(go(['mod', 'download', '-json', module], cwd)) as Downloaded;
}

function partsOf(goMod: string): readonly string[] {
  const { Replace } = JSON.parse(goMod) as { Replace: readonly { Old: { Path: string }; New: { Path: string } }[] };
  return Replace.filter(({ New }) => New.Path.startsWith('./staging/')).map(({ Old }) => Old.Path);
}

function go(args: readonly string[], cwd: string): string {
  const env = { ...process.env, GOFLAGS: '-mod=mod' };
  const { status, stdout } = spawnSync('go', args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`go ${args.join(' ')}: failed`);
  return stdout;
}
