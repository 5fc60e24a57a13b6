// What pages say of services.

import type { ServiceView } from "../api/types";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const PORTS_MAX = 16;

/** How the API names a service: an owner is said where it is another node. */
export const reference = (service: Pick<ServiceView, "name" | "own" | "owner">) =>
  service.own ? service.name : `${service.name}@${service.owner}`;

/** How many replicas answer, of how many where that is known. */
export function standing({ replicas, spec }: Pick<ServiceView, "replicas" | "spec">): string {
  const isGood = (state: string) => state === "healthy" || state === "moving" || state === "ended";
  const good = replicas.filter((replica) => isGood(replica.state) && !replica.lost && !replica.ending).length;
  return spec ? `${good}/${spec.replicas ?? 1}` : String(good);
}

/** Why a text is no name of a service. */
export const nameProblem = (name: string) =>
  NAME.test(name) ? undefined : "1 to 63 small letters, digits and dashes, with no dash at its ends";

/** Ports as people write them, with spaces or commas between; `undefined` if one is none. */
export function portsOf(text: string): number[] | undefined {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const ports = words.map((word) => (/^[0-9]{1,5}$/.test(word) ? Number(word) : 0));
  const isRight = ports.every((port) => port > 0 && port < 65_536) && new Set(ports).size === ports.length;
  return isRight && ports.length <= PORTS_MAX ? ports : undefined;
}

/** The lines of a log as the API sends them, put together to one text. */
export function logText(lines: string): string {
  const parts = lines.split("\n").filter((line) => line !== "");
  return parts.map((line) => (JSON.parse(line) as { text: string }).text).join("");
}
