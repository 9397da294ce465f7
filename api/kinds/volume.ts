import { z } from 'zod';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { quantitySchema } from '../meta/quantity.ts';
import { objectFieldSelectorSchema, resourceFieldSelectorSchema } from './environment.ts';
import { atomicList } from './list-schema.ts';
import { localObjectReferenceSchema } from './references.ts';
import { resourceListSchema } from './resources.ts';

/** 0644: the mode of projected files unless told (SetDefaults_ConfigMapVolumeSource and its siblings). */
const DEFAULT_MODE = 0o644;

const defaultMode = z.int().default(DEFAULT_MODE).describe('Mode bits of the files, 0644 unless told.');

const keyToPathSchema = z.strictObject({
  key: z.string().describe('The key to project.'),
  path: z.string().describe("The file's path, relative and without '..'."),
  mode: z.int().optional().describe("The file's mode bits."),
});

const items = atomicList(keyToPathSchema).optional().describe('The keys that become files; all keys by default.');
const optional = z.boolean().optional().describe('Whether the object or its keys may be missing.');

const downwardFileSchema = z.strictObject({
  path: z.string(),
  fieldRef: objectFieldSelectorSchema.optional(),
  resourceFieldRef: resourceFieldSelectorSchema.optional(),
  mode: z.int().optional(),
});

const downwardItems = atomicList(downwardFileSchema).optional();

const projectedSourceSchema = z.strictObject({
  configMap: z.strictObject({ name: z.string().default(''), items, optional }).optional(),
  secret: z.strictObject({ name: z.string().default(''), items, optional }).optional(),
  downwardAPI: z.strictObject({ items: downwardItems }).optional(),
  serviceAccountToken: z
    .strictObject({
      audience: z.string().optional(),
      expirationSeconds: z.int().default(3600),
      path: z.string(),
    })
    .optional(),
  clusterTrustBundle: z
    .strictObject({
      name: z.string().optional(),
      signerName: z.string().optional(),
      labelSelector: labelSelectorSchema.optional(),
      optional: z.boolean().optional(),
      path: z.string(),
    })
    .optional(),
  podCertificate: z.looseObject({}).optional(),
});

const claimSpecSchema = z.strictObject({
  accessModes: atomicList(z.string()).optional(),
  selector: labelSelectorSchema.optional(),
  resources: z
    .strictObject({ limits: resourceListSchema.optional(), requests: resourceListSchema.optional() })
    .optional(),
  volumeName: z.string().optional(),
  storageClassName: z.string().optional(),
  volumeMode: z.string().optional(),
  dataSource: z.looseObject({}).optional(),
  dataSourceRef: z.looseObject({}).optional(),
  volumeAttributesClassName: z.string().optional(),
});

/** Volumes of providers that no driver of ours has: accepted with a warning, their inside left unread. */
const foreign = z.looseObject({}).optional();

const sources = {
  emptyDir: z
    .strictObject({ medium: z.enum(['', 'Memory']).optional(), sizeLimit: quantitySchema.optional() })
    .optional()
    .describe('An empty folder that lives as long as the pod.'),
  configMap: z
    .strictObject({ name: z.string().default(''), items, defaultMode, optional })
    .optional()
    .describe('The keys of a ConfigMap as files.'),
  secret: z
    .strictObject({ secretName: z.string().optional(), items, defaultMode, optional })
    .optional()
    .describe('The keys of a Secret as files.'),
  downwardAPI: z.strictObject({ items: downwardItems, defaultMode }).optional().describe('Fields of the pod as files.'),
  projected: z
    .strictObject({ sources: atomicList(projectedSourceSchema).optional(), defaultMode })
    .optional()
    .describe('Several sources in one folder.'),
  hostPath: z
    .strictObject({ path: z.string(), type: z.string().default('') })
    .optional()
    .describe('A file or folder of the node.'),
  persistentVolumeClaim: z
    .strictObject({ claimName: z.string(), readOnly: z.boolean().optional() })
    .optional()
    .describe('A PersistentVolumeClaim in the same namespace.'),
  ephemeral: z
    .strictObject({
      volumeClaimTemplate: z.strictObject({ metadata: objectMetaSchema.optional(), spec: claimSpecSchema }).optional(),
    })
    .optional(),
  image: z.strictObject({ reference: z.string().optional(), pullPolicy: z.string().optional() }).optional(),
  nfs: z.strictObject({ server: z.string(), path: z.string(), readOnly: z.boolean().optional() }).optional(),
  csi: z
    .strictObject({
      driver: z.string(),
      fsType: z.string().optional(),
      nodePublishSecretRef: localObjectReferenceSchema.optional(),
      readOnly: z.boolean().optional(),
      volumeAttributes: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  awsElasticBlockStore: foreign,
  azureDisk: foreign,
  azureFile: foreign,
  cephfs: foreign,
  cinder: foreign,
  fc: foreign,
  flexVolume: foreign,
  flocker: foreign,
  gcePersistentDisk: foreign,
  gitRepo: foreign,
  glusterfs: foreign,
  iscsi: foreign,
  photonPersistentDisk: foreign,
  portworxVolume: foreign,
  quobyte: foreign,
  rbd: foreign,
  scaleIO: foreign,
  storageos: foreign,
  vsphereVolume: foreign,
};

export const VOLUME_SOURCES = Object.keys(sources) as readonly (keyof typeof sources)[];

/** Without a source a volume is an emptyDir (SetDefaults_Volume). */
export const volumeSchema = z
  .strictObject({ name: z.string().min(1).describe("The volume's name."), ...sources })
  .overwrite((volume) =>
    VOLUME_SOURCES.some((source) => volume[source] !== undefined) ? volume : { ...volume, emptyDir: {} },
  )
  .describe('A folder or file that containers of the pod may mount.');

export const volumeMountSchema = z
  .strictObject({
    name: z.string().min(1).describe('Must match the name of a volume.'),
    mountPath: z.string().min(1).describe('Where the volume is mounted in the container.'),
    readOnly: z.boolean().optional(),
    recursiveReadOnly: z.enum(['Disabled', 'Enabled', 'IfPossible']).optional(),
    subPath: z.string().optional().describe('Path in the volume to mount, instead of its root.'),
    subPathExpr: z.string().optional(),
    mountPropagation: z.enum(['Bidirectional', 'HostToContainer', 'None']).optional(),
  })
  .describe('A volume as a container sees it.');

export type Volume = z.infer<typeof volumeSchema>;
export type VolumeMount = z.infer<typeof volumeMountSchema>;
export type KeyToPath = z.infer<typeof keyToPathSchema>;
