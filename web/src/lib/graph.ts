// Where each node of a sky is drawn: this node in the middle, the regions around it, and in each region its
// nodes, the nearest innermost.

import type { MemberView, OfferView, PeerView } from "../api/types";

/** How a node is reached; `known`: heard of, not connected. */
export type Way = "direct" | "relayed" | "known";

export interface SkyNode {
  id: string;
  region: string;
  way: Way;
  rtt_us?: number;
  slots_free?: number;
  slots_total?: number;
  address?: string;
  agent?: string;
}

/** How far a node is by its round trip. */
export type Distance = "near" | "middle" | "far" | "unmeasured";

export interface Dot {
  node: SkyNode;
  x: number;
  y: number;
}

export interface Region {
  name: string;
  x: number;
  y: number;
  radius: number;
  dots: Dot[];
}

export interface Graph {
  regions: Region[];
  /** What all of it fits in. */
  box: { x: number; y: number; width: number; height: number };
}

export const DOT_RADIUS = 5;
/** Of points in a sunflower: apart enough that dots do not touch. */
const SPREAD = 8.5;
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
/** Between a region's outermost dots and its edge, and between regions. */
const MARGIN = 16;
const GAP = 48;
/** Half the width of a region's words, which stand above it. */
export const WORDS = 68;
/** Room for this node in the middle. */
const MIDDLE = 34;
/** A sky of two is no reason to draw dots as large as hands. */
const BOX_MIN = { width: 640, height: 400 };
const NEAR_US = 30_000;
const FAR_US = 120_000;
/** Beyond this many, lines would hide the nodes. */
export const LINES_MAX = 60;

export function distance(rtt_us: number | undefined): Distance {
  if (rtt_us === undefined) return "unmeasured";
  if (rtt_us < NEAR_US) return "near";
  return rtt_us < FAR_US ? "middle" : "far";
}

/** All other nodes that this one knows, however it does. */
export function nodesOf(own: string, peers: PeerView[], offers: OfferView[], members: MemberView[]): SkyNode[] {
  const nodes = new Map<string, SkyNode>();
  for (const { node } of members) nodes.set(node, { id: node, region: "unknown", way: "known" });
  for (const { node, region, slots_free, slots_total } of offers) {
    nodes.set(node, { id: node, region, way: "known", slots_free, slots_total });
  }
  for (const { node, path, rtt_us, address, agent, region } of peers) {
    const known = nodes.get(node);
    nodes.set(node, { id: node, ...known, region: region ?? known?.region ?? "unknown", way: path, rtt_us, address, agent });
  }
  nodes.delete(own);
  return [...nodes.values()];
}

const RANKS: Distance[] = ["near", "middle", "far", "unmeasured"];
const rank = (node: SkyNode) => (node.way === "known" ? RANKS.length : RANKS.indexOf(distance(node.rtt_us)));

/** By distance in steps, then by id: a figure that wavers moves nobody. */
const inOrder = (one: SkyNode, other: SkyNode) => rank(one) - rank(other) || (one.id < other.id ? -1 : 1);

export function layoutGraph(nodes: SkyNode[]): Graph {
  const names = [...new Set(nodes.map((node) => node.region))].sort();
  const groups = names.map((name) => {
    const own = nodes.filter((node) => node.region === name).sort(inOrder);
    const radius = SPREAD * Math.sqrt(own.length) + DOT_RADIUS + MARGIN;
    return { name, nodes: own, radius, reach: Math.max(radius, WORDS) };
  });
  const away = ringRadius(groups.map((group) => group.reach));
  let angle = -Math.PI / 2;
  const regions = groups.map(({ name, nodes: own, radius, reach }): Region => {
    const half = halfAngle(reach, away);
    const at = groups.length === 1 ? 0 : angle + half;
    angle += 2 * half;
    const [x, y] = [away * Math.cos(at), away * Math.sin(at)];
    return { name, x, y, radius, dots: own.map((node, index) => ({ node, ...sunflower(index, x, y) })) };
  });
  return { regions, box: boxOf(regions) };
}

