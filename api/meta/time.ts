import { z } from 'zod';

/** metav1.Time and metav1.MicroTime on the wire: RFC 3339, UTC or with an offset. */
export const timeSchema = z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-02T15:04:05Z' });
