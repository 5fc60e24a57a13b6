import { describe, expect, it } from "vitest";
import { distance, DOT_RADIUS, type Graph, layoutGraph, moved, nodesOf, summary, WHOLE, WORDS, zoomed } from "../src/lib/graph";
import { madeSky } from "./sky";

const graphOf = (count: number): Graph => {
  const { peers, offers } = madeSky(count);
  return layoutGraph(nodesOf("own", peers, offers, []));
};
const apart = (a: { x: number; y: number }, b: { x: number; y: number }) => Math.hypot(a.x - b.x, a.y - b.y);

describe("the network graph", () => {
  it("stays readable at every size: no two dots touch, no two regions, and none covers the middle", () => {
    for (const count of [1, 2, 7, 60, 500, 2_000]) {
      const { regions, box } = graphOf(count);
      const dots = regions.flatMap((region) => region.dots);
      expect(dots).toHaveLength(count);
      let closest = Number.POSITIVE_INFINITY;
      for (let at = 0; at < dots.length; at += 1) {
        for (let other = 0; other < at; other += 1) closest = Math.min(closest, apart(dots[at]!, dots[other]!));
      }
      expect(closest).toBeGreaterThan(2 * DOT_RADIUS + 2);
      for (const [at, region] of regions.entries()) {
        expect(apart(region, { x: 0, y: 0 })).toBeGreaterThan(region.radius + 20);
        const outermost = Math.max(...region.dots.map((dot) => apart(dot, region)));
        expect(outermost).toBeLessThan(region.radius - DOT_RADIUS);
        for (const other of regions.slice(at + 1)) {
          expect(apart(region, other)).toBeGreaterThan(Math.max(region.radius, WORDS) + Math.max(other.radius, WORDS));
        }
        expect(region.x - region.radius).toBeGreaterThanOrEqual(box.x);
        expect(region.y + region.radius).toBeLessThanOrEqual(box.y + box.height);
      }
    }
  });

  it("of 500 nodes fills a screen well enough to tell the dots apart", () => {
    const { box } = graphOf(500);
    // On 1,000 by 600 pixels a dot is still about as wide as a letter's stroke is apart.
    const scale = Math.min(1_000 / box.width, 600 / box.height);
    expect(scale * 2 * DOT_RADIUS).toBeGreaterThan(5);
  });

  it("draws few nodes no larger than many", () => {
    const { box, regions } = graphOf(2);
    expect(box.width).toBeGreaterThanOrEqual(640);
    const [left, right] = [Math.min(0, ...regions.map(({ x, radius }) => x - radius)), Math.max(...regions.map(({ x, radius }) => x + radius))];
    expect(left).toBeGreaterThan(box.x);
    expect(right).toBeLessThan(box.x + box.width);
  });

  it("is empty without others", () => {
    expect(layoutGraph([]).regions).toEqual([]);
    expect(moved(layoutGraph([]), undefined, "ArrowRight")).toBeUndefined();
  });

  it("moves nobody when a round trip wavers", () => {
    const { peers, offers } = madeSky(100);
    const later = peers.map((peer) => ({ ...peer, rtt_us: peer.rtt_us && distance(peer.rtt_us) === "near" ? peer.rtt_us - 1 : peer.rtt_us }));
    const places = (list: typeof peers) =>
      layoutGraph(nodesOf("own", list.toReversed(), offers.toReversed(), [])).regions.flatMap(({ dots }) => dots.map(({ node, x, y }) => [node.id, x, y]));
    expect(places(later)).toEqual(places(peers));
  });

  it("knows nodes from offers and members too, and leaves this one out", () => {
    const { peers, offers } = madeSky(3);
    const [own, ...others] = offers;
    const member = { node: "member", connected: false, addresses: [] };
    const nodes = nodesOf(own?.node ?? "", [], others, [member]);
    expect(nodes.map(({ id, way }) => [id, way])).toEqual([["member", "known"], ...others.map(({ node }) => [node, "known"])]);
    const [peer] = peers;
    const connected = nodesOf("", peer ? [{ ...peer, region: undefined }] : [], offers, []).find(({ id }) => id === peer?.node);
    expect(connected).toMatchObject({ way: peer?.path, region: offers.find(({ node }) => node === peer?.node)?.region });
  });

  it("is walked by keys from end to end", () => {
    const graph = graphOf(500);
    let at = moved(graph, undefined, "ArrowRight");
    const seen = new Set<string>();
    while (at !== undefined && !seen.has(at)) {
      seen.add(at);
      at = moved(graph, at, "ArrowRight");
    }
    expect(seen.size).toBe(500);
    const first = graph.regions[0]?.dots[0]?.node.id;
    const last = graph.regions.at(-1)?.dots[0]?.node.id;
    expect(moved(graph, first, "ArrowUp")).toBe(last);
    expect(moved(graph, last, "ArrowDown")).toBe(first);
    expect(moved(graph, first, "x")).toBeUndefined();
  });

  it("counts by region", () => {
    const totals = graphOf(500).regions.map(summary);
    const sum = totals.reduce((all, { direct, relayed, known }) => all + direct + relayed + known, 0);
    expect(sum).toBe(500);
    expect(totals.every(({ rtt_us }) => rtt_us === undefined || rtt_us > 0)).toBe(true);
  });

  it("keeps what is under the pointer when it comes closer", () => {
    const near = zoomed(WHOLE, 2, 100, 50);
    expect(near).toEqual({ scale: 2, x: -100, y: -50 });
    expect(zoomed(near, 0.1, 0, 0)).toEqual(WHOLE);
    expect(zoomed(WHOLE, 1_000, 0, 0).scale).toBe(12);
  });
});
