// A sky of so many nodes, the same each time: for tests, and for looking at pages that real nodes do not fill.

import type { OfferView, PeerView } from "../src/api/types";

const REGIONS = ["africa", "asia", "europe", "north-america", "oceania", "south-america", "unknown"] as const;
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Numbers below 1 that look drawn (mulberry32). */
function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function madeSky(count: number): { peers: PeerView[]; offers: OfferView[] } {
  const draw = drawn(count);
  const id = () => `12D3KooW${Array.from({ length: 44 }, () => BASE58[Math.floor(draw() * 58)]).join("")}`;
  const peers: PeerView[] = [];
  const offers: OfferView[] = [];
  for (let index = 0; index < count; index += 1) {
    const node = id();
    const region = REGIONS[Math.floor(draw() ** 2 * REGIONS.length)] ?? "unknown";
    const cores = 2 ** (1 + Math.floor(draw() * 6));
    const free = Math.floor(draw() * (cores + 1));
    offers.push({
      node,
      made_at: 1_700_000_000_000,
      expires_at: 1_700_000_060_000,
      region,
      kinds: ["general", "wasm"],
      levels: draw() < 0.4 ? ["function", "vm", "container"] : ["function", "vm"],
      hardware: {
        cpu_model: `Processor ${1 + Math.floor(draw() * 20)}`,
        cpu_arch: "x86_64",
        cpu_cores: cores,
        memory_bytes: cores * 2 ** 31,
        disk_free_bytes: 2 ** 38,
        disk_write_mb_s: 800,
        gpus: [],
        score_per_core: 700 + Math.floor(draw() * 900),
      },
      slots_total: cores,
      slots_free: free,
      task_limits_max: { memory_bytes: 2 ** 30, fuel: 1e12, wall_ms: 600_000, scratch_bytes: 2 ** 28, output_bytes: 2 ** 26 },
      engine: "wasmtime 48.0.8",
      price_per_gfuel: 50 + Math.floor(draw() * 200),
      note: "",
    });
    if (draw() < 0.2) continue;
    peers.push({
      node,
      path: draw() < 0.12 ? "relayed" : "direct",
      address: `/ip4/192.0.2.${index % 256}/udp/4710/quic-v1`,
      agent: "opensky/0.1.0",
      region,
      ...(draw() < 0.05 ? {} : { rtt_us: Math.floor(2_000 + draw() ** 2 * 300_000) }),
    });
  }
  return { peers, offers };
}
