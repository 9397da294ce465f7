import { CLASS, TYPE } from './codes.ts';

export interface Question {
  /** As it was asked: case kept. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** What a record says, by its type. `other` carries types that we pass on unread. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'NS' | 'CNAME' | 'PTR'; readonly target: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: 'MX'; readonly preference: number; readonly target: string }
  | { readonly type: 'TXT'; readonly texts: readonly string[] }
  | { readonly type: 'HINFO'; readonly cpu: string; readonly os: string }
  | {
      readonly type: 'SOA';
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refreshSeconds: number;
      readonly retrySeconds: number;
      readonly expireSeconds: number;
      readonly minimumSeconds: number;
    }
  | { readonly type: 'other'; readonly code: number; readonly bytes: Uint8Array };

export interface ResourceRecord {
  readonly name: string;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

/** What an OPT record says (RFC 6891). Options are read over and not passed on: they are for one hop. */
export interface Edns {
  readonly payloadSizeBytes: number;
  readonly version: number;
  readonly dnssecOk: boolean;
}

export interface Header {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly checkingDisabled: boolean;
  /** With EDNS up to twelve bits. */
  readonly rcode: number;
}

export interface Message extends Header {
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  readonly edns: Edns | undefined;
}

/** A record of class IN. */
export function record(name: string, ttlSeconds: number, data: RecordData): ResourceRecord {
  return { name, class: CLASS.IN, ttlSeconds, data };
}

export function typeCode(data: RecordData): number {
  return data.type === 'other' ? data.code : TYPE[data.type];
}
