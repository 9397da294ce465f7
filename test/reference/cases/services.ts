import { type Call, type Case, get, patch, post, put, remove, table } from '../case.ts';

const all = '/api/v1/namespaces/$ns/services';

function service(spec: unknown, name = 'web'): Call {
  return post(`${all}?dryRun=All`, { metadata: { name }, spec });
}

const ports = [{ port: 80 }];
const SPECS: readonly unknown[] = [
  { ports },
  {},
  null,
  { ports: [] },
  { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
  {
    ports: [
      { port: 80, targetPort: 8080, name: 'http', appProtocol: 'http' },
      { port: 443, name: 'https' },
    ],
  },
  { ports: [{ port: 80 }, { port: 443 }] },
  {
    ports: [
      { port: 80, name: 'a' },
      { port: 81, name: 'a' },
    ],
  },
  {
    ports: [
      { port: 80, name: 'a' },
      { port: 80, name: 'b' },
    ],
  },
  {
    ports: [
      { port: 80, name: 'a' },
      { port: 80, name: 'b', protocol: 'UDP' },
    ],
  },
  { ports: [{ port: 0 }] },
  { ports: [{ port: 70_000, name: 'UPPER', protocol: 'QUIC' }] },
  { ports: [{ port: 80, targetPort: 0 }] },
  { ports: [{ port: 80, targetPort: 70_000 }] },
  { ports: [{ port: 80, targetPort: 'Bad_Name' }] },
  { ports: [{ port: 80, targetPort: '' }] },
  { ports: [{ port: 80, targetPort: '8080' }] },
  { ports: [{ targetPort: 80 }] },
  { ports: [{ port: '80' }] },
  { ports: [{ port: 80, appProtocol: 'bad protocol' }] },
  { ports, selector: { 'bad key': 'x' } },
  { ports, type: 'Odd' },
  { ports, clusterIP: 'None' },
  { clusterIP: 'None' },
  { clusterIP: 'None', selector: { app: 'web' } },
  { ports, clusterIP: '127.96.77.7' },
  { ports, clusterIP: '10.1.2.3' },
  { ports, clusterIP: 'nowhere' },
  { ports, clusterIP: '127.96.77.7', clusterIPs: ['127.96.77.8'] },
  { ports, clusterIPs: ['127.96.77.7'] },
  { ports, clusterIPs: ['127.96.77.7', '127.96.77.8'] },
  { ports, sessionAffinity: 'ClientIP' },
  { ports, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
  { ports, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
  { ports, sessionAffinity: 'None', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
  { ports, sessionAffinity: 'Cookie' },
  { ports, type: 'NodePort' },
  { ports: [{ port: 80, nodePort: 30_123 }], type: 'NodePort' },
  { ports: [{ port: 80, nodePort: 80 }], type: 'NodePort' },
  { ports: [{ port: 80, nodePort: 30_124 }] },
  { ports, type: 'LoadBalancer' },
  { ports, type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'], loadBalancerClass: 'example.com/lb' },
  { ports, type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, externalTrafficPolicy: 'Local' },
  { ports, type: 'LoadBalancer', clusterIP: 'None' },
  { ports, type: 'NodePort', clusterIP: 'None' },
  { type: 'ExternalName', externalName: 'shop.example' },
  { type: 'ExternalName', externalName: 'shop.example.' },
  { type: 'ExternalName' },
  { type: 'ExternalName', externalName: 'bad_name' },
  { type: 'ExternalName', externalName: 'shop.example', clusterIP: '127.96.77.7' },
  { type: 'ExternalName', externalName: 'shop.example', ports },
  { ports, externalName: 'shop.example' },
  { ports, externalIPs: ['10.9.8.7'] },
  { ports, externalIPs: ['127.0.0.1', 'nowhere'] },
  { ports, internalTrafficPolicy: 'Local', publishNotReadyAddresses: true },
  { ports, internalTrafficPolicy: 'Odd', externalTrafficPolicy: 'Local' },
  { ports, ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' },
  { ports, ipFamilyPolicy: 'RequireDualStack' },
  { ports, ipFamilies: ['IPv6'] },
  { ports, trafficDistribution: 'PreferClose' },
  { ports, trafficDistribution: 'Odd' },
  { ports, healthCheckNodePort: 30_500 },
];

const web = `${all}/web`;

export const services: readonly Case[] = [
  { name: 'service-spec', calls: SPECS.map((spec) => service(spec)) },
  {
    name: 'service-update',
    calls: [
      post(all, { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports } }),
      post(all, { metadata: { name: 'fixed' }, spec: { ports, clusterIP: '127.96.77.9' } }),
      post(all, { metadata: { name: 'taken' }, spec: { ports, clusterIP: '127.96.77.9' } }),
      put(web, { metadata: { name: 'web' }, spec: { ports: [{ port: 81 }] } }),
      patch('merge', web, { spec: { clusterIP: '127.96.77.10' } }),
      patch('merge', web, { spec: { clusterIP: 'None' } }),
      patch('strategic', web, { spec: { ports: [{ port: 82, name: 'more' }] } }),
      patch('strategic', web, { spec: { ports: [{ port: 81, targetPort: 8080 }] } }),
      patch('strategic', web, {
        spec: {
          ports: [
            { port: 81, name: 'first' },
            { port: 82, name: 'more' },
          ],
        },
      }),
      patch('strategic', web, { spec: { ports: [{ port: 81, $patch: 'delete' }] } }),
      patch('merge', web, { spec: { type: 'ExternalName', externalName: 'shop.example' } }),
      patch('merge', web, { spec: { type: 'ClusterIP', externalName: null } }),
      patch('merge', web, { spec: { sessionAffinity: 'ClientIP' } }),
      patch('merge', web, { status: { loadBalancer: { ingress: [{ ip: '10.1.1.1' }] } } }),
      patch('merge', `${web}/status`, { status: { loadBalancer: { ingress: [{ ip: '10.1.1.1' }] } } }),
      get(`${all}?fieldSelector=spec.type%3DExternalName`),
      get(`${all}?fieldSelector=spec.clusterIP%3D127.96.77.9`),
      get(`${all}?fieldSelector=spec.ports%3D80`),
      post(all, { metadata: { name: 'headless' }, spec: { clusterIP: 'None', selector: { a: 'b' } } }),
      post(all, { metadata: { name: 'outside' }, spec: { type: 'ExternalName', externalName: 'shop.example' } }),
      table(all),
      remove(web),
      remove(all),
      get(all),
    ],
  },
];
