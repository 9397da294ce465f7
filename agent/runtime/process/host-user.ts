import { readFile } from 'node:fs/promises';

export interface HostUser {
  readonly uid: number;
  readonly gid: number;
}

/** What USER or runAsUser comes to on this host. `notice` says what was asked for and is not so. */
export interface UserChoice {
  readonly user?: HostUser;
  readonly notice?: string;
}

export interface UserWish {
  /** The image's: `name`, `uid`, either with `:group`. */
  readonly image: string | undefined;
  /** The Pod's runAsUser and runAsGroup, which win. */
  readonly pod: { readonly uid?: number; readonly gid?: number } | undefined;
}

/**
 * The user to run as: honoured when the agent is root and the host knows the user; otherwise the program runs as the
 * agent's own user and a notice says so. The host's users are meant, as there is no other file system.
 */
export async function chooseUser(wish: UserWish, agentUid: number): Promise<UserChoice> {
  const wanted = await resolveWish(wish);
  if (wanted === undefined) return {};
  if (wanted.user === undefined) {
    return { notice: `user "${wanted.text}" is not known on this host: it runs as uid ${agentUid}` };
  }
  if (wanted.user.uid === agentUid) return {};
  if (agentUid !== 0) {
    return { notice: `user "${wanted.text}": the agent is not root and runs it as uid ${agentUid}` };
  }
  return { user: wanted.user };
}

async function resolveWish({
  image,
  pod,
}: UserWish): Promise<{ text: string; user: HostUser | undefined } | undefined> {
  if (pod?.uid !== undefined) {
    return { text: String(pod.uid), user: { uid: pod.uid, gid: pod.gid ?? (await primaryGroup(pod.uid)) ?? 0 } };
  }
  if (image === undefined || image === '') return undefined;
  const [name = '', group] = image.split(':');
  const entry = await findEntry('/etc/passwd', name);
  const uid = entry === undefined ? numberOf(name) : Number(entry[2]);
  const groupEntry = group === undefined ? undefined : await findEntry('/etc/group', group);
  const gid =
    group === undefined ? Number(entry?.[3] ?? 0) : groupEntry === undefined ? numberOf(group) : Number(groupEntry[2]);
  return { text: image, user: uid === undefined || gid === undefined ? undefined : { uid, gid } };
}

async function primaryGroup(uid: number): Promise<number | undefined> {
  const entry = (await entriesOf('/etc/passwd')).find((fields) => Number(fields[2]) === uid);
  return entry === undefined ? undefined : Number(entry[3]);
}

async function findEntry(path: string, name: string): Promise<readonly string[] | undefined> {
  return (await entriesOf(path)).find((fields) => fields[0] === name);
}

async function entriesOf(path: string): Promise<readonly (readonly string[])[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').map((line) => line.split(':'));
  } catch {
    return [];
  }
}

function numberOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