function sunflower(index: number, x: number, y: number): { x: number; y: number } {
  const [radius, angle] = [SPREAD * Math.sqrt(index + 0.5), index * GOLDEN_ANGLE];
  return { x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle) };
}

/** Half of the angle that a circle with its gap takes, seen from the middle. */
const halfAngle = (radius: number, away: number) => Math.asin(Math.min(1, (radius + GAP / 2) / away));

/** How far from the middle circles of these sizes fit around it without touching. */
function ringRadius(radii: number[]): number {
  let low = Math.max(0, ...radii) + GAP + MIDDLE;
  const taken = (away: number) => radii.reduce((sum, radius) => sum + 2 * halfAngle(radius, away), 0);
  if (taken(low) <= 2 * Math.PI) return low;
  let high = low;
  while (taken(high) > 2 * Math.PI) high *= 2;
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (taken(middle) > 2 * Math.PI) low = middle;
    else high = middle;
  }
  return high;
}

function boxOf(regions: Region[]): Graph["box"] {
  const circles = [{ x: 0, y: 0, radius: MIDDLE }, ...regions.map(({ x, y, radius }) => ({ x, y, radius: Math.max(radius + GAP, WORDS) }))];
  const left = Math.min(...circles.map(({ x, radius }) => x - radius));
  const right = Math.max(...circles.map(({ x, radius }) => x + radius));
  const top = Math.min(...circles.map(({ y, radius }) => y - radius));
  const bottom = Math.max(...circles.map(({ y, radius }) => y + radius));
  const [width, height] = [Math.max(BOX_MIN.width, right - left), Math.max(BOX_MIN.height, bottom - top)];
  return { x: (left + right - width) / 2, y: (top + bottom - height) / 2, width, height };
}

/** What a region says of itself. */
export function summary({ dots }: Pick<Region, "dots">): { direct: number; relayed: number; known: number; rtt_us?: number } {
  const of = (way: Way) => dots.filter((dot) => dot.node.way === way).length;
  const times = dots.flatMap(({ node }) => (node.rtt_us === undefined ? [] : [node.rtt_us])).sort((a, b) => a - b);
  return { direct: of("direct"), relayed: of("relayed"), known: of("known"), rtt_us: times[times.length >> 1] };
}

/** Where a key leads from a dot: left and right to its neighbours in order, up and down to other regions. */
export function moved({ regions }: Graph, from: string | undefined, key: string): string | undefined {
  const all = regions.flatMap((region) => region.dots);
  const at = all.findIndex((dot) => dot.node.id === from);
  const region = regions.findIndex(({ dots }) => dots.some((dot) => dot.node.id === from));
  const first = (index: number) => regions.at(index % Math.max(1, regions.length))?.dots[0]?.node.id;
  if (key === "Home" || at < 0) return ["Home", "ArrowRight", "ArrowDown"].includes(key) ? first(0) : undefined;
  if (key === "End") return all.at(-1)?.node.id;
  if (key === "ArrowRight") return all[at + 1]?.node.id;
  if (key === "ArrowLeft") return all[at - 1]?.node.id;
  if (key === "ArrowDown") return first(region + 1);
  return key === "ArrowUp" ? first(region - 1) : undefined;
}

/** The node next to a point of the picture, if it is within reach. */
export function nearest({ regions }: Graph, { x, y }: { x: number; y: number }, reach: number): string | undefined {
  const away = (dot: Dot) => Math.hypot(dot.x - x, dot.y - y);
  const near = regions.flatMap(({ dots }) => dots.filter((dot) => away(dot) <= reach));
  return near.sort((one, other) => away(one) - away(other))[0]?.node.id;
}

export interface View {
  x: number;
  y: number;
  scale: number;
}

export const WHOLE: View = { x: 0, y: 0, scale: 1 };
const SCALE_MAX = 12;

/** Closer or further, with a point of the picture staying where it is. */
export function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(SCALE_MAX, Math.max(1, view.scale * factor));
  if (scale === 1) return WHOLE;
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}
