/** What a client asks of one key. Every value that is written is unique in its history. */
export type Action =
  | { readonly type: 'read' }
  | { readonly type: 'put'; readonly value: string }
  /** Put if the key's revision is this one; 0: if it does not exist. */
  | { readonly type: 'swap'; readonly revision: number; readonly value: string }
  | { readonly type: 'delete' };

/** What the client was told. */
export type Answer =
  | { readonly type: 'read'; readonly present: { readonly value: string; readonly revision: number } | undefined }
  /** The transaction's revision; for a delete of nothing the store's present one. */
  | { readonly type: 'written'; readonly revision: number }
  | { readonly type: 'conflict'; readonly revision: number }
  /** Sent, and nobody knows: its time of answer says nothing. */
  | { readonly type: 'unknown' };

export interface Operation {
  readonly client: string;
  readonly key: string;
  readonly action: Action;
  readonly answer: Answer;
  /** Of one clock for all clients. */
  readonly calledAt: number;
  readonly answeredAt: number;
}
