import type { Draft } from '../../../api/client/client.ts';
import type { ConfigMap } from '../../../api/kinds/config-map.ts';
import type { Deployment } from '../../../api/kinds/deployment.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { Service } from '../../../api/kinds/service.ts';

/* Objects as a manifest has them: the schema fills the rest, so the types of what is stored do not fit. */

export function configMapDraft(name: string, data: Record<string, string> = {}): Draft<ConfigMap> {
  return { metadata: { name, namespace: 'default' }, data };
}

export function podDraft(name: string, spec: Partial<Pod['spec']> = {}): Draft<Pod> {
  const draft = {
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { containers: [{ name: 'app', image: 'shop/web:v1' }], ...spec },
  };
  return draft as unknown as Draft<Pod>;
}

export function serviceDraft(name: string, spec: Partial<Service['spec']> = {}): Draft<Service> {
  const draft = {
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }], ...spec },
  };
  return draft as unknown as Draft<Service>;
}

export function deploymentDraft(name: string, replicas = 2): Draft<Deployment> {
  const draft = {
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'app', image: 'shop/web:v1' }] },
      },
    },
  };
  return draft as unknown as Draft<Deployment>;
}
