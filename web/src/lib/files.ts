// What a file is, told by its first bytes.

export type FileKind = "program" | "image" | "packed" | "unknown";

const WASM = [0x00, 0x61, 0x73, 0x6d];
const GZIP = [0x1f, 0x8b];
/** Where a tar says that it is one, and how. */
const USTAR_AT = 257;
const USTAR = [0x75, 0x73, 0x74, 0x61, 0x72];
const HEAD_BYTES = 512;
const IMAGE_NAME_BYTES_MAX = 255;

const hasAt = (bytes: Uint8Array, at: number, wanted: number[]) => wanted.every((byte, index) => bytes[at + index] === byte);

export function kindOfBytes(head: Uint8Array): FileKind {
  if (hasAt(head, 0, WASM)) return "program";
  if (hasAt(head, USTAR_AT, USTAR)) return "image";
  return hasAt(head, 0, GZIP) ? "packed" : "unknown";
}

/** What a file is; rejects if it cannot be read. */
export async function kindOf(file: Blob): Promise<FileKind> {
  return kindOfBytes(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
}

/** A name to keep an image by, from the name of its file. */
export function imageNameOf(file: string): string {
  return file.replace(/\.tar$/i, "").replace(/[\s\p{Cc}]+/gu, "-");
}

/** What is wrong with an image's name, if anything. */
export function imageNameProblem(name: string): string | undefined {
  const length = new TextEncoder().encode(name).length;
  const isGood = length > 0 && length <= IMAGE_NAME_BYTES_MAX && !/[\s\p{Cc}]/u.test(name);
  return isGood ? undefined : "1 to 255 bytes, without spaces";
}
