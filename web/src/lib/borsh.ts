// Reads canonical bytes (Borsh, https://borsh.io) as strictly as the node does.

export class Malformed extends Error {}

/** Takes values off the front of bytes. */
export class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** How far it has read. */
  get place(): number {
    return this.#at;
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.bytes.length) throw new Malformed("the proof is cut off");
    const taken = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #number(bytes: number): bigint {
    return this.take(bytes).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  u16 = () => Number(this.#number(2));
  u32 = () => Number(this.#number(4));
  u64 = () => this.#number(8);

  flag(): boolean {
    const [byte] = this.take(1);
    if (byte !== 0 && byte !== 1) throw new Malformed("a yes or no is neither");
    return byte === 1;
  }

  /** Bytes with their length before them. */
  block = () => this.take(this.u32());

  text(): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.block());
    } catch (error) {
      throw error instanceof Malformed ? error : new Malformed("a text is no UTF-8");
    }
  }

  /** Nothing may be left over. */
  end(): void {
    if (this.#at !== this.bytes.length) throw new Malformed("there are bytes after the end");
  }
}
