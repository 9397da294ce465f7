import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../meta/field-error.ts';
import { validateLabels, wrong } from '../meta/metadata-rules.ts';
import { dnsLabel, dnsSubdomain, ipAddress, portName, portNumber, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { proxyProtocolErrors } from './proxy-protocol.ts';
import type { Service, ServicePort } from './service.ts';

type Spec = Service['spec'];

/** A day: the longest that one client stays with one pod (MaxClientIPServiceAffinitySeconds). */
const AFFINITY_MAX_SECONDS = 86_400;

const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

/** ValidateService and ValidateServiceUpdate (k8s.io/kubernetes/pkg/apis/core/validation/validation.go), in its order. */
export function validateService({ metadata, spec, status }: Service, old: Service | undefined): readonly FieldError[] {
  const ports = spec.ports ?? [];
  const needsPorts = spec.clusterIP !== 'None' && spec.type !== 'ExternalName';
  return [
    ...(ports.length === 0 && needsPorts ? [fieldRequired('spec.ports')] : []),
    ...proxyProtocolErrors({ metadata }),
    ...typeErrors(spec),
    ...ports.flatMap((port, index) => portErrors(port, index, ports)),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...affinityErrors(spec),
    ...addressErrors(spec),
    ...(spec.externalIPs ?? []).flatMap((address, index) => outsideErrors(address, `spec.externalIPs[${index}]`)),
    ...familyErrors(spec),
    ...(spec.trafficDistribution === undefined || DISTRIBUTIONS.includes(spec.trafficDistribution)
      ? []
      : [fieldNotSupported('spec.trafficDistribution', spec.trafficDistribution, DISTRIBUTIONS)]),
    ...(spec.type !== 'LoadBalancer' && (status.loadBalancer.ingress ?? []).length > 0
      ? [fieldForbidden('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'")]
      : []),
    ...uniqueErrors(spec, ports),
    ...exposureErrors(spec),
    ...(old === undefined ? [] : updateErrors(spec, old)),
  ];
}

function typeErrors({ type, clusterIP, clusterIPs = [], externalName = '' }: Spec): readonly FieldError[] {
  if (type !== 'ExternalName') {
    return (type === 'LoadBalancer' || type === 'NodePort') && clusterIP === 'None'
      ? [fieldInvalid('spec.clusterIPs[0]', clusterIP, `may not be set to 'None' for ${type} services`)]
      : [];
  }
  const name = externalName.replace(/\.$/, '');
  return [
    ...(clusterIP || clusterIPs.length > 0
      ? [fieldForbidden('spec.clusterIPs', 'may not be set for ExternalName services')]
      : []),
    ...(name === '' ? [fieldRequired('spec.externalName')] : wrong('spec.externalName', name, dnsSubdomain)),
  ];
}

function portErrors(
  { name = '', port, targetPort, appProtocol }: ServicePort,
  index: number,
  ports: readonly ServicePort[],
): readonly FieldError[] {
  const field = `spec.ports[${index}]`;
  const again = name !== '' && ports.slice(0, index).some((other) => other.name === name);
  return [
    ...(name === '' && ports.length > 1 ? [fieldRequired(`${field}.name`)] : []),
    ...(name === '' ? [] : wrong(`${field}.name`, name, dnsLabel)),
    ...(again ? [fieldDuplicate(`${field}.name`, name)] : []),
    ...numberErrors(port, `${field}.port`),
    ...(typeof targetPort === 'number'
      ? numberErrors(targetPort, `${field}.targetPort`)
      : wrong(`${field}.targetPort`, targetPort, portName)),
    ...(appProtocol === undefined ? [] : wrong(`${field}.appProtocol`, appProtocol, qualifiedName)),
  ];
}

function numberErrors(port: number, field: string): readonly FieldError[] {
  return portNumber(port).map((why) => fieldInvalid(field, port, why));
}

function affinityErrors({ sessionAffinity, sessionAffinityConfig }: Spec): readonly FieldError[] {
  const field = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None') {
    return sessionAffinityConfig === undefined
      ? []
      : [fieldForbidden(field, 'must not be set when session affinity is None')];
  }
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  return seconds > 0 && seconds <= AFFINITY_MAX_SECONDS
    ? []
    : [
        fieldInvalid(
          `${field}.clientIP.timeoutSeconds`,
          seconds,
          `must be greater than 0 and less than ${AFFINITY_MAX_SECONDS}`,
        ),
      ];
}

function addressErrors({ type, clusterIP = '', clusterIPs = [] }: Spec): readonly FieldError[] {
  if (type === 'ExternalName') return [];
  const field = 'spec.clusterIPs';
  const all = clusterIPs.length === 0 && clusterIP !== '' ? [clusterIP] : clusterIPs;
  const invalid = all.flatMap((address, index) =>
    index === 0 && address === 'None' ? [] : wrong(`${field}[${index}]`, address, ipAddress),
  );
  return [
    ...(clusterIP === '' && clusterIPs.length > 0
      ? [fieldInvalid(field, clusterIPs, 'must be empty when `clusterIP` is not specified')]
      : []),
    ...(clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP
      ? [fieldInvalid(field, clusterIPs, 'first value must match `clusterIP`')]
      : []),
    ...invalid,
    ...(clusterIPs.length > 1 && invalid.length === 0
      ? [fieldInvalid(field, clusterIPs, 'may specify no more than one IP for each IP family')]
      : []),
  ];
}

/** There is one network, of IPv4 (validateServiceClusterIPsRelatedFields for a cluster of a single family). */
function familyErrors({ ipFamilyPolicy, ipFamilies = [] }: Spec): readonly FieldError[] {
  return [
    ...(ipFamilyPolicy === 'RequireDualStack'
      ? [fieldInvalid('spec.ipFamilyPolicy', ipFamilyPolicy, 'this cluster is not configured for dual-stack services')]
      : []),
    ...ipFamilies.flatMap((family, index) =>
      family === 'IPv4' ? [] : [fieldInvalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster')],
    ),
  ];
}

/** ValidateNonSpecialIP: an address that others can reach. */
function outsideErrors(address: string, field: string): readonly FieldError[] {
  const shape = wrong(field, address, ipAddress);
  if (shape.length > 0) return shape;
  const special = SPECIAL.find(([form]) => form.test(address));
  return special === undefined ? [] : [fieldInvalid(field, address, special[1])];
}

const SPECIAL: readonly (readonly [form: RegExp, words: string])[] = [
  [/^(?:0\.0\.0\.0|::)$/, 'may not be unspecified'],
  [/^(?:127\.|::1$)/, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^(?:169\.254\.|fe[89ab][0-9a-f]:)/i, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^(?:224\.0\.0\.|ff[0-9a-f]2:)/i, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
];

function uniqueErrors({ type }: Spec, ports: readonly ServicePort[]): readonly FieldError[] {
  const given = (port: ServicePort | undefined): boolean => (port?.nodePort ?? 0) !== 0;
  const earlier = (index: number, same: (other: ServicePort) => boolean): boolean =>
    ports.slice(0, index).some((other) => other.protocol === ports[index]?.protocol && same(other));
  return [
    ...ports.flatMap((port, index) =>
      type === 'ClusterIP' && given(port)
        ? [fieldForbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'")]
        : [],
    ),
    ...ports.flatMap((port, index) =>
      given(port) && earlier(index, ({ nodePort }) => nodePort === port.nodePort)
        ? [fieldDuplicate(`spec.ports[${index}].nodePort`, port.nodePort)]
        : [],
    ),
    ...ports.flatMap(({ port, protocol }, index) =>
      earlier(index, (other) => other.port === port)
        ? [fieldDuplicate(`spec.ports[${index}]`, { port, protocol })]
        : [],
    ),
  ];
}

/** Fields that only mean something for a Service that can be reached from outside. */
function exposureErrors(spec: Spec): readonly FieldError[] {
  const { type, externalTrafficPolicy, healthCheckNodePort = 0, externalIPs = [] } = spec;
  const balanced = type === 'LoadBalancer';
  const outside = balanced || type === 'NodePort' || (type === 'ClusterIP' && externalIPs.length > 0);
  const onlyBalanced = "may only be used when `type` is 'LoadBalancer'";
  return [
    ...(!balanced && (spec.loadBalancerSourceRanges ?? []).length > 0
      ? [fieldForbidden('spec.LoadBalancerSourceRanges', onlyBalanced)]
      : []),
    ...(!balanced && spec.allocateLoadBalancerNodePorts !== undefined
      ? [fieldForbidden('spec.allocateLoadBalancerNodePorts', onlyBalanced)]
      : []),
    ...(!balanced && spec.loadBalancerClass !== undefined
      ? [fieldForbidden('spec.loadBalancerClass', onlyBalanced)]
      : []),
    ...(!outside && externalTrafficPolicy !== undefined
      ? [
          fieldInvalid(
            'spec.externalTrafficPolicy',
            externalTrafficPolicy,
            'may only be set for externally-accessible services',
          ),
        ]
      : []),
    ...(healthCheckNodePort !== 0 && !(balanced && externalTrafficPolicy === 'Local')
      ? [
          fieldInvalid(
            'spec.healthCheckNodePort',
            healthCheckNodePort,
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
          ),
        ]
      : []),
  ];
}

/** The address is given once; only a change of type from or to ExternalName lets it go. */
function updateErrors(spec: Spec, old: Service): readonly FieldError[] {
  const kept = spec.type !== 'ExternalName' && old.spec.type !== 'ExternalName' && (old.spec.clusterIP ?? '') !== '';
  return kept && spec.clusterIP !== old.spec.clusterIP
    ? [fieldInvalid('spec.clusterIPs[0]', [spec.clusterIP ?? ''], 'may not change once set')]
    : [];
}
