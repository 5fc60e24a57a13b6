// How much of a machine can be shared.

import type { Limits, ReadingsView } from "../api/types";

export const GIB = 1024 ** 3;

/** The most disk to share: what is free, and what may be taken of it already. */
export const diskMost = ({ disk_free_bytes }: Pick<ReadingsView, "disk_free_bytes">, saved: Pick<Limits, "disk_bytes">) =>
  disk_free_bytes + saved.disk_bytes;
